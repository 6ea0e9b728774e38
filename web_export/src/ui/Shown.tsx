import { columns, type Field } from "../labels";
import { PLAIN, tuned } from "../settings";
import { phrase, SWATCHES, word } from "../words";
import { described, usePage } from "./context";
import { Icon } from "./icons";

/** What chance and the visitor made of this face. A press keeps an attribute or lets it go. */
export function Shown() {
  const { studio, state, language, say } = usePage("shot", "settings", "manifest");
  const { shot, settings } = state;
  if (!shot || !settings || !studio.model) return null;
  const { fields } = studio.model;
  const all = columns(fields);
  const sliding = new Set(
    all.filter(({ name }) => Object.hasOwn(settings.sliders, name)).map(({ field }) => field.name),
  );
  // An attribute with sliders is what they make of it, such as gray and blue hair.
  const mixed = (field: Field) =>
    all.filter((column, i) => column.field === field && (shot.labels?.[i] ?? 0) > 0);
  return (
    <ul className="chips">
      {described(fields, shot.tags).map(({ field, value }) => {
        const kept = Object.hasOwn(settings.tags, field.name) || sliding.has(field.name);
        const parts = field.kind === "group" && sliding.has(field.name) ? mixed(field) : [];
        const name = (parts.length ? parts : [{ value }])
          .map((part) => phrase(field, part.value, language))
          .join(" + ");
        const number = field.kind === "value" ? ` ${Number(shot.tags[field.name]).toFixed(0)}` : "";
        return (
          <li key={field.name}>
            <button
              type="button"
              aria-pressed={kept}
              aria-label={`${name}${number}: ${say(kept ? "release" : "keep", { word: word(field.name, language) })}`}
              onClick={() => studio.hold({ [field.name]: kept ? null : shot.tags[field.name] })}
            >
              {value && SWATCHES[value] && <i style={{ background: SWATCHES[value] }} />}
              {name}
              {number}
            </button>
          </li>
        );
      })}
      {tuned(settings) && (
        <li>
          <button type="button" aria-label={say("tuned")} title={say("tuned")} onClick={() => studio.change(PLAIN)}>
            {say("advanced")} <Icon name="cross" />
          </button>
        </li>
      )}
    </ul>
  );
}
