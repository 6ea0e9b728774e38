// From tokens to items, what is negated, and which noun an adjective belongs to.

/**
 * @typedef {import("./table.js").Field} Field
 * @typedef {import("./lexer.js").Token} Token
 */

/** "no long blue hair": a head with what stands before it. */
export class Item {
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
export function itemsOf(tokens, fields) {
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
export function valueField(head, fields) {
  const found = fields.get(head?.entry.name ?? "");
  return found?.kind === "value" ? found : null;
}

// ---- what is negated -----------------------------------------------------------------------------

/** @param {Item[]} items */
export function negate(items) {
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
export function attach(items, fields) {
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
export function valuesOf({ entry: { values = {} } }, field) {
  if (field?.kind !== "group") return [];
  const found = Object.hasOwn(values, field.name) ? values[field.name] : (values[""] ?? []);
  return found.filter((value) => field.values.includes(value));
}
