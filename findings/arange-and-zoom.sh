#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# NumPy, version 1.24.2, and SciPy, version 1.10.1 (Debian 12): np.arange(1, 1.06, 0.01) holds
# 1.06, which it is to leave out, and element 25 of np.arange(1, 1.26, 0.01) is
# a little above 1.25, so that scipy.ndimage.zoom makes 33 pixels of 26 by it
# and 32 by 1.25. The zoom blur of CIFAR-10-C is made with these ranges: factors
# written as 1 + k / 100 give other images at severity 5 in 30 % of the bytes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -qq download python3-numpy=1:1.24.2-1+deb12u1 \
    python3-scipy=1.10.1-2 python3-decorator=5.1.1-3 libgfortran5 libquadmath0 \
    libblas3 liblapack3
for package in *.deb; do
    dpkg -x "$package" root
done
lib=$PWD/root/usr/lib/x86_64-linux-gnu
export PYTHONPATH=$PWD/root/usr/lib/python3/dist-packages
export LD_LIBRARY_PATH=$lib:$lib/blas:$lib/lapack
/usr/bin/python3 - <<'END'
import numpy as np
import scipy
from scipy.ndimage import zoom

print("NumPy", np.__version__, "SciPy", scipy.__version__)
short = np.arange(1, 1.06, 0.01)
print("arange(1, 1.06, 0.01):", len(short), "numbers, the last", short[-1])
factor = np.arange(1, 1.26, 0.01)[25]
sizes = [zoom(np.zeros(26), z, order=1).size for z in (factor, 1.25)]
print("26 pixels zoomed by", repr(float(factor)), "and by 1.25:", sizes)
assert len(short) == 7 and sizes == [33, 32]
END
