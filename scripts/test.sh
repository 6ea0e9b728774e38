#!/usr/bin/env bash
# Runs the tests, after making the environment if need be.
#
#   bash scripts/test.sh              all of them
#   bash scripts/test.sh --fast       all but the slow ones
#   bash scripts/test.sh -k labels    other arguments go to pytest
#
# TEST_PROCESSES says how many processes share them: three for two cores, since one often waits, for
# a browser or for a program that it has started. TMPDIR says where they write.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_env.sh"

# A file of tests at a time: modules make costly things once for all of their tests. In the order of
# tests/conftest.py, which begins with the longest.
arguments=(-n "${TEST_PROCESSES:-3}" --dist loadfile --no-loadscope-reorder)
for argument in "$@"; do
  case $argument in
    --fast) arguments+=(-m "not slow") ;;
    *) arguments+=("$argument") ;;
  esac
done

# Python's compiled files, the tests' own among them, stay: the processes that the tests start, and
# the next run, take them as they are.
unset PYTHONDONTWRITEBYTECODE

# The tests write into memory where there is room, since a disk is waited for. They need 1.2 GB.
free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -1)
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] && [ "${free:-0}" -gt 4000000 ]; then
  TMPDIR=$(mktemp -d /dev/shm/tfanime-tests.XXXXXX)
  export TMPDIR
  trap 'rm -rf "$TMPDIR"' EXIT
fi

"$python" -m pytest "${arguments[@]}"
