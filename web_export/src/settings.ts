// What a picture is drawn from, and its two written forms: the address (#seed=7&hair=blue) and a
// JSON file. Both are checked to the last value before anything changes.

import * as check from "./check";
import type { Request } from "./generator";
import { columns, encode, type Field, type Row, sample, type Tag, type Tags, toSigned } from "./labels";
import { PICTURES, SEEDS } from "./latent.js";
import type { Manifest, Model } from "./manifest";

export interface Settings {
  model: string;
  seed: number;
  index: number;
  /** Drawing again keeps the seed. */
  keepSeed: boolean;
  /** Attributes that the visitor chose; the others are left to chance. */
  tags: Tags;
  /** Fine tuning: a number from -1 to 1 for single columns. */
  sliders: Record<string, number>;
  truncation: number;
  vary: { seed: number; strength: number };
  large: boolean;
}

export type View = "one" | "many" | "blend";
export type Path = "slerp" | "lerp";

export const FEWEST_FRAMES = 3;
export const MOST_FRAMES = 200;
export const FEWEST = 2;
export const MOST = 20;

/** What the page shows, beside the settings. */
export interface Scene {
  view: View;
  /** Of many. */
  count: number;
  frames: number;
  path: Path;
  /** The pictures that a transition joins. */
  ends: { from: Settings | null; to: Settings | null };
}

export const ONE: Scene = {
  view: "one",
  count: 8,
  frames: 24,
  path: "slerp",
  ends: { from: null, to: null },
};

export function freshSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000;
}

export function defaults(model: Model): Settings {
  return {
    model: model.name,
    seed: freshSeed(),
    index: 0,
    keepSeed: false,
    tags: {},
    sliders: {},
    truncation: 1,
    vary: { seed: 0, strength: 0 },
    large: false,
  };
}

export function toRequest(settings: Settings, fields: Field[], rows: Row[] | null): Request {
  const { seed, index, tags, truncation, sliders, vary } = settings;
  const request: Request = { seed, index, tags, truncation };
  if (vary.strength) request.vary = vary;
  if (Object.keys(sliders).length) {
    const row = toSigned(sample(seed, index, fields, tags, rows));
    request.labels = columns(fields).map(({ name }, i) => sliders[name] ?? row[i]);
  }
  return request;
}

/** Settings without what another model does not know. */
export function fitted(settings: Settings, model: Model): Settings {
  const tags = Object.entries(settings.tags).filter(([name, value]) => {
    try {
      encode({ [name]: value }, model.fields);
      return true;
    } catch {
      return false;
    }
  });
  const known = new Set(columns(model.fields).map(({ name }) => name));
  const sliders = Object.entries(settings.sliders).filter(([name]) => known.has(name));
  return {
    ...settings,
    model: model.name,
    tags: Object.fromEntries(tags),
    sliders: Object.fromEntries(sliders),
  };
}

/** A change that holds attributes, or with null leaves them to chance. Sliders of the same
 * attributes end: they would say something else. */
export function held(
  settings: Settings,
  fields: Field[],
  tags: Record<string, Tag | null>,
): Pick<Settings, "tags" | "sliders"> {
  const ended = new Set(
    columns(fields).filter(({ field }) => Object.hasOwn(tags, field.name)).map(({ name }) => name),
  );
  const all = Object.entries({ ...settings.tags, ...tags }).filter(([, tag]) => tag !== null);
  const sliders = Object.entries(settings.sliders).filter(([name]) => !ended.has(name));
  return { tags: Object.fromEntries(all) as Tags, sliders: Object.fromEntries(sliders) };
}

/** How nothing is tuned. */
export const PLAIN = { sliders: {}, truncation: 1, vary: { seed: 0, strength: 0 } };

export function tuned({ sliders, truncation, vary }: Settings): boolean {
  return truncation !== 1 || vary.strength > 0 || Object.keys(sliders).length > 0;
}

// ---- checking ----------------------------------------------------------------------------------

function read(json: check.Json, manifest: Manifest): Settings {
  const names = manifest.models.map(({ name }) => name);
  const name = json.model === undefined ? names[0] : check.oneOf(json.model, "model", names);
  const model = manifest.models.find((entry) => entry.name === name) as Model;
  const usual = defaults(model);
  const vary = check.object(json.vary ?? usual.vary, "vary");
  const tags = Object.fromEntries(Object.entries(check.object(json.tags ?? {}, "tags"))) as Tags;
  encode(tags, model.fields);
  const known = columns(model.fields).map((column) => column.name);
  const sliders = Object.entries(check.object(json.sliders ?? {}, "sliders")).map(([column, x]) => [
    check.oneOf(column, "A slider", known),
    check.number(x, column, -1, 1),
  ]);
  return {
    model: name,
    seed: check.whole(json.seed ?? usual.seed, "seed", 0, SEEDS),
    index: check.whole(json.index ?? 0, "index", 0, PICTURES),
    keepSeed: json.keepSeed === true,
    tags,
    sliders: Object.fromEntries(sliders),
    truncation: check.number(json.truncation ?? 1, "truncation", 0, 2),
    vary: {
      seed: check.whole(vary.seed, "vary.seed", 0, SEEDS),
      strength: check.number(vary.strength, "vary.strength", 0, 1),
    },
    large: json.large === true && manifest.upscalers.length > 0,
  };
}

