import { useEffect, useRef } from "react";
import { FEWEST, MOST } from "../settings";
import { usePage, useWords } from "./context";
import { Face } from "./Face";
import { Icon } from "./icons";
import { Slider } from "./inputs";

export function Many() {
  const { studio, state, say } = usePage();
  const words = useWords();
  const { many, count, endless, busy } = state;
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!endless || busy || !end.current) return;
    const watch = new IntersectionObserver(([seen]) => {
      if (seen.isIntersecting) void studio.drawMany(true);
    }, { rootMargin: "200px" });
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
            onChange={(n) => studio.setMany(n, false)}
          />
        )}
        <label className="switch">
          <input
            type="checkbox"
            checked={endless}
            onChange={(event) => studio.setMany(count, event.target.checked)}
          />
          {say("endless")}
        </label>
      </div>
      <ul className="grid">
        {many.map((shot) => (
          <li key={shot.id}>
            <button
              type="button"
              className="tile"
              aria-label={say("open", { index: shot.settings.index, words: words(shot.tags) })}
              onClick={() => studio.openOne(shot)}
            >
              <Face image={shot.image} />
            </button>
          </li>
        ))}
      </ul>
      <div ref={end} className="end" />
      <div className="sticky">
        {busy ? (
          <button type="button" className="main" onClick={() => studio.stop()}>
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
}
