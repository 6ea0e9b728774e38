// What the worker does for posters: its code comes when the first phrase is read.

import type { Field } from "../labels";
import { type Reading, readPhrase, type Table, tagsOf } from "./phrases.js";

/** Fetches a file of the exported folder. */
export type Fetch = (path: string) => Promise<Uint8Array<ArrayBuffer>>;

export interface Read extends Reading {
  /** What the phrase asks of the model's attributes. */
  tags: Record<string, string | boolean>;
}

const tables = new Map<string, Table>();

/** The genres of a phrase, with their odds. */
export async function read(fetch: Fetch, phrases: string, text: string, fields: Field[]): Promise<Read> {
  const table = tables.get(phrases) ?? checked(JSON.parse(new TextDecoder().decode(await fetch(phrases))));
  tables.set(phrases, table);
  const reading = readPhrase(text, table);
  return { ...reading, tags: tagsOf(reading, fields) };
}

function checked(json: Table): Table {
  const { genres, frequencies, words } = json;
  const whole = (list: unknown) => Array.isArray(list) && list.length === genres.length;
  if (!Array.isArray(genres) || !whole(frequencies) || !Object.values(words ?? {}).every(whole)) {
    throw new Error("phrases.json is no table of words and genres. Export the folder again.");
  }
  return json;
}
