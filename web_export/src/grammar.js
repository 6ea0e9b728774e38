// From a line of words to attributes, in English, Japanese, Chinese and Russian: the twin of
// tfanime/sampling/words/, statement by statement, which explains it. Both read tfanime/sampling/words.json and are
// held to tests/words/golden.tsv.
//
// Plain JavaScript with its types in comments, because tests/words/twin.mjs runs this very file.

import { tokensOf } from "./grammar/lexer.js";
import { attach, itemsOf, negate } from "./grammar/parser.js";
import { leftOf, Reading, unknownOf } from "./grammar/reading.js";
import { Lexicon, plain } from "./grammar/table.js";

/**
 * @typedef {import("./latent.js").Field} Field
 * @typedef {import("./grammar/table.js").Table} Table
 * @typedef {import("./grammar/reading.js").Understood} Understood
 */

const LONGEST = 1000;

/**
 * The phrases for fields, made once, which takes longer than to read a text.
 * @type {WeakMap<Field[], Lexicon>}
 */
const lexicons = new WeakMap();

/**
 * The attributes that a text names.
 * @param {string} text
 * @param {Field[]} fields
 * @param {Table} table
 * @returns {Understood}
 */
export function understand(text, fields, table) {
  const known = new Map(fields.map((field) => [field.name, field]));
  const shown = Array.from(text.normalize("NFKC")).slice(0, LONGEST);
  const lexicon = lexicons.get(fields) ?? new Lexicon(known, table);
  lexicons.set(fields, lexicon);
  const tokens = tokensOf(plain(shown, table), lexicon);
  const items = itemsOf(tokens, known);
  negate(items);
  attach(items, known);
  const reading = new Reading(known);
  for (const item of items) reading.take(item);
  return { ...reading.result(), unknown: unknownOf(tokens, shown), left: leftOf(tokens, shown) };
}
