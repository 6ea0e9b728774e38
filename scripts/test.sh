#!/usr/bin/env bash
# Runs the tests, after making the environment if need be.
#
#   bash scripts/test.sh              all but the slow ones
#   bash scripts/test.sh --all        all of them, as CI=true does
#   bash scripts/test.sh -k labels    other arguments go to pytest
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_env.sh"

chosen=(-m "not slow")
[ "${CI:-}" = true ] && chosen=()
arguments=()
for argument in "$@"; do
  case $argument in
    --all) chosen=() ;;
    -m) chosen=() arguments+=("$argument") ;;
    *) arguments+=("$argument") ;;
  esac
done

exec "$python" -m pytest ${chosen[@]+"${chosen[@]}"} ${arguments[@]+"${arguments[@]}"}
