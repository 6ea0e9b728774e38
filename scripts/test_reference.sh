#!/usr/bin/env bash
# Compares our writer of TensorFlow.js models with the official converter, in an environment of its
# own, .venv-reference: that converter pins TensorFlow to 2.19, and has no Python beyond 3.12.
#
#   bash scripts/test_reference.sh            further arguments go to pytest
#
# PYTHON=/path/to/python names a Python 3.10, 3.11 or 3.12.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=.venv-reference/bin/python
wanted="$PWD $(cksum <setup.py)"

find_python() {
  local name
  for name in ${PYTHON:+"$PYTHON"} python3.12 python3.11 python3.10 python3 python; do
    if "$name" -c 'import sys, venv, ensurepip
sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1; then
      echo "$name"
      return
    fi
  done
  echo "The official converter needs Python 3.10, 3.11 or 3.12, and none was found. Install one, or\
 name one: PYTHON=/path/to/python bash $0" >&2
  return 1
}

if [ "$(cat .venv-reference/stamp 2>/dev/null)" != "$wanted" ]; then
  name=$(find_python)
  rm -rf .venv-reference
  "$name" -m venv .venv-reference
  "$python" -m pip install --quiet --prefer-binary --disable-pip-version-check \
    -e '.[tfjs-reference]' pytest
  echo "$wanted" >.venv-reference/stamp
fi
# Without the converter these tests fail there; elsewhere they are skipped.
export TFANIME_REFERENCE=1
exec "$python" -m pytest tests/export/test_tfjs_writer.py "$@"
