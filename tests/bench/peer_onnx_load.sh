#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# peer_onnx_load.sh MODEL REPEAT: median time of creating a session of ONNX
# Runtime, two threads, as one JSON object. npm installs the Runtime into a
# folder that goes with the program. Without a file MODEL, torchvision's
# ResNet-50 (random weights) is exported there first.
set -eu

model=$1
repeat=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if [ ! -e "$model" ]; then
    /usr/bin/python3 - "$model" >&2 <<'PYTHON'
import sys
import torch
import torchvision

torch.manual_seed(1)
net = torchvision.models.resnet50(weights=None).eval()
torch.onnx.export(net, torch.rand(1, 3, 224, 224), sys.argv[1],
                  opset_version=14, input_names=["input"],
                  output_names=["logits"], dynamic_axes={"input": {0: "n"}})
PYTHON
fi
npm install --prefix "$folder" --no-audit --no-fund --silent --ignore-scripts \
    onnxruntime-node@1.21.0 >&2
cat >"$folder/session.js" <<'NODE'
const ort = require('onnxruntime-node');

async function main(model, repeat) {
  const seconds = [];
  for (let i = 0; i < repeat; i++) {
    const start = process.hrtime.bigint();
    const session =
        await ort.InferenceSession.create(model, {intraOpNumThreads: 2});
    seconds.push(Number(process.hrtime.bigint() - start) / 1e9);
    await session.release();
  }
  seconds.sort((a, b) => a - b);
  console.log(JSON.stringify(
      {session_seconds: seconds[Math.floor(seconds.length / 2)]}));
}

main(process.argv[2], Number(process.argv[3]));
NODE
node "$folder/session.js" "$model" "$repeat"
