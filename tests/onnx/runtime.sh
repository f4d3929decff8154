#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# runtime.sh PROGRAM SCRATCH: logits of written networks in ONNX Runtime, which
# npm installs into SCRATCH. Exits with 77 without npm or where that fails.
set -u

program=$1
scratch=$2
here=$(cd "$(dirname "$0")" && pwd)
version=1.21.0

rm -rf "$scratch/models"
mkdir -p "$scratch/models" || exit 1
if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
    echo "skipped: npm is not installed"
    exit 77
fi
# Scripts of the package would fetch libraries for GPUs.
if [ ! -d "$scratch/node_modules/onnxruntime-node" ] &&
    ! (cd "$scratch" && timeout 240 npm install --no-audit --no-fund \
        --silent --ignore-scripts "onnxruntime-node@$version"); then
    echo "skipped: npm cannot install onnxruntime-node $version"
    exit 77
fi
"$program" "$scratch/models" || exit 1
NODE_PATH=$scratch/node_modules node "$here/runtime.js" "$scratch/models"
