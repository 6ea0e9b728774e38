import { memo, useId, useRef } from "react";
import { differing } from "../moves";
import { FEWEST_FRAMES, MOST_FRAMES, type Path } from "../settings";
import type { Shot, Slot } from "../state";
import { word } from "../words";
import { usePage, useWords } from "./context";
import { useDrag } from "./drag";
import { Face } from "./Face";
import { Player, useFilm } from "./Film";
import { Icon } from "./icons";
import { Slider } from "./inputs";
import { Keep } from "./Keep";

export const Blend = memo(function Blend() {
  const { studio, state, say } = usePage("frames", "path", "filming", "ends", "at", "shot");
  const { frames, path, filming, ends, at, shot } = state;
  const id = useId();
  const film = useFilm();
  const from = useRef(0);
  const drag = useDrag({
    start: () => {
      from.current = studio.state.at ?? 0;
    },
    move: (dx) => studio.mix(Math.max(0, Math.min(1, from.current + dx))),
  });
  const mixed = at === null ? null : (shot?.large ?? shot?.image);
  const shown = film.image ?? mixed ?? ends.from?.image;
  return (
    <>
      <div className="ends">
        <End slot="from" />
        <div className="frame small" {...(ends.from && ends.to ? drag : {})}>
          {shown ? <Face image={shown} label={`${say("blend")} ${film.at + 1}`} /> : <p>{say("blendHint")}</p>}
        </div>
        <End slot="to" />
      </div>
      <Player film={film} goal={frames} name="transition" />
      {ends.from && ends.to && <Mixture from={ends.from} to={ends.to} />}
      <div className="pair blend-options">
        <Slider
          label={say("frames")}
          value={frames}
          least={FEWEST_FRAMES}
          most={MOST_FRAMES}
          step={1}
          onChange={(n) => studio.set({ frames: n })}
        />
        <div className="box">
          <label htmlFor={id}>{say("method")}</label>
          <select
            id={id}
            value={path}
            onChange={(event) => studio.set({ path: event.target.value as Path })}
          >
            <option value="slerp">{say("slerp")}</option>
            <option value="lerp">{say("lerp")}</option>
          </select>
        </div>
      </div>
      <div className="row">
        <button type="button" className="soft" onClick={() => studio.films.shuffle()}>
          <Icon name="dice" /> {say("shuffle")}
        </button>
        {at !== null && <Keep />}
      </div>
      <div className="sticky">
        {filming === "drawing" ? (
          <button type="button" className="main" onClick={() => studio.stop()}>
            <Icon name="stop" /> {say("stop")}
          </button>
        ) : (
          <button type="button" className="main" onClick={() => studio.films.blend()}>
            <Icon name="spark" /> {say("makeBlend")}
          </button>
        )}
      </div>
    </>
  );
});

/** How much of each picture, and what stays as the first one has it. */
function Mixture({ from, to }: { from: Shot; to: Shot }) {
  const { studio, state, say, language } = usePage("at", "locks");
  const { at, locks } = state;
  const fields = differing(from, to, studio.model?.fields ?? []);
  const toggle = (name: string) =>
    studio.mix(at ?? 0.5, locks.includes(name) ? locks.filter((one) => one !== name) : [...locks, name]);
  return (
    <div className="mixture">
      <Slider
        label={say("mixture")}
        value={at ?? 0}
        least={0}
        most={1}
        step={0.01}
        digits={2}
        onChange={(t) => studio.mix(t)}
      />
      {fields.length > 0 && (
        <div className="chips" role="group" aria-label={say("stays")}>
          <span className="quiet">{say("stays")}</span>
          {fields.map(({ name }) => (
            <button key={name} type="button" aria-pressed={locks.includes(name)} onClick={() => toggle(name)}>
              <Icon name={locks.includes(name) ? "lock" : "unlock"} /> {word(name, language)}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function End({ slot }: { slot: Slot }) {
  const { studio, state, say } = usePage("ends", "slot");
  const words = useWords();
  const shot = state.ends[slot];
  const name = say("pick", { slot: say(slot) });
  return (
    <button
      type="button"
      className="tile end-tile"
      aria-pressed={state.slot === slot}
      aria-label={shot ? `${name} (${words(shot.tags)})` : name}
      onClick={() => studio.set({ slot })}
    >
      {shot ? <Face image={shot.image} /> : <Icon name="dice" />}
      <span>{say(slot)}</span>
    </button>
  );
}
