// From a line of words to attributes, in English, Japanese, Chinese and Russian: the twin of
// tfanime/sampling/words.py, statement by statement, which explains it. Both read tfanime/sampling/words.json and are
// held to tests/words/golden.tsv.
//
// Plain JavaScript with its types in comments, because tests/words/twin.mjs runs this very file.

/**
 * @typedef {import("./latent.js").Field} Field
 * @typedef {Record<string, any>} Table tfanime/sampling/words.json
 * @typedef {{
 *   kind: string, name?: string, means?: string[], values?: Record<string, string[]>,
 *   shade?: boolean, alone?: boolean, part?: boolean, state?: boolean, person?: boolean,
 *   number?: string,
 * }} Entry
 * @typedef {{ kind: string, start: number, end: number, entry: Entry, used: boolean }} Token
 * @typedef {{ kind: string, start: number, end: number }} Piece
 * @typedef {[string, string | null]} Part
 * @typedef {object} Understood
 * @property {Record<string, string | boolean | number>} tags
 * @property {Record<string, string[]>} choices of a group the values that are left, of several
 * @property {string[]} unknown what says nothing about these attributes, as it was typed
 */

const LANGUAGES = ["en", "ja", "zh", "ru"];
const LONGEST = 1000;
const PHRASE = 4;
const SIGN_PHRASE = 10;
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
/** @type {Record<string, string>} */
const PLAIN = { ё: "е", "’": "'", "‘": "'", "ʼ": "'", "`": "'" };

/** "no long blue hair": a head with what stands before it. */
class Item {
  /** @param {string} link */
  constructor(link = "stop") {
    this.link = link;
    this.fresh = false;
    this.negations = 0;
    this.article = false;
    this.gap = false;
    this.after = false;
    this.simple = false;
    this.negated = false;
    /** @type {Token[]} */
    this.adjectives = [];
    /** @type {Token[]} */
    this.unknown = [];
    /** @type {Token | null} */
    this.head = null;
    /** @type {Token | null} */
    this.number = null;
    /** @type {string | null} */
    this.group = null;
    this.valued = false;
  }

  get full() {
    return Boolean(this.adjectives.length || this.unknown.length || this.head || this.number);
  }

  get bare() {
    return this.adjectives.length > 0 && !(this.head || this.unknown.length || this.number);
  }

  get form() {
    if (this.head?.kind === "set") return this.head.entry.state ? "state" : "thing";
    return "group";
  }
}

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
  const tokens = tokensOf(plain(shown, table), new Lexicon(known, table));
  const items = itemsOf(tokens, known);
  negate(items);
  attach(items, known);
  const reading = new Reading(known);
  for (const item of items) reading.take(item);
  return { ...reading.result(), unknown: unknownOf(tokens, shown) };
}

// ---- the table -----------------------------------------------------------------------------------

/**
 * @param {string[]} signs
 * @param {Table} table
 */
function plain(signs, table) {
  return signs.map((sign) => {
    let low = sign.toLowerCase();
    if (Array.from(low).length !== 1) low = sign;
    low = Object.hasOwn(PLAIN, low) ? PLAIN[low] : low;
    return /** @type {string} */ (Object.hasOwn(table.same, low) ? table.same[low] : low);
  });
}

/** @param {string | undefined} sign */
function ofSigns(sign) {
  if (sign === undefined) return false;
  const kana = sign >= "\u3041" && sign <= "\u30ff" && sign !== "・";
  return kana || (sign >= "\u3400" && sign <= "\u9fff") || sign === "々";
}

/**
 * @param {Record<string, string>} entry
 * @returns {string[]}
 */
function listed(entry) {
  const parts = LANGUAGES.flatMap((language) => (entry[language] ?? "").split(","));
  return parts.map((part) => part.trim()).filter(Boolean);
}

/**
 * @param {Record<string, string>} entry
 * @returns {Record<string, string[]>}
 */
function tint(entry) {
  const groups = ["hair", "eyes"].filter((name) => Object.hasOwn(entry, name));
  return Object.fromEntries(groups.map((name) => [name, entry[name].split(" ")]));
}

