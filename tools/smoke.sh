#!/usr/bin/env bash
# The whole way from a table to a report with an installed `stochram`, in the present folder: every
# stage on a small problem. Usage: smoke.sh STOCHRAM DATA.csv
set -euo pipefail
stochram=$1 data=$2
STOCHRAM_CACHE=$(mktemp -d)
export STOCHRAM_CACHE
trap 'rm -rf "$STOCHRAM_CACHE"' EXIT
"$stochram" engine
"$stochram" fit "$data" -o out --quiet
"$stochram" extract out/device.json --cells sign_magnitude_counter -o out --quiet
"$stochram" train out/cells.nc --train-images 200 --test-images 100 --epochs 1 \
    --stream-length 64 --seeds 1 -o out --quiet
"$stochram" report out/cells.nc out/training.nc -o out --quiet
for file in device.json fit.html device.va cells.nc cells.html training.nc weights.npz report.json report.html; do
    [ -s "out/$file" ] || { echo "out/$file is missing" >&2; exit 1; }
done
echo "smoke test: from $(basename "$data") to out/report.html, $("$stochram" --version)"
