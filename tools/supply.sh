#!/usr/bin/env bash
# What the project is delivered with and as: licences and known weaknesses of its dependencies, and
# its wheel and source archive, of which the wheel is installed into an environment of its own and used.
# Needs `make setup` first. The tools of this script stand in tools/supply.lock.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pip_in() { local environment=$1; shift; "$environment/bin/python" -m pip --quiet --disable-pip-version-check "$@"; }

.venv/bin/python -m venv "$work/tools"
pip_in "$work/tools" install --require-hashes -r tools/supply.lock

echo "== licences of what requirements.lock installs"
# Of c4m-pdk-freepdk45 only data files are used, so its own dependencies are not installed.
broken=$(.venv/bin/python -m pip check | grep -v -e '^c4m-pdk-freepdk45 ' -e '^No broken' || true)
[ -z "$broken" ] || { echo "$broken" >&2; exit 1; }
# Each licence must be one that a program under the GPL, version 3 or later, may be delivered with.
"$work/tools/bin/pip-licenses" --python .venv/bin/python --with-system --format=json >"$work/licences.json"
.venv/bin/python tools/licences.py "$work/licences.json"

echo "== known weaknesses of the locked versions"
"$work/tools/bin/pip-audit" --no-deps --disable-pip --require-hashes -r requirements.lock \
    --progress-spinner off --format json --output "$work/audit.json" 2>"$work/audit.txt" || true
.venv/bin/python tools/audit.py "$work/audit.json" "$work/audit.txt"

echo "== wheel and source archive"
mkdir "$work/source"
git ls-files -z | xargs -0 cp --parents -t "$work/source"
.venv/bin/python -m build --no-isolation --outdir "$work/dist" "$work/source" >"$work/build.txt" 2>&1 ||
    { tail -20 "$work/build.txt"; exit 1; }
ls -l "$work/dist" | awk 'NR > 1 {print $5, $9}'
.venv/bin/python -m venv "$work/fresh"
pip_in "$work/fresh" install "$work"/dist/*.whl
mkdir "$work/empty"
cp examples/knag2014_pulses.csv "$work/empty"
smoke=$PWD/tools/smoke.sh
cd "$work/empty"
bash "$smoke" "$work/fresh/bin/stochram" knag2014_pulses.csv