/** What each phrase says, for one schema. */
class Lexicon {
  /**
   * @param {Map<string, Field>} fields
   * @param {Table} table
   */
  constructor(fields, table) {
    this.table = table;
    /** @type {Map<string, Entry>} */
    this.phrases = new Map();
    /** @type {{ parts: Part[], weight: number, entry: Entry }[]} */
    this.stems = [];
    for (const [name, entry] of Object.entries(table.functions)) this.add(entry, { kind: name });
    for (const entry of table.shades) {
      this.add(entry, { kind: "adjective", shade: true, values: tint(entry) }, true);
    }
    for (const entry of table.lengths) {
      this.add(entry, { kind: "adjective", means: entry.means.split(" ") }, true);
    }
    for (const kind of ["values", "kinds"]) {
      for (const [name, entry] of Object.entries(table[kind])) {
        const has = [...fields.values()].some((f) => f.kind === "group" && f.values.includes(name));
        const means = { kind: "adjective", values: { "": [name] }, alone: kind === "kinds" };
        this.add(entry, means, true, !has);
      }
    }
    for (const entry of table.tints) {
      this.add(entry, { kind: "adjective", values: tint(entry) }, true);
    }
    for (const [name, entry] of Object.entries(table.groups)) {
      this.add(entry, { kind: "noun", name }, false, !fields.has(name));
    }
    const lengths = new Set(
      table.lengths.flatMap((/** @type {{ means: string }} */ { means }) =>
        means.split(" ").map((name) => name.replace(/^-/, "")),
      ),
    );
    for (const [name, entry] of Object.entries(table.flags)) {
      if (lengths.has(name)) continue;
      const means = { kind: "set", means: [name], part: table.hair_parts.includes(name) };
      this.add(entry, means, false, !fields.has(name));
    }
    for (const [kind, state] of /** @type {const} */ ([["forms", true], ["phrases", false]])) {
      for (const entry of table[kind]) {
        this.add(entry, { kind: "set", means: entry.means.split(" "), state });
      }
    }
    for (const entry of table.persons) {
      this.add(entry, { kind: "set", means: entry.means.split(" "), person: true });
    }
    for (const field of fields.values()) this.own(field);
  }

  /**
   * @param {Record<string, string>} words
   * @param {Entry} entry
   */
  add(words, entry, endings = false, weak = false) {
    for (const phrase of listed(words)) this.phrase(phrase, entry, endings, weak);
  }

  /**
   * @param {string} phrase
   * @param {Entry} entry
   */
  phrase(phrase, entry, endings = false, weak = false) {
    const signs = plain(Array.from(phrase.normalize("NFKC")), this.table);
    const text = signs.join("").replace(/[-_/]/g, " ");
    if (text.includes("*")) {
      const parts = text.split(" ").map((word) => {
        const star = word.indexOf("*");
        return /** @type {Part} */ (star < 0 ? [word, null] : [word.slice(0, star), word.slice(star + 1)]);
      });
      this.stems.push({ parts, weight: 100 * parts.length + signs.length, entry });
      return;
    }
    const forms = endings && ofSigns(signs.at(-1)) ? this.table.endings : [""];
    for (const ending of forms) {
      if (!(weak && this.phrases.has(text + ending))) this.phrases.set(text + ending, entry);
    }
  }

  /** @param {Field} field */
  own(field) {
    const { groups, values, kinds, flags } = this.table;
    if (field.kind === "group") {
      if (!Object.hasOwn(groups, field.name)) {
        this.phrase(field.name, { kind: "noun", name: field.name });
      }
      for (const value of field.values) {
        if (Object.hasOwn(values, value) || Object.hasOwn(kinds, value)) continue;
        this.phrase(value, { kind: "adjective", values: { "": [value] }, alone: true });
      }
    } else if (field.kind === "value") {
      this.phrase(field.name, { kind: "noun", name: field.name });
    } else if (field.kind === "flag" && !Object.hasOwn(flags, field.name)) {
      this.phrase(field.name, { kind: "set", means: [field.name] });
    }
  }

