#!/usr/bin/env bash
# Runs the tests, after making the environment if need be.
#
#   bash scripts/test.sh              all of them
#   bash scripts/test.sh --fast       all but the slow ones
#   bash scripts/test.sh -k labels    other arguments go to pytest
#
# TEST_PROCESSES says how many processes share them; two are enough for two cores.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_env.sh"

# Two processes, a file of tests each: modules make costly things once for all of their tests. In
# the order of tests/conftest.py, which begins with the longest.
arguments=(-n "${TEST_PROCESSES:-2}" --dist loadfile --no-loadscope-reorder)
for argument in "$@"; do
  case $argument in
    --fast) arguments+=(-m "not slow") ;;
    *) arguments+=("$argument") ;;
  esac
done

# Python's compiled files, the tests' own among them, stay: the processes that the tests start, and
# the next run, take them as they are.
unset PYTHONDONTWRITEBYTECODE

exec "$python" -m pytest "${arguments[@]}"
