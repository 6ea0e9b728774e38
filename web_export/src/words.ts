// Names of well-known attributes in four languages, and the way back: from a visitor's words to
// attributes. What a schema has beyond the table keeps its own name.

import table from "../../tfanime/sampling/words.json";
import { understand as read, type Understood } from "./grammar.js";
import { decode, type Field, sample, type Tag, type Tags } from "./labels";
import type { Language } from "./text";

export type { Understood };

type Named = Pick<Field, "name">;
type Entry = Partial<Record<Language, string>>;

const NAMES: Record<string, Entry> = { ...table.groups, ...table.values, ...table.kinds, ...table.flags };

/** Colours of the swatches: hair and eyes as people call them. */
export const SWATCHES: Record<string, string> = {
  blonde: "#f3d27a",
  brown: "#8a5a3c",
  black: "#2d2a33",
  blue: "#4f83e6",
  pink: "#f59ac0",
  purple: "#9566d6",
  green: "#4fae74",
  red: "#d9444d",
  silver: "#c3c9d6",
  white: "#fbfaf7",
  orange: "#f08a3c",
  aqua: "#5fd3d6",
  gray: "#8f919b",
  yellow: "#f2d34b",
};

/** The first that the table has for a name. */
export function word(name: string, language: Language): string {
  const found = Object.hasOwn(NAMES, name) ? NAMES[name][language] : undefined;
  return found?.split(",")[0] ?? name.replaceAll("_", " ");
}

// Where a language has another word for a value of this attribute: hair is not called brown as eyes are.
const OWN: Record<string, Entry> = { brown_hair: { ru: "каштановые" } };

/** A value as it stands with its attribute. */
export function shade(field: Named, value: string, language: Language): string {
  return OWN[`${value}_${field.name}`]?.[language] ?? word(value, language);
}

/** "blue hair", "青髪", "синие волосы", and "long hair" for a flag. */
export function phrase(field: Named, value: string | null, language: Language): string {
  if (value === null) return word(field.name, language);
  const between = language === "ja" || language === "zh" ? "" : " ";
  const parts = [shade(field, value, language), word(field.name, language)];
  // A value that does not describe its field as a colour does stands better with its field's name.
  if (!Object.hasOwn(SWATCHES, value)) return parts.reverse().join(": ");
  return parts.join(between);
}

/** A column of labels, of a model or of the tagger: "long hair" of `long_hair`, "red eyes" of `red_eyes`. */
export function columnWord(name: string, language: Language): string {
  const at = name.lastIndexOf("_");
  const [value, group] = [name.slice(0, at), name.slice(at + 1)];
  const both = !Object.hasOwn(NAMES, name) && Object.hasOwn(NAMES, group) && Object.hasOwn(NAMES, value);
  return both ? phrase({ name: group }, value, language) : word(name, language);
}

// ---- from words to attributes ---------------------------------------------------------------

/** What a text says of these attributes: "long blue hair, no hat or ribbon". */
export function understand(text: string, fields: Field[]): Understood {
  return read(text, fields, table);
}

/** Tags for what was understood. Where several values are left, of "no blue hair", that which
 * chance draws for this picture among them. */
export function settled({ tags, choices }: Understood, fields: Field[], seed: number, index: number): Tags {
  const narrowed = fields.map((field) => {
    if (!Object.hasOwn(choices, field.name)) return field;
    const left = field.values.map((value) => (choices[field.name].includes(value) ? 1 : 0));
    const known = left.map((here, i) => (field.frequencies[i] ?? 1) * here);
    return { ...field, frequencies: known.some((p) => p) ? known : left };
  });
  const drawn = decode(sample(seed, index, narrowed, {}, null), fields);
  const said = fields.flatMap(({ name }): [string, Tag][] => {
    if (Object.hasOwn(tags, name)) return [[name, tags[name]]];
    return Object.hasOwn(choices, name) ? [[name, drawn[name]]] : [];
  });
  return Object.fromEntries(said);
}
