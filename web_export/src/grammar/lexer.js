// From characters to tokens.

import { ofSigns } from "./table.js";

/**
 * @typedef {import("./table.js").Entry} Entry
 * @typedef {import("./table.js").Lexicon} Lexicon
 * @typedef {{ kind: string, start: number, end: number, entry: Entry, used: boolean }} Token
 * @typedef {{ kind: string, start: number, end: number }} Piece
 */

const PHRASE = 4; // words
const PARTICLES = "のをがはでとに";

/** @type {Map<string, string>} */
const SIGNS = new Map();
for (const [signs, kind] of [
  [",;、；，", "comma"],
  [".!?。\n", "stop"],
  [":=：＝", "is"],
  ["&+", "and"],
  ["/|", "or"],
]) {
  for (const sign of signs) SIGNS.set(sign, kind);
}

/**
 * @param {string} kind
 * @param {number} start
 * @param {number} end
 * @param {Entry} entry
 * @returns {Token}
 */
function token(kind, start, end, entry = { kind }) {
  return { kind, start, end, entry, used: true };
}

/**
 * @param {string[]} text
 * @param {Lexicon} lexicon
 * @returns {Token[]}
 */
export function tokensOf(text, lexicon) {
  const tokens = [];
  const pieces = piecesOf(text);
  for (let at = 0; at < pieces.length; ) {
    const { kind, start, end } = pieces[at];
    if (kind === "word") {
      let stop = at;
      while (stop < Math.min(at + PHRASE, pieces.length) && pieces[stop].kind === "word") stop++;
      const [count, found] = wordTokens(text, pieces.slice(at, stop), lexicon);
      tokens.push(...found);
      at += count;
      continue;
    }
    if (kind === "signs") tokens.push(...signTokens(text, start, end, lexicon));
    else tokens.push(token(kind, start, end, { kind, number: text.slice(start, end).join("") }));
    at++;
  }
  return tokens;
}

/**
 * @param {string[]} text
 * @returns {Piece[]}
 */
function piecesOf(text) {
  /** @type {Piece[]} */
  const found = [];
  const alphanumeric = (/** @type {string} */ sign) => /^[\p{L}\p{N}]$/u.test(sign);
  for (let at = 0, end = 0; at < text.length; at = end) {
    const number = /^-?[0-9]+(\.[0-9]+)?(?![0-9a-zа-я'])/.exec(text.slice(at).join(""));
    const free = text[at] !== "-" || at === 0 || text[at - 1] === " " || text[at - 1] === "=";
    const sign = SIGNS.get(text[at]);
    end = at + 1;
    if (number && free) {
      end = at + number[0].length;
      found.push({ kind: "number", start: at, end });
    } else if (sign) {
      found.push({ kind: sign, start: at, end });
    } else if (ofSigns(text[at])) {
      while (end < text.length && ofSigns(text[end])) end++;
      found.push({ kind: "signs", start: at, end });
    } else if (alphanumeric(text[at])) {
      while (end < text.length && (alphanumeric(text[end]) || text[end] === "'") && !ofSigns(text[end])) {
        end++;
      }
      found.push({ kind: "word", start: at, end });
    }
  }
  return found;
}

/**
 * How many words were read, and their tokens.
 * @param {string[]} text
 * @param {Piece[]} pieces
 * @param {Lexicon} lexicon
 * @returns {[number, Token[]]}
 */
function wordTokens(text, pieces, lexicon) {
  const words = pieces.map(({ start, end }) => text.slice(start, end).join(""));
  const [{ start, end }] = pieces;
  const [word] = words;
  const found = lexicon.words(words);
  const parts = lexicon.phrases.has(word) ? [] : compound(word, start, end, lexicon);
  if (parts.length && (!found || found[0] === 1)) return [1, parts];
  if (found) {
    const [count, entry] = found;
    return [count, [token(entry.kind, start, pieces[count - 1].end, entry)]];
  }
  if (word.endsWith("n't")) return [1, [token("not", start, end)]];
  if (word.endsWith("s")) {
    const entry = lexicon.phrases.get(word.slice(0, -1).replace(/'+$/, ""));
    if (entry) return [1, [token(entry.kind, start, end, entry)]];
  }
  const entry = lexicon.near(word);
  return [1, [entry ? token(entry.kind, start, end, entry) : token("unknown", start, end)]];
}

/**
 * @param {string} word
 * @param {number} start
 * @param {number} end
 * @param {Lexicon} lexicon
 * @returns {Token[]}
 */
function compound(word, start, end, lexicon) {
  for (const split of /** @type {string[]} */ (lexicon.table.splits)) {
    const noun = split.replace(/\*+$/, "");
    const place = word.indexOf(noun);
    if (place < 3 || (noun === split && !word.endsWith(noun))) continue;
    const left = lexicon.words([word.slice(0, place)]);
    const right = lexicon.words([word.slice(place)]);
    if (!left || !right) continue;
    const middle = start + Array.from(word.slice(0, place)).length;
    return [token(left[1].kind, start, middle, left[1]), token(right[1].kind, middle, end, right[1])];
  }
  return [];
}

/**
 * @param {string[]} text
 * @param {number} start
 * @param {number} end
 * @param {Lexicon} lexicon
 * @returns {Token[]}
 */
function signTokens(text, start, end, lexicon) {
  const tokens = [];
  const run = text.slice(0, end);
  /** @type {number | null} */
  let unknown = null;
  for (let at = start; at < end; ) {
    let found = lexicon.signs(run, at);
    if (found && unknown !== null && found[0] === 1 && run[at] >= "\u3041" && run[at] <= "\u309f") {
      found = PARTICLES.includes(run[at]) ? found : null;
    }
    if (!found) {
      unknown ??= at;
      at++;
      continue;
    }
    if (unknown !== null) tokens.push(token("unknown", unknown, at));
    unknown = null;
    const [count, entry] = found;
    tokens.push(token(entry.kind, at, at + count, entry));
    at += count;
  }
  if (unknown !== null) tokens.push(token("unknown", unknown, end));
  return tokens;
}