// ---- JSON --------------------------------------------------------------------------------------

const LONGEST_FILE = 1_000_000;

export function toJson(settings: Settings): string {
  return `${JSON.stringify({ format: "tfanime-settings-1", ...settings }, null, 2)}\n`;
}

export function fromJson(source: string, manifest: Manifest): Settings {
  if (source.length > LONGEST_FILE) throw new check.Refused("The file is longer than a megabyte.");
  const json = check.object(check.parse(source, "The file"), "The file");
  check.oneOf(json.format, "format", ["tfanime-settings-1"]);
  return read(json, manifest);
}

// ---- address -----------------------------------------------------------------------------------

const SCENE = ["view", "count", "frames", "path", "from", "to"];
const RESERVED = ["model", "seed", "index", "truncation", "vary", "vary-seed", "large", ...SCENE];

function writeScene(parts: URLSearchParams, { view, count, frames, path, ends }: Scene, manifest: Manifest): void {
  if (view !== "one") parts.set("view", view);
  if (view === "many" && count !== ONE.count) parts.set("count", String(count));
  if (view !== "blend") return;
  if (frames !== ONE.frames) parts.set("frames", String(frames));
  if (path !== ONE.path) parts.set("path", path);
  for (const slot of ["from", "to"] as const) {
    const end = ends[slot];
    if (end) parts.set(slot, toHash(end, manifest).slice(1));
  }
}

export function toHash(settings: Settings, manifest: Manifest, scene = ONE): string {
  const parts = new URLSearchParams();
  writeScene(parts, scene, manifest);
  if (manifest.models.length > 1) parts.set("model", settings.model);
  parts.set("seed", String(settings.seed));
  if (settings.index) parts.set("index", String(settings.index));
  for (const [name, value] of Object.entries(settings.tags)) {
    parts.set(RESERVED.includes(name) ? `tag.${name}` : name, String(value));
  }
  for (const [name, value] of Object.entries(settings.sliders)) parts.set(`slider.${name}`, String(value));
  if (settings.truncation !== 1) parts.set("truncation", String(settings.truncation));
  if (settings.vary.strength) {
    parts.set("vary", String(settings.vary.strength));
    parts.set("vary-seed", String(settings.vary.seed));
  }
  if (settings.large) parts.set("large", "1");
  return `#${parts}`;
}

function numeric(text: string): number | string {
  return /^-?\d+(\.\d+)?(e-?\d+)?$/.test(text) ? Number(text) : text;
}

function tag(text: string, field: Field | undefined): Tag {
  if (field?.kind === "flag" && /^(true|1|yes|on)$/i.test(text)) return true;
  if (field?.kind === "flag" && /^(false|0|no|off)$/i.test(text)) return false;
  return field?.kind === "value" ? numeric(text) : text;
}

/** The settings that an address asks for, or null if it asks for none. */
export function fromHash(hash: string, manifest: Manifest): Settings | null {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  if (![...parts].length) return null;
  for (const name of new Set(parts.keys())) {
    const given = parts.getAll(name);
    if (given.length > 1) check.refuse(name, "given once in an address", given);
  }
  const fields = (manifest.models.find(({ name }) => name === parts.get("model")) ?? manifest.models[0]).fields;
  const json: check.Json = { keepSeed: false };
  const [tags, sliders]: [[string, Tag][], [string, unknown][]] = [[], []];
  for (const [name, text] of parts) {
    if (SCENE.includes(name)) continue;
    if (name === "model") json.model = text;
    else if (name === "large") json.large = text === "1" || text === "true";
    else if (name === "vary" || name === "vary-seed") {
      json.vary = {
        seed: numeric(parts.get("vary-seed") ?? "0"),
        strength: numeric(parts.get("vary") ?? "0"),
      };
    } else if (RESERVED.includes(name)) json[name] = numeric(text);
    else if (name.startsWith("slider.")) sliders.push([name.slice(7), numeric(text)]);
    else {
      const plain = name.replace(/^tag\./, "");
      tags.push([plain, tag(text, fields.find((field) => field.name === plain))]);
    }
  }
  return read({ ...json, tags: Object.fromEntries(tags), sliders: Object.fromEntries(sliders) }, manifest);
}

/** What an address shows. Its settings have been read before, for their model. */
export function sceneOf(hash: string, manifest: Manifest, model: string): Scene {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const whole = (name: "count" | "frames", low: number, high: number) =>
    check.whole(numeric(parts.get(name) ?? String(ONE[name])), name, low, high);
  const end = (slot: "from" | "to") => {
    const found = fromHash(parts.get(slot) ?? "", manifest);
    if (found && found.model !== model) check.refuse(slot, "a picture of the same model", found.model);
    return found;
  };
  return {
    view: check.oneOf(parts.get("view") ?? ONE.view, "view", ["one", "many", "blend"] as const),
    count: whole("count", FEWEST, MOST),
    frames: whole("frames", FEWEST_FRAMES, MOST_FRAMES),
    path: check.oneOf(parts.get("path") ?? ONE.path, "path", ["slerp", "lerp"] as const),
    ends: { from: end("from"), to: end("to") },
  };
}
