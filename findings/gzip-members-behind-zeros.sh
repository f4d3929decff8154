#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# GNU gzip, version 1.12 (Debian 12), and Python, version 3.11: of a gzip file
# of two members with zeros between them, as tapes and block devices leave them,
# Python reads both members, GNU gzip the first one only, with a warning and exit status 2. Zeros at the end are fine for both.
# Data read through gzip may therefore be shorter than data read in Python.
# Exits with 1 when either behaves differently.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download gzip=1.12-1 >download.log 2>&1
dpkg -x gzip_*.deb .
gzip=$PWD/bin/gzip
[ -x "$gzip" ] || gzip=$PWD/usr/bin/gzip
printf 'one ' | "$gzip" -c >one.gz
printf 'two ' | "$gzip" -c >two.gz
head -c 512 /dev/zero >zeros
cat one.gz zeros >end.gz
cat one.gz zeros two.gz >between.gz
"$gzip" --version | head -n 1
python3 --version

status=0
"$gzip" -t end.gz || status=$?
echo "gzip -t, zeros at the end: exit $status"
[ "$status" -eq 0 ]

status=0
text=$("$gzip" -dc between.gz) || status=$?
echo "gzip -dc, zeros between: '$text', exit $status"
[ "$text" = 'one ' ] && [ "$status" -eq 2 ]

text=$(python3 -c 'import gzip; print(gzip.open("between.gz").read().decode())')
echo "Python, zeros between: '$text'"
[ "$text" = 'one two ' ]