  /**
   * @param {string[]} words
   * @returns {[number, Entry] | null}
   */
  words(words) {
    for (let count = Math.min(PHRASE, words.length); count > 0; count--) {
      const some = words.slice(0, count);
      const found = this.phrases.get(some.join(" ")) ?? this.stem(some);
      if (found) return [count, found];
    }
    return null;
  }

  /**
   * @param {string[]} words
   * @returns {Entry | null}
   */
  stem(words) {
    let best = null;
    let heaviest = 0;
    for (const { parts, weight, entry } of this.stems) {
      if (weight <= heaviest || parts.length !== words.length) continue;
      if (words.every((word, i) => fits(word, parts[i]))) [best, heaviest] = [entry, weight];
    }
    return best;
  }

  /**
   * @param {string[]} text
   * @param {number} at
   * @returns {[number, Entry] | null}
   */
  signs(text, at) {
    for (let count = Math.min(SIGN_PHRASE, text.length - at); count > 0; count--) {
      const found = this.phrases.get(text.slice(at, at + count).join(""));
      if (found) return [count, found];
    }
    return null;
  }

  /**
   * What a misspelt word says, unless several are as near.
   * @param {string} word
   * @returns {Entry | null}
   */
  near(word) {
    const letters = Array.from(word);
    if (letters.length < 4) return null;
    /** @type {Entry | null} */
    let best = null;
    let nearest = 3;
    let tied = false;
    for (const [text, entry] of this.phrases) {
      const known = Array.from(text);
      if (known[0] !== letters[0] || known.length < 4 || text.includes(" ") || ofSigns(known[0])) {
        continue;
      }
      const distance = apart(letters, known);
      if (distance < nearest) [best, nearest, tied] = [entry, distance, false];
      else if (distance === nearest && best !== entry) tied = true;
    }
    return !tied && nearest <= (letters.length > 8 ? 2 : 1) ? best : null;
  }
}

/**
 * @param {string} word
 * @param {Part} part
 */
function fits(word, [start, end]) {
  if (end === null) return word === start;
  return word.length >= start.length + end.length && word.startsWith(start) && word.endsWith(end);
}

/**
 * @param {string[]} a
 * @param {string[]} b
 */
function apart(a, b) {
  if (Math.abs(a.length - b.length) > 2) return 3;
  if (a.length === 4) {
    const differing = b.length === 4 ? [0, 1, 2, 3].filter((i) => a[i] !== b[i]) : [];
    const [i, j] = differing;
    return differing.length === 2 && j - i === 1 && a[i] === b[j] && a[j] === b[i] ? 1 : 3;
  }
  const other = a.length === 5 ? 2 : 1;
  /** @type {number[]} */
  let older = [];
  let old = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      let cost = Math.min(
        row[j - 1] + 1,
        old[j] + 1,
        old[j - 1] + (a[i - 1] === b[j - 1] ? 0 : other),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, older[j - 2] + 1);
      }
      row.push(cost);
    }
    [older, old] = [old, row];
  }
  return Math.min(old[b.length], 3);
}

