# Sourced by the other scripts: goes to the checkout's root and leaves a ready environment in
# .venv there, `$python` being its Python. A second call takes a moment, not minutes.

cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=.venv/bin/python

fail() {
  echo "$*" >&2
  exit 1
}

# Prints the first command that is a Python 3.10-3.13 and can make environments. A name may
# exist and still not run (pyenv's shims), so each is tried.
find_python() {
  local name
  for name in ${PYTHON:+"$PYTHON"} python3.12 python3.11 python3.13 python3.10 python3 python; do
    if "$name" -c 'import sys, venv, ensurepip
sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1; then
      echo "$name"
      return
    fi
  done
  return 1
}

# What .venv must have been made from. A moved checkout counts: environments hold full paths.
wanted_stamp() {
  echo "$PWD $(cksum <setup.py)"
}

# Passes on what pip says, shortened to a line a package.
show_progress() {
  local line
  while read -r line; do
    case $line in
      Downloading\ *.metadata*) ;;
      Downloading\ *) echo "  ${line/Downloading /downloading }" ;;
      Installing\ collected*) echo "  unpacking ..." ;;
    esac
  done
}

make_environment() {
  local name log=.venv/install.log
  if ! "$python" -m pip --version >/dev/null 2>&1; then
    name=$(find_python) || fail "tfanime needs Python 3.10, 3.11, 3.12 or 3.13 with its venv module, and\
 found none. Install one (Debian, Ubuntu: apt install python3 python3-venv), or name one:\
 PYTHON=/path/to/python bash $0"
    echo "Making .venv with $("$name" --version) ..."
    rm -rf .venv
    "$name" -m venv .venv || fail "$name could not make .venv; the lines above say why."
  fi
  echo "Installing tfanime and what it needs, TensorFlow above all (once; some minutes) ..."
  PYTHONUNBUFFERED=1 "$python" -m pip install --prefer-binary --disable-pip-version-check \
    --progress-bar off -e '.[dev,web,data,text,serve,onnx,litert,jax]' 2>&1 | tee "$log" | show_progress
  if [ "${PIPESTATUS[0]}" -ne 0 ]; then
    grep -i error "$log" >&2 || tail -n 5 "$log" >&2
    fail "The installation failed; everything it said is in $log. Run the same command again."
  fi
  wanted_stamp >.venv/stamp
}

if [ "$(cat .venv/stamp 2>/dev/null)" != "$(wanted_stamp)" ]; then
  make_environment
fi
