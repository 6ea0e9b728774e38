// What each phrase of tfanime/sampling/words.json says, for one schema.

/**
 * @typedef {import("../latent.js").Field} Field
 * @typedef {Record<string, any>} Table tfanime/sampling/words.json
 * @typedef {{
 *   kind: string, name?: string, means?: string[], values?: Record<string, string[]>,
 *   shade?: boolean, alone?: boolean, part?: boolean, state?: boolean, person?: boolean,
 *   number?: string,
 * }} Entry
 * @typedef {[string, string | null]} Part
 */

const LANGUAGES = ["en", "ja", "zh", "ru"];
const PHRASE = 4; // words
const SIGN_PHRASE = 10;
/** @type {Record<string, string>} */
const PLAIN = { ё: "е", "’": "'", "‘": "'", "ʼ": "'", "`": "'" };

/**
 * @param {string[]} signs
 * @param {Table} table
 */
export function plain(signs, table) {
  return signs.map((sign) => {
    let low = sign.toLowerCase();
    if (Array.from(low).length !== 1) low = sign;
    low = Object.hasOwn(PLAIN, low) ? PLAIN[low] : low;
    return /** @type {string} */ (Object.hasOwn(table.same, low) ? table.same[low] : low);
  });
}

/** @param {string | undefined} sign */
export function ofSigns(sign) {
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
export class Lexicon {
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
