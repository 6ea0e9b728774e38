// From a phrase to genres: the twin of tfanime/sampling/phrases.py, statement by statement, which
// explains it. Both read tfanime/sampling/phrases.json; tests/words/test_phrases_twin.py holds them together.
//
// Plain JavaScript with its types in comments, because tests/words/phrases_twin.mjs runs this very file.

/**
 * @typedef {import("../latent.js").Field} Field
 * @typedef {{ genres: string[], frequencies: number[], words: Record<string, number[]> }} Table phrases.json
 * @typedef {object} Reading What a phrase says of genres.
 * @property {[string, number][]} odds each genre and its probability, the highest first
 * @property {string[]} chosen the genres to draw with
 * @property {string[]} known the words that say something, as they were typed
 * @property {string[]} unknown the others, less small words such as "the"
 */

const SMALL = new Set(
  (
    "a an the and or of in on at to for with by from under over near is are was be been has have his her " +
    "its their our my who that this these those it he she they we you as into out up down not no but so " +
    "all one two can will would about after before than then there what when which where while own must " +
    "also more him me some any each other only just very if do does did had between through during " +
    "against upon such may might could should how why"
  ).split(" "),
);
const LONGEST = 1000; // characters of a phrase that are read
const MOST = 3; // genres that a phrase is drawn with
const SURE = 0.5; // odds from which a genre is drawn beside the first
const TOLD = 6; // genres whose odds are said, besides those drawn with

/** An ending is taken off where as many letters or more are left.
 * @type {[string, number][]} */
const ENDINGS = [["ies", 3], ["ing", 4], ["ed", 4], ["es", 4], ["ly", 4], ["s", 4]];

/**
 * The genres of a phrase; of one without a word that is known, how frequent they are.
 * @param {string} text
 * @param {Table} table
 * @returns {Reading}
 */
export function readPhrase(text, table) {
  const { genres, frequencies, words } = table;
  /** @type {string[]} */
  const known = [];
  /** @type {string[]} */
  const unknown = [];
  /** @type {number[][]} */
  const rows = [];
  for (const word of wordsOf(text)) {
    if (SMALL.has(word)) continue;
    const root = stem(word);
    if (Object.hasOwn(words, root)) {
      known.push(word);
      rows.push(words[root]);
    } else unknown.push(word);
  }
  const tempered = 10 * Math.max(1, Math.sqrt(rows.length / 2));
  const raised = genres.map((_, i) => rows.reduce((sum, row) => sum + row[i], 0) / tempered);
  const odds = genres.map((_, i) => {
    const prior = Math.log(frequencies[i] / (1 - frequencies[i]));
    return 1 / (1 + Math.exp(-prior - raised[i]));
  });
  const order = genres.map((_, i) => i).sort((a, b) => odds[b] - odds[a]);
  const lifted = genres.map((_, i) => raised[i] + Math.log(odds[i]) / 3);
  const first = lifted.indexOf(Math.max(...lifted));
  const likely = order.filter((i) => raised[i] > 0 && odds[i] >= SURE);
  const chosen = rows.length ? [...new Set([first, ...likely])].slice(0, MOST) : [];
  return {
    odds: order.map((i) => [genres[i], odds[i]]),
    chosen: chosen.map((i) => genres[i]),
    known,
    unknown,
  };
}

/**
 * What a phrase asks of a schema: its genres, none of the others, and anime rather than another medium.
 * @param {Reading} reading
 * @param {Field[]} fields
 * @returns {Record<string, string | boolean>}
 */
export function tagsOf({ odds, chosen }, fields) {
  if (!chosen.length) return {};
  const genres = new Set(odds.map(([genre]) => genre));
  /** @type {Record<string, string | boolean>} */
  const tags = {};
  for (const { name } of fields) if (genres.has(name)) tags[name] = chosen.includes(name);
  const medium = fields.find(({ name }) => name === "medium");
  if (medium?.values.includes("anime")) tags.medium = "anime";
  return tags;
}

/**
 * The odds worth saying: the highest ones, and those of the genres drawn with.
 * @param {Reading} reading
 */
export function told({ odds, chosen }) {
  return odds.filter(([genre], i) => i < TOLD || chosen.includes(genre));
}

/**
 * The words of a text in small letters, each once, in its order.
 * @param {string} text
 */
function wordsOf(text) {
  const shown = Array.from(text).slice(0, LONGEST).join("").toLowerCase().replaceAll("’", "'");
  const found = shown.match(/[a-z]+(?:'[a-z]+)?/g) ?? [];
  return new Set(found.filter((word) => word.length > 1).map((word) => word.replace(/'s$/, "")));
}

/**
 * A word without its ending: "swords" is "sword", "swordsmen" is not "swordsman".
 * @param {string} word
 */
function stem(word) {
  for (const [ending, left] of ENDINGS) {
    if (!word.endsWith(ending) || word.length - ending.length < left) continue;
    const bare = word.slice(0, -ending.length);
    return ending === "ies" ? `${bare}y` : bare;
  }
  return word;
}
