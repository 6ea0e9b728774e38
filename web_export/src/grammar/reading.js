// What items say of a schema.

import { valueField, valuesOf } from "./parser.js";

/**
 * @typedef {import("./table.js").Field} Field
 * @typedef {import("./lexer.js").Token} Token
 * @typedef {import("./parser.js").Item} Item
 * @typedef {object} Understood
 * @property {Record<string, string | boolean | number>} tags
 * @property {Record<string, string[]>} choices of a group the values that are left, of several
 * @property {string[]} unknown what says nothing about these attributes, as it was typed
 * @property {string} left the text without the words that do; what it is about may be read from it
 */

export class Reading {
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
export function unknownOf(tokens, shown) {
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

/**
 * What was typed and not used, with words such as "lonely", which say nothing of a face.
 * @param {Token[]} tokens
 * @param {string[]} shown
 */
export function leftOf(tokens, shown) {
  const left = tokens.filter(({ kind, used }) => kind === "unknown" || kind === "filler" || !used);
  return left.map(({ start, end }) => shown.slice(start, end).join("")).join(" ");
}