// ---- from characters to tokens -------------------------------------------------------------------

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
function tokensOf(text, lexicon) {
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

// ---- from tokens to items ------------------------------------------------------------------------

const LINKS = ["none", "is", "comma", "and", "or", "stop"];

class Builder {
  constructor() {
    /** @type {Item[]} */
    this.items = [];
    this.item = new Item();
  }

  /** @param {string} link */
  close(link = "none") {
    const { item, items } = this;
    if (item.full) {
      items.push(item);
      this.item = new Item(link);
      return;
    }
    if (["comma", "stop", "or", "and"].includes(link) && item.negations % 2 && items.length) {
      if (item.link === "none" || item.link === "is") items[items.length - 1].after = true;
      item.negations = 0;
    }
    if (LINKS.indexOf(link) > LINKS.indexOf(item.link)) item.link = link;
  }

  refresh() {
    this.close();
    this.item.fresh = true;
  }
}

/**
 * @param {Token[]} tokens
 * @param {Map<string, Field>} fields
 * @returns {Item[]}
 */
function itemsOf(tokens, fields) {
  const builder = new Builder();
  let wanting = false;
  for (const one of tokens) {
    const { item } = builder;
    const { kind, entry } = one;
    if (kind === "filler" || kind === "glue") {
      wanting ||= kind === "filler" && item.negations > 0 && !item.full;
      item.gap ||= kind === "filler";
    } else if (kind === "adjective") {
      if (item.head || item.unknown.length || item.number) builder.close();
      const { adjectives } = builder.item;
      if (adjectives.at(-1)?.entry.shade && entry.values) adjectives.pop();
      adjectives.push(one);
      builder.item.gap = false;
    } else if (kind === "noun" || kind === "set") {
      if (kind === "set" && entry.person && wanting && !item.full) {
        wanting = false;
        continue;
      }
      const free = entry.state && item.adjectives.length;
      const own = kind === "noun" || entry.part; // "short curly hair" is short
      const other = item.unknown.length && !(own && item.adjectives.length);
      if (item.head || other || item.number || free) builder.close();
      builder.item.head = one;
    } else if (kind === "unknown" || kind === "number") {
      if (kind === "number" && valueField(item.head, fields) && !item.number) {
        item.number = one;
        continue;
      }
      if (item.head || item.number || (item.gap && item.adjectives.length)) builder.close();
      if (kind === "number") {
        builder.close();
        builder.item.number = one;
      } else builder.item.unknown.push(one);
    } else if (kind === "no" || kind === "not") {
      if (item.full) builder.close();
      builder.item.negations++;
      builder.item.simple = kind === "no";
      wanting = false;
    } else if (kind === "after") {
      const target = item.full ? item : builder.items.at(-1);
      if (!target) continue;
      target.after = true;
      builder.refresh();
    } else if (kind === "article") {
      if (item.full) builder.close();
      builder.item.article = true;
    } else if (kind === "but" || kind === "with") builder.refresh();
    else if (kind === "break") builder.close("comma");
    else builder.close(kind);
  }
  builder.close("stop");
  return builder.items;
}

/**
 * @param {Token | null} head
 * @param {Map<string, Field>} fields
 * @returns {Field | null}
 */
function valueField(head, fields) {
  const found = fields.get(head?.entry.name ?? "");
  return found?.kind === "value" ? found : null;
}

// ---- what is negated -----------------------------------------------------------------------------

/** @param {Item[]} items */
function negate(items) {
  /** @type {Item | null} */
  let scope = null;
  items.forEach((item, i) => {
    if (item.fresh || ["stop", "none", "is"].includes(item.link)) scope = null;
    if (item.negations) {
      item.negated = item.negations % 2 === 1;
      scope = item.negated ? item : null;
    } else if (scope) {
      let same = item.form === scope.form;
      if (item.link === "and") same &&= !(scope.simple && item.article);
      else if (item.link === "comma") same &&= listEndsWithOr(items, i);
      else same = true;
      item.negated = same;
      scope = same ? scope : null;
    }
    if (!item.after) return;
    item.negated = true;
    for (let back = i; ["and", "or"].includes(items[back].link) && !items[back].fresh; ) {
      back--;
      if (items[back].form !== item.form || items[back].negations) break;
      items[back].negated = true;
    }
  });
}

/**
 * @param {Item[]} items
 * @param {number} i
 */
function listEndsWithOr(items, i) {
  for (const item of items.slice(i + 1)) {
    if (item.negations || item.fresh || item.form !== items[i].form) return false;
    if (item.link !== "comma") return item.link === "or";
  }
  return false;
}

// ---- which noun an adjective belongs to ----------------------------------------------------------

/**
 * @param {Item[]} items
 * @param {Map<string, Field>} fields
 */
function attach(items, fields) {
  for (const item of items) {
    if (item.head?.kind === "noun") item.group = item.head.entry.name ?? null;
    else if (item.head?.entry.part) item.group = "hair";
  }
  attachFollowing(items);
  for (let i = items.length - 2; i >= 0; i--) {
    const [item, following] = [items[i], items[i + 1]];
    if (following.fresh || following.group === null) continue;
    const joined = following.link === "and" || following.link === "or";
    const inList = following.link === "comma" && following.bare && !following.valued;
    if (item.bare && item.group === null && (joined || inList)) {
      if (describes(item, following.group, fields)) item.group = following.group;
    } else if (valueless(item) && isNoun(following) && joined) {
      share(following.valued ? items[i + 2] : following, item);
    }
  }
  for (let i = 0; i + 1 < items.length; i++) {
    const following = items[i + 1];
    const joined = following.link === "and" || following.link === "or";
    if (valueless(following) && joined && !following.fresh) share(items[i], following);
  }
}

/** @param {Item[]} items */
function attachFollowing(items) {
  items.forEach((item, i) => {
    const before = items[i - 1];
    if (!before || item.fresh || !item.adjectives.length) return;
    const direct = item.link === "none" || item.link === "is";
    if (item.bare) {
      if (direct && valueless(before)) {
        item.group = before.group;
        before.valued = item.valued = true;
      } else if (before.valued && before.bare && (item.link === "and" || item.link === "or")) {
        item.group = before.group;
        item.valued = true;
      }
      return;
    }
    const following = items[i + 1];
    if (direct && valueless(before) && isNoun(item) && following) {
      if (following.bare && (following.link === "none" || following.link === "is") && !following.fresh) {
        before.adjectives = item.adjectives;
        item.adjectives = [];
        return;
      }
    }
    if (direct && before.group === "hair" && item.group !== "hair") {
      before.adjectives = [...before.adjectives, ...item.adjectives.filter(({ entry }) => entry.means)];
      item.adjectives = item.adjectives.filter(({ entry }) => !entry.means);
    }
  });
}

/** @param {Item} item */
function isNoun(item) {
  return item.head?.kind === "noun";
}

/** @param {Item} item */
function valueless(item) {
  return isNoun(item) && !item.adjectives.length && !item.valued && !item.number;
}

/**
 * @param {Item} giver
 * @param {Item} taker
 */
function share(giver, taker) {
  const colours = giver.adjectives.filter(({ entry }) => entry.values);
  if (giver.group !== null && colours.length && !taker.negations) taker.adjectives = colours;
}

/**
 * @param {Item} item
 * @param {string} group
 * @param {Map<string, Field>} fields
 */
function describes(item, group, fields) {
  return item.adjectives.some(
    (one) => valuesOf(one, fields.get(group)).length || (group === "hair" && one.entry.means),
  );
}

/**
 * @param {Token} adjective
 * @param {Field | undefined} field
 * @returns {string[]}
 */
function valuesOf({ entry: { values = {} } }, field) {
  if (field?.kind !== "group") return [];
  const found = Object.hasOwn(values, field.name) ? values[field.name] : (values[""] ?? []);
  return found.filter((value) => field.values.includes(value));
}

// ---- what it says of a schema --------------------------------------------------------------------

class Reading {
  /** @param {Map<string, Field>} fields */
  constructor(fields) {
    this.fields = fields;
    /** @type {Map<string, boolean>} */
    this.flags = new Map();
    /** @type {Map<string, boolean>} */
    this.implied = new Map();
    /** @type {Map<string, string[]>} */
    this.wanted = new Map();
    /** @type {Map<string, string[]>} */
    this.excluded = new Map();
    /** @type {Map<string, number>} */
    this.numbers = new Map();
    /** @type {Set<string>} */
    this.order = new Set();
    /** @type {{ item: Item, one: Token, joined: boolean }[]} */
    this.later = [];
  }

  /** @param {Item} item */
  take(item) {
    for (const one of item.unknown) one.used = false;
    const { head } = item;
    if (item.number) return this.number(item, item.number);
    if (item.unknown.length && !head) {
      for (const one of item.adjectives) one.used = false;
      return;
    }
    const person = Boolean(head?.entry.person);
    let used = false;
    for (const one of item.adjectives) {
      if (one.entry.means) {
        one.used = (item.group === "hair" || !head) && this.means(one, item);
      } else if (item.group !== null) {
        one.used = this.colour(one, item, item.group);
      } else if (!head || person || one.entry.alone) {
        this.later.push({ item, one, joined: ["and", "or"].includes(item.link) && !item.fresh });
      } else one.used = false;
      used ||= one.used;
    }
    if (!head) return;
    if (head.kind === "set") {
      const known = this.means(head, item);
      head.used = known || (person && (head.entry.means ?? [])[0].startsWith("-"));
    } else head.used = used || item.valued;
  }

  /**
   * @param {Token} one
   * @param {Item} item
   */
  means(one, item) {
    let known = false;
    (one.entry.means ?? []).forEach((part, i) => {
      if (part.includes("=")) {
        const [name, value] = part.split("=");
        const field = this.fields.get(name);
        if (field?.kind !== "group" || !field.values.includes(value)) return;
        known = true;
        this.add(item.negated ? this.excluded : this.wanted, name, value);
        return;
      }
      const name = part.replace(/^-/, "");
      if (this.fields.get(name)?.kind !== "flag") return;
      known = true;
      const yes = !part.startsWith("-");
      if (i === 0) {
        this.order.add(name);
        this.flags.set(name, yes !== item.negated);
      } else if (!item.negated) {
        this.order.add(name);
        this.implied.set(name, yes);
      }
    });
    return known;
  }

  /**
   * @param {Token} one
   * @param {Item} item
   * @param {string} group
   */
  colour(one, item, group) {
    const values = valuesOf(one, this.fields.get(group));
    for (const value of values) this.add(item.negated ? this.excluded : this.wanted, group, value);
    return values.length > 0;
  }

  /**
   * @param {Map<string, string[]>} kept
   * @param {string} name
   * @param {string} value
   */
  add(kept, name, value) {
    this.order.add(name);
    const values = kept.get(name) ?? [];
    if (!values.includes(value)) kept.set(name, [...values, value]);
  }

  /**
   * @param {Item} item
   * @param {Token} one
   */
  number(item, one) {
    const field = valueField(item.head, this.fields);
    const number = Number(one.entry.number);
    if (!field || !(field.low <= number && number <= field.high) || item.negated) {
      one.used = false;
      if (item.head) item.head.used = false;
      return;
    }
    this.order.add(field.name);
    this.numbers.set(field.name, number);
  }

  /** Colours without a noun: of the first group that has them and is not decided. */
  looseColours() {
    /** @type {string | null} */
    let last = null;
    for (const { item, one, joined } of this.later) {
      if (joined && last !== null && this.colour(one, item, last)) continue;
      last = null;
      for (const field of this.fields.values()) {
        const values = valuesOf(one, field);
        const decided = this.wanted.get(field.name) ?? values;
        if (!values.length) continue;
        if (!item.negated && !values.some((value) => decided.includes(value))) continue;
        last = field.name;
        this.colour(one, item, last);
        break;
      }
      one.used = last !== null;
    }
  }

  /** @returns {Pick<Understood, "tags" | "choices">} */
  result() {
    this.looseColours();
    /** @type {[string, string | boolean | number][]} */
    const tags = [];
    /** @type {[string, string[]][]} */
    const choices = [];
    for (const name of this.order) {
      const flag = this.flags.get(name) ?? this.implied.get(name);
      const number = this.numbers.get(name);
      if (flag !== undefined) tags.push([name, flag]);
      else if (number !== undefined) tags.push([name, number]);
      else {
        const values = this.fields.get(name)?.values ?? [];
        const wanted = this.wanted.get(name) ?? values;
        const excluded = this.excluded.get(name) ?? [];
        const left = values.filter((value) => wanted.includes(value) && !excluded.includes(value));
        if (left.length === 1) tags.push([name, left[0]]);
        else if (left.length) choices.push([name, left]);
      }
    }
    return { tags: Object.fromEntries(tags), choices: Object.fromEntries(choices) };
  }
}

/**
 * What was typed and not used: neighbours together.
 * @param {Token[]} tokens
 * @param {string[]} shown
 */
function unknownOf(tokens, shown) {
  /** @type {[number, number][]} */
  const found = [];
  let near = false;
  for (const { kind, used, start, end } of tokens) {
    if (used && kind !== "unknown") {
      near &&= kind === "glue";
      continue;
    }
    if (near) found[found.length - 1][1] = end;
    else found.push([start, end]);
    near = true;
  }
  return found.map(([start, end]) => shown.slice(start, end).join(""));
}
