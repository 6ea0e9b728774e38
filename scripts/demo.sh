#!/usr/bin/env bash
# The main job: environment, faces of the model that ships, training on the built-in pictures for a
# few minutes, faces of that, and a site that draws both kinds.
# Run again, it goes on from where it was stopped; RUN=runs/other starts another run.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_env.sh"

RECIPE=${RECIPE:-modern}
MINUTES=${MINUTES:-9}
RUN=${RUN:-runs/demo}
SIZE=64
# A smaller generator than the recipe's shows faces sooner.
SETTINGS=(--set generator.channels=48)
# Faster where the processor computes in bfloat16, and slower elsewhere.
grep -q avx512_bf16 /proc/cpuinfo 2>/dev/null && SETTINGS+=(--precision mixed_bfloat16)

tfanime=.venv/bin/tfanime
SHIPPED=$(.venv/bin/python -c "from tfanime import zoo; print(zoo.DEFAULT)") || exit
echo "Drawing with $SHIPPED, which ships ..."
"$tfanime" generate --n 64 --seed 7 --grid "$RUN-shipped.png" || exit
echo "  $RUN-shipped.png"
echo "Training $RECIPE on drawn faces for $MINUTES minutes (Ctrl-C stops it and saves) ..."
"$tfanime" train "$RECIPE" --data drawn --size "$SIZE" --minutes "$MINUTES" --out "$RUN" \
  ${SETTINGS[@]+"${SETTINGS[@]}"}
status=$?
# 130: stopped by Ctrl-C, and saved; what was learnt until then can be drawn.
[ $status -eq 0 ] || [ $status -eq 130 ] || exit $status

"$tfanime" generate "$RUN" --n 64 --seed 7 --grid "$RUN/faces.png" || exit

echo "Making the site that draws them in a browser (the first time builds it: a minute or two) ..."
"$tfanime" export web "$SHIPPED" "$RUN" --out "$RUN/site" || exit

cat <<END

Busts of $SHIPPED:    $RUN-shipped.png
Faces of this run:     $RUN/faces.png
How they came about:   $RUN/samples/ (one sheet an epoch), $RUN/curves.png
Next:
  source .venv/bin/activate
  tfanime generate --n 64 --hair pink --grid pink.png
  tfanime generate $RUN --n 64 --hair blue --smile --grid blue.png
  tfanime interpolate $RUN --seeds 1,2,3 --out loop.gif
  tfanime prepare YOUR_PICTURES/ --size 64 --out packed/
  tfanime train $RECIPE --data packed/ --minutes 60 --out runs/mine
To train this one for an hour in all, run this again with MINUTES=60.

The site: $RUN/site/, a folder for any web host, served here now.
END
# At a terminal until Ctrl-C; elsewhere in the background, so that a script can go on.
if [ -t 0 ] && [ -t 1 ]; then
  exec "$tfanime" web serve "$RUN/site" --port "${PORT:-0}"
fi
"$tfanime" web serve "$RUN/site" --port "${PORT:-0}" >"$RUN/serve.log" 2>&1 </dev/null &
server=$!
for _ in $(seq 100); do
  address=$(grep -o -m 1 'http://[^ ]*' "$RUN/serve.log") && break
  sleep 0.1
done
[ -n "$address" ] || { cat "$RUN/serve.log" >&2; exit 1; }
echo "$address (kill $server stops it)"
