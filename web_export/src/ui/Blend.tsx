import { useEffect, useId, useState } from "react";
import { type Format, FORMATS } from "../formats";
import { FEWEST_FRAMES, MOST_FRAMES, type Path } from "../settings";
import type { Slot } from "../studio";
import { usePage, useWords } from "./context";
import { Face } from "./Face";
import { offer } from "./files";
import { Icon } from "./icons";
import { Slider } from "./inputs";

const MILLISECONDS = 60;
const FORMAT_NAMES: Record<Format, string> = { gif: "GIF", webp: "WebP", png: "APNG" };

export function Blend() {
  const { studio, state, say } = usePage();
  const { frames, path, blend, blending, ends } = state;
  const id = useId();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const [playing, setPlaying] = useState(!still);
  const [at, setAt] = useState(0);
  const [saving, setSaving] = useState(false);
  const last = blend.length - 1;
  const done = last + 1 === frames && !blending;

  useEffect(() => {
    if (!playing || !done) return;
    // As the saved files go: from the first to the last, and again.
    const timer = setInterval(() => setAt((now) => (now >= last ? 0 : now + 1)), MILLISECONDS);
    return () => clearInterval(timer);
  }, [playing, done, last]);

  const save = async (format: Format) => {
    setSaving(true);
    try {
      offer(await studio.animation(format, MILLISECONDS), `tfanime-transition.${format}`);
    } catch (error) {
      studio.tell("drawFailed", { reason: String(error) }, true);
    } finally {
      setSaving(false);
    }
  };
  const shown = blend[done ? Math.min(at, last) : last] ?? ends.from?.image;
  return (
    <>
      <div className="ends">
        <End slot="from" />
        <div className="frame small">
          {shown ? <Face image={shown} label={`${say("blend")} ${at + 1}`} /> : <p>{say("blendHint")}</p>}
        </div>
        <End slot="to" />
      </div>
      {blending && <progress aria-label={say("drawing")} value={blend.length} max={frames} />}
      {done && (
        <div className="player">
          <button
            type="button"
            className="round"
            aria-label={say(playing ? "pause" : "play")}
            onClick={() => setPlaying(!playing)}
          >
            <Icon name={playing ? "pause" : "play"} />
          </button>
          <input
            type="range"
            aria-label={say("frame")}
            min={0}
            max={last}
            value={Math.min(at, last)}
            onChange={(event) => {
              setPlaying(false);
              setAt(Number(event.target.value));
            }}
          />
        </div>
      )}
      <div className="pair blend-options">
        <Slider
          label={say("frames")}
          value={frames}
          least={FEWEST_FRAMES}
          most={MOST_FRAMES}
          step={1}
          onChange={(n) => studio.setBlend({ frames: n })}
        />
        <div className="box">
          <label htmlFor={id}>{say("method")}</label>
          <select
            id={id}
            value={path}
            onChange={(event) => studio.setBlend({ path: event.target.value as Path })}
          >
            <option value="slerp">{say("slerp")}</option>
            <option value="lerp">{say("lerp")}</option>
          </select>
        </div>
      </div>
      <div className="row">
        <button type="button" className="soft" onClick={() => studio.shufflePair()}>
          <Icon name="dice" /> {say("shuffle")}
        </button>
        {FORMATS.map((format) => (
          <button
            key={format}
            type="button"
            className="soft"
            disabled={!done || saving}
            onClick={() => save(format)}
          >
            <Icon name="save" /> {say("save", { format: FORMAT_NAMES[format] })}
          </button>
        ))}
      </div>
      <div className="sticky">
        {blending ? (
          <button type="button" className="main" onClick={() => studio.stop()}>
            <Icon name="stop" /> {say("stop")}
          </button>
        ) : (
          <button type="button" className="main" onClick={() => studio.drawBlend()}>
            <Icon name="spark" /> {say("makeBlend")}
          </button>
        )}
      </div>
    </>
  );
}

function End({ slot }: { slot: Slot }) {
  const { studio, state, say } = usePage();
  const words = useWords();
  const shot = state.ends[slot];
  const name = say("pick", { slot: say(slot) });
  return (
    <button
      type="button"
      className="tile end-tile"
      aria-pressed={state.slot === slot}
      aria-label={shot ? `${name} (${words(shot.tags)})` : name}
      onClick={() => studio.setBlend({ slot })}
    >
      {shot ? <Face image={shot.image} /> : <Icon name="dice" />}
      <span>{say(slot)}</span>
    </button>
  );
}
