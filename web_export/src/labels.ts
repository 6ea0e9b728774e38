// Label schemas: words to columns and back, as tfanime/core/labels.py. Rows are in 0/1 coding with NaN
// for "not known"; networks are fed the -1/+1 coding.

import * as check from "./check";
import { example, type Field, labels as draw } from "./latent.js";

export type { Field };
export type Tag = string | boolean | number;
export type Tags = Record<string, Tag>;
export type Row = Float32Array<ArrayBuffer>;

const MIDDLE = 1e-6;

export interface Column {
  name: string;
  field: Field;
  value: string | null;
}

export function columns(fields: Field[]): Column[] {
  return fields.flatMap((field): Column[] =>
    field.kind === "group"
      ? field.values.map((value) => ({ name: `${value}_${field.name}`, field, value }))
      : [{ name: field.name, field, value: null }],
  );
}

export function readSchema(stored: unknown, what: string): Field[] {
  const found = check.list(check.object(stored, what).fields, `${what}.fields`, 1000);
  const fields = found.map((entry, i): Field => {
    const at = `${what}.fields[${i}]`;
    const json = check.object(entry, at);
    const field: Field = {
      name: check.text(json.name, `${at}.name`),
      kind: check.oneOf(json.kind, `${at}.kind`, ["group", "flag", "value"] as const),
      values: check.list(json.values ?? [], `${at}.values`, 1000).map((v) => check.text(v, at)),
      frequencies: check
        .list(json.frequencies ?? [], `${at}.frequencies`, 1000)
        .map((p) => check.number(p, `${at}.frequencies`, 0, 1)),
      low: check.number(json.low ?? 0, `${at}.low`, -1e12, 1e12),
      high: check.number(json.high ?? 1, `${at}.high`, -1e12, 1e12),
    };
    if (field.kind === "group" && field.values.length < 2) {
      check.refuse(`${at}.values`, "two or more values", field.values);
    }
    const wanted = { group: field.values.length, flag: 1, value: 17 }[field.kind];
    if (field.frequencies.length && field.frequencies.length !== wanted) {
      check.refuse(`${at}.frequencies`, `empty or ${wanted} numbers`, field.frequencies);
    }
    if (field.kind === "group" && field.frequencies.length && !field.frequencies.some((p) => p)) {
      check.refuse(`${at}.frequencies`, "not all zero", field.frequencies);
    }
    if (!(field.low < field.high)) check.refuse(`${at}.low`, "smaller than high", field.low);
    return field;
  });
  const names = columns(fields).map((column) => column.name);
  if (new Set(names).size < names.length) {
    check.refuse(`${what}.fields`, "a list without repeated names", names);
  }
  return fields;
}

/** Whole rows of labels of the training set, stored as float16; null where there are none. */
export function readRows(stored: unknown, fields: Field[], what: string): Row[] | null {
  const value = check.object(stored, what).examples;
  if (value === undefined) return null;
  const at = `${what}.examples`;
  const width = columns(fields).length;
  const halves = check.base64(value, at, 1 << 24);
  const count = halves.length / 2 / width;
  if (!count || !Number.isInteger(count)) check.refuse(at, `rows of ${width} float16`, value);
  // All in one buffer, so that the worker gets a copy in one piece.
  const all = fromHalves(new Uint16Array(halves.buffer));
  for (let i = 0; i < all.length; i++) if (all[i] < 0 || all[i] > 1) check.refuse(at, "numbers from 0 to 1", all[i]);
  return Array.from({ length: count }, (_, row) => all.subarray(row * width, (row + 1) * width));
}

function fromHalves(halves: Uint16Array): Row {
  const found = new Float32Array(halves.length);
  const bits = new Uint32Array(found.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i];
    const rest = half & 0x7fff;
    if (rest < 0x0400) {
      found[i] = (half & 0x8000 ? -1 : 1) * rest * 2 ** -24; // zero, and what is too small for an exponent
    } else {
      // The exponent has 5 bits and counts from 15; here 8, from 127. All ones are infinity or NaN.
      bits[i] = ((half & 0x8000) << 16) | ((rest << 13) + (rest < 0x7c00 ? 0x38000000 : 0x70000000));
    }
  }
  return found;
}

/** One tag as the row's numbers, or a sentence about what it may be. */
function encodeOne(field: Field, given: unknown): number[] {
  if (field.kind === "group") {
    check.oneOf(given, field.name, field.values);
    return field.values.map((value) => (value === given ? 1 : 0));
  }
  if (field.kind === "flag") {
    if (typeof given !== "boolean") check.refuse(field.name, "true or false", given);
    return [given ? 1 : 0];
  }
  const known = check.number(given, field.name, field.low, field.high);
  return [Math.fround((known - field.low) / (field.high - field.low))];
}

export function encode(tags: Tags, fields: Field[]): number[] {
  for (const name of Object.keys(tags)) {
    if (!fields.some((field) => field.name === name)) {
      check.refuse("An attribute", `one of ${fields.map((f) => f.name).join(", ")}`, name);
    }
  }
  return fields.flatMap((field) => {
    if (Object.hasOwn(tags, field.name)) return encodeOne(field, tags[field.name]);
    return new Array<number>(field.kind === "group" ? field.values.length : 1).fill(NaN);
  });
}

/** A row back to words: the highest value of a group, a flag from one half on. */
export function decode(row: ArrayLike<number>, fields: Field[]): Tags {
  const tags: Tags = {};
  let start = 0;
  for (const field of fields) {
    if (field.kind === "group") {
      const part = Array.from(field.values, (_, i) => row[start + i]);
      tags[field.name] = field.values[part.indexOf(Math.max(...part))];
      start += field.values.length;
    } else {
      const x = row[start++];
      tags[field.name] =
        field.kind === "flag" ? x >= 0.5 : field.low + x * (field.high - field.low);
    }
  }
  return tags;
}

/** What `tags` says; the rest as one of `rows` has it, or drawn from the frequencies. */
export function sample(
  seed: number,
  index: number,
  fields: Field[],
  tags: Tags,
  rows: Row[] | null,
): number[] {
  const given = encode(tags, fields);
  const row = rows && example(seed, index, fields, rows, given);
  const drawn = draw(seed, index, fields);
  return given.map((x, i) => [x, row?.[i] ?? NaN].find((y) => !Number.isNaN(y)) ?? drawn[i]);
}

export function toSigned(row: ArrayLike<number>): Float32Array<ArrayBuffer> {
  // A value in the middle of its range is known: only "not known" is exactly 0.
  return Float32Array.from(row, (x) => 2 * Math.fround(x) - 1 || MIDDLE);
}

export function toUnsigned(row: ArrayLike<number>): number[] {
  return Array.from(row, (x) => (x + 1) / 2);
}
