import { useRef } from "react";
import type { Field } from "../labels";
import { placeOf } from "../moves";
import type { Settings } from "../settings";
import { phrase, word } from "../words";
import { usePage, useStill } from "./context";
import { useDrag } from "./drag";

/** Where on a face an attribute is changed: the first of these that the model knows. */
const PLACES = { hair: ["hair"], eyes: ["eyes"], mouth: ["smile", "open_mouth", "blush"] };
const REACH = 3; // values that a drag over the whole width passes
const KEYS: Record<string, number> = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };

/** Hair, eyes and mouth change under a finger that moves over them, or by the arrow keys. */
export function Zones() {
  const { studio } = useStill();
  const fields = studio.model?.fields ?? [];
  return (
    <>
      {Object.entries(PLACES).map(([place, names]) => {
        const field = names.map((name) => fields.find((one) => one.name === name)).find(Boolean);
        return field && <Zone key={place} place={place} field={field} />;
      })}
    </>
  );
}

function Zone({ place, field }: { place: string; field: Field }) {
  const { studio, state, language } = usePage("shot", "settings");
  const { shot } = state;
  const from = useRef(0);
  const asked = useRef<{ place: number; settings: Settings | null } | null>(null);
  /** Where the attribute stands, or will when what was asked for last is drawn. */
  const now = () => {
    const { shot: drawn, settings } = studio.state;
    if (asked.current?.settings === settings && asked.current) return asked.current.place;
    return drawn ? placeOf(field, drawn, studio.model?.fields ?? []) : 0;
  };
  const go = (place: number) => {
    studio.morph(field, place);
    asked.current = { place, settings: studio.state.settings };
  };
  const group = field.kind === "group";
  const drag = useDrag({
    start: () => {
      from.current = now();
    },
    move: (dx) => go(from.current + dx * (group ? REACH : 2)),
  });
  if (!shot) return null;
  const at = now();
  const text = group
    ? phrase(field, String(shot.tags[field.name]), language)
    : `${word(field.name, language)} ${Math.round(100 * at)} %`;
  return (
    <div
      {...drag}
      className={`zone ${place}`}
      role="slider"
      tabIndex={0}
      aria-label={word(field.name, language)}
      aria-valuemin={0}
      aria-valuemax={group ? field.values.length - 1 : 1}
      aria-valuenow={group ? field.values.indexOf(String(shot.tags[field.name])) : Math.round(at * 100) / 100}
      aria-valuetext={text}
      onKeyDown={(event) => {
        const step = KEYS[event.key];
        if (!step) return;
        event.preventDefault();
        const place = now();
        go(group ? Math.round(place) + step : Math.max(0, Math.min(1, place + step / 4)));
      }}
    >
      <span aria-hidden="true">↔ {word(field.name, language)}</span>
    </div>
  );
}
