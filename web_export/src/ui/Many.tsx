import { memo, useEffect, useRef } from "react";
import { FEWEST, MOST } from "../settings";
import type { Shot } from "../state";
import { usePage, useStill, wordsOf } from "./context";
import { Tile } from "./Face";
import { Icon } from "./icons";
import { Slider } from "./inputs";

export const Many = memo(function Many() {
  const { studio, state, say } = usePage("many", "count", "endless", "busy");
  const { many, count, endless, busy } = state;
  const end = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!endless || busy || !end.current) return;
    // Of several that come together, the last holds.
    const watch = new IntersectionObserver((seen) => {
      if (seen[seen.length - 1].isIntersecting) void studio.sheet.draw(true);
    }, { root: list.current, rootMargin: "200px" });
    watch.observe(end.current);
    return () => watch.disconnect();
  }, [endless, busy, studio]);
  return (
    <>
      <div className="many-head">
        {!endless && (
          <Slider
            label={say("count")}
            value={count}
            least={FEWEST}
            most={MOST}
            step={1}
            onChange={(n) => studio.sheet.change(n, false)}
          />
        )}
        <label className="switch">
          <input
            type="checkbox"
            checked={endless}
            onChange={(event) => studio.sheet.change(count, event.target.checked)}
          />
          {say("endless")}
        </label>
      </div>
      {/* Endless pictures scroll by themselves, so that the looks stay where they are. */}
      <div ref={list} className={endless ? "listed endless" : "listed"} role="region" aria-label={say("many")} tabIndex={endless ? 0 : -1}>
        <ul className="grid">
          {many.map((shot) => (
            <Drawn key={shot.id} shot={shot} />
          ))}
        </ul>
        <div ref={end} className="end" />
      </div>
      <div className="sticky">
        {busy ? (
          <button type="button" className="main" onClick={() => studio.sheet.halt()}>
            <Icon name="stop" /> {say("stop")}
          </button>
        ) : (
          <button type="button" className="main" onClick={() => studio.again()}>
            <Icon name="spark" /> {say("drawAgain")}
          </button>
        )}
      </div>
    </>
  );
});

const Drawn = memo(function Drawn({ shot }: { shot: Shot }) {
  const page = useStill();
  return (
    <li>
      <button
        type="button"
        className="tile"
        aria-label={page.say("open", { index: shot.settings.index, words: wordsOf(page, shot.tags) })}
        onClick={() => page.studio.openOne(shot)}
      >
        <Tile image={shot.image} />
      </button>
    </li>
  );
});
