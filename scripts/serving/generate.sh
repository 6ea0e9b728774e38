#!/usr/bin/env bash
# Asks a model server for pictures with curl, and writes them as PNG files.
#
#   bash scripts/serving/generate.sh girls
#   bash scripts/serving/generate.sh girls hair=blue,smile 4 7     tags, how many, seed
#   SERVER=http://other:8501 bash scripts/serving/generate.sh girls
set -euo pipefail
model=${1:?usage: generate.sh MODEL [TAGS [N [SEED]]]}
tags=${2:-} n=${3:-1} seed=${4:-0}

request=$(printf '{"signature_name": "generate_png", "instances": [
  {"seed": %s, "n": %s, "first": 0, "truncation": 1.0, "tags": "%s"}]}' "$seed" "$n" "$tags")
answer=$(curl -sS --max-time 60 --retry 3 -d "$request" \
  "${SERVER:-http://localhost:8501}/v1/models/$model:predict")
case $answer in
  *'"error"'*)
    echo "$answer" >&2
    exit 1
    ;;
esac
# Every picture is an object {"b64": "..."}.
grep -o '"b64": *"[^"]*"' <<<"$answer" | cut -d'"' -f4 | {
  i=0
  while read -r picture; do
    base64 -d <<<"$picture" >"seed${seed}_$(printf %06d "$i").png"
    i=$((i + 1))
  done
  echo "$i pictures"
}
