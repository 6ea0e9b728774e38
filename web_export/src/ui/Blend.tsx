import { memo, useId, useRef } from "react";
import { GROUPS } from "../manifest";
import { differing } from "../moves";
import { FEWEST_FRAMES, MOST_FRAMES, type Path, type Place } from "../settings";
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
      from.current = partOf(studio.state.at);
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

/** The part of the way: none where only styles are mixed. */
function partOf(at: Place | null): number {
  return typeof at === "number" ? at : 0;
}

/** How much of each picture, and what stays as the first one has it; or, of a model with styles, which
 * of them are the second's. */
function Mixture({ from, to }: { from: Shot; to: Shot }) {
  const { studio, state, say, language } = usePage("at", "locks");
  const { at, locks } = state;
  const fields = differing(from, to, studio.model?.fields ?? []);
  const groups = GROUPS.filter((group) => studio.model?.styles[group]);
  const mixed = Array.isArray(at) ? at : [];
  const part = typeof at === "number" ? at : 0.5;
  const toggle = (name: string) =>
    studio.mix(part, locks.includes(name) ? locks.filter((one) => one !== name) : [...locks, name]);
  return (
    <div className="mixture">
      <Slider
        label={say("mixture")}
        value={partOf(at)}
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
      {groups.length > 0 && (
        <div className="chips" role="group" aria-label={say("styles")}>
          <span className="quiet">{say("styles")}</span>
          {groups.map((group) => (
            <button
              key={group}
              type="button"
              aria-pressed={mixed.includes(group)}
              onClick={() => studio.mix(groups.filter((one) => (one === group) !== mixed.includes(one)))}
            >
              {say(group)}
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
