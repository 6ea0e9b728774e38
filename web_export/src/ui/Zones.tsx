import { useRef } from "react";
import type { Field } from "../labels";
import type { Direction } from "../manifest";
import { FAR, placeOf, withMove } from "../moves";
import type { Settings } from "../settings";
import type { Shot } from "../state";
import type { Studio } from "../studio";
import type { Language } from "../text";
import { columnWord, phrase, word } from "../words";
import { usePage, useStill } from "./context";
import { useDrag } from "./drag";

/** Where on a face something is changed: the first of these that the model knows, as a direction of
 * its latents, else as an attribute. */
const PLACES = { hair: ["hair"], eyes: ["eyes"], mouth: ["smile", "open_mouth", "blush"] };
const KEYS: Record<string, number> = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };

/** What turns under a finger, or by the arrow keys. */
interface Dial {
  title: string;
  /** How much a drag over the whole width turns it. */
  reach: number;
  least: number;
  most: number;
  placeOf: (shot: Shot) => number;
  turn: (place: number) => void;
  /** Where an arrow key leads. */
  next: (place: number, step: number) => number;
  said: (shot: Shot, place: number) => { value: number; text: string };
}

function ofDirection({ name }: Direction, studio: Studio, language: Language): Dial {
  const title = columnWord(name, language);
  const inside = (far: number) => Math.max(-FAR, Math.min(FAR, Math.round(10 * far) / 10));
  return {
    title,
    reach: 2 * FAR,
    least: -FAR,
    most: FAR,
    placeOf: ({ settings }) => settings.move[name] ?? 0,
    turn: (far) => {
      const { settings } = studio.state;
      if (settings) studio.change(withMove(settings, name, inside(far)), true);
    },
    next: (far, step) => inside(far + step),
    said: (_, far) => ({ value: inside(far), text: `${title} ${inside(far)}` }),
  };
}

function ofField(field: Field, studio: Studio, language: Language): Dial {
  const title = word(field.name, language);
  const turning = { placeOf: (shot: Shot) => placeOf(field, shot, studio.model?.fields ?? []), least: 0, title };
  const turn = (place: number) => studio.morph(field, place);
  if (field.kind === "group") {
    return {
      ...turning,
      turn,
      reach: 3, // values
      most: field.values.length - 1,
      next: (place, step) => Math.round(place) + step,
      said: ({ tags }) => {
        const value = String(tags[field.name]);
        return { value: field.values.indexOf(value), text: phrase(field, value, language) };
      },
    };
  }
  return {
    ...turning,
    turn,
    reach: 2,
    most: 1,
    next: (place, step) => Math.max(0, Math.min(1, place + step / 4)),
    said: (_, at) => ({ value: Math.round(at * 100) / 100, text: `${title} ${Math.round(100 * at)} %` }),
  };
}

/** Hair, eyes and mouth change under a finger that moves over them, or by the arrow keys. */
export function Zones() {
  const { studio, language } = useStill();
  const { fields = [], directions = [] } = studio.model ?? {};
  const dialOf = (place: string, names: string[]): Dial | null => {
    for (const name of names) {
      const way = directions.find((one) => one.name === name);
      if (way) return ofDirection(way, studio, language);
      const field = fields.find((one) => one.name === name);
      if (field) return ofField(field, studio, language);
    }
    // Of a model without attributes: "blue_hair".
    const way = directions.find((one) => one.name.endsWith(`_${place}`));
    return way ? ofDirection(way, studio, language) : null;
  };
  return (
    <>
      {Object.entries(PLACES).map(([place, names]) => {
        const dial = dialOf(place, names);
        return dial && <Zone key={place} place={place} dial={dial} />;
      })}
    </>
  );
}

function Zone({ place, dial }: { place: string; dial: Dial }) {
  const { studio, state } = usePage("shot", "settings");
  const { shot } = state;
  const from = useRef(0);
  const asked = useRef<{ place: number; settings: Settings | null } | null>(null);
  /** Where it stands, or will when what was asked for last is drawn. */
  const now = () => {
    const { shot: drawn, settings } = studio.state;
    if (asked.current?.settings === settings && asked.current) return asked.current.place;
    return drawn ? dial.placeOf(drawn) : 0;
  };
  const go = (place: number) => {
    dial.turn(place);
    asked.current = { place, settings: studio.state.settings };
  };
  const drag = useDrag({
    start: () => {
      from.current = now();
    },
    move: (dx) => go(from.current + dx * dial.reach),
  });
  if (!shot) return null;
  const { value, text } = dial.said(shot, now());
  return (
    <div
      {...drag}
      className={`zone ${place}`}
      role="slider"
      tabIndex={0}
      aria-label={dial.title}
      aria-valuemin={dial.least}
      aria-valuemax={dial.most}
      aria-valuenow={value}
      aria-valuetext={text}
      onKeyDown={(event) => {
        const step = KEYS[event.key];
        if (!step) return;
        event.preventDefault();
        go(dial.next(now(), step));
      }}
    >
      <span aria-hidden="true">↔ {dial.title}</span>
    </div>
  );
}
