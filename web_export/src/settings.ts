// What a picture is drawn from, and its two written forms: the address (#seed=7&hair=blue) and a
// JSON file. Both are checked to the last value before anything changes.

import * as check from "./check";
import { columns, encode, type Field, type Row, sample, type Tag, type Tags, toSigned } from "./labels";
import { PICTURES, seedOf, SEEDS } from "./latent.js";
import { unpacked } from "./latents";
import { GROUPS, type Group, type Manifest, type Model } from "./manifest";
import { NO_WORDS, readWords, type Words, writeWords } from "./poster/words";
import { checkGroup, checkMove, checkSteps, eachStyle, type Move, type Request, type Step, type Styles } from "./request";

export interface Settings {
  model: string;
  seed: number;
  index: number;
  /** Instead of the seed's: the latent of a visitor's own picture. The seed still says which attributes
   * chance has picked. */
  latent: string | null;
  /** Drawing again keeps the seed. */
  keepSeed: boolean;
  /** Attributes that the visitor chose; the others are left to chance. */
  tags: Tags;
  /** Fine tuning: a number from -1 to 1 for single columns. */
  sliders: Record<string, number>;
  truncation: number;
  vary: Step[];
  /** How far along directions of the model. */
  move: Move;
  /** Of a model with styles: other pictures, whose styles single groups of maps have. Those have none of
   * others. */
  styles: Styles<Settings>;
  /** Enlarged by the model's upscaler, where it has one. */
  large: boolean;
}

export const VIEWS = ["one", "many", "blend", "explore", "poster"] as const;
export type View = (typeof VIEWS)[number];
export type Path = "slerp" | "lerp";
/** Between two pictures: a part of the way, or the groups of maps that have the second's style. */
export type Place = number | Group[];

export const FEWEST_FRAMES = 3;
export const MOST_FRAMES = 200;
export const FEWEST = 2;
export const MOST = 20;
export const MOST_RINGS = 1_000_000;
export const LEAST_SPREAD = 0.05;
export const MOST_SPREAD = 1;

/** What the page shows, beside the settings. */
export interface Scene {
  view: View;
  /** Of many. */
  count: number;
  frames: number;
  path: Path;
  /** The pictures that a transition joins. */
  ends: { from: Settings | null; to: Settings | null };
  /** Where between them; null where the picture is another. */
  at: Place | null;
  /** Attributes that stay as the first picture has them. */
  locks: string[];
  /** Of exploring: which eight, and how far away they are. */
  ring: number;
  spread: number;
  poster: Words;
}

/** The views that a model has. */
export function viewsOf(model: Model | null): readonly View[] {
  return VIEWS.filter((view) => view !== "poster" || model?.poster);
}

export const ONE: Scene = {
  view: "one",
  count: 8,
  frames: 24,
  path: "slerp",
  ends: { from: null, to: null },
  at: null,
  locks: [],
  ring: 0,
  spread: 0.3,
  poster: NO_WORDS,
};

export function freshSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000;
}

export function defaults(model: Model): Settings {
  return {
    model: model.name,
    seed: freshSeed(),
    index: 0,
    latent: null,
    keepSeed: false,
    tags: {},
    sliders: {},
    truncation: 1,
    vary: [],
    move: {},
    styles: {},
    large: true,
  };
}

export function toRequest(settings: Settings, fields: Field[], rows: Row[] | null): Request {
  const { seed, index, tags, truncation, sliders, vary, move, styles } = settings;
  const request: Request = { seed, index, tags, truncation, move };
  if (settings.latent !== null) request.latent = unpacked(settings.latent);
  if (vary.length) request.vary = vary;
  if (Object.keys(sliders).length) {
    const row = toSigned(sample(seed, index, fields, tags, rows));
    request.labels = columns(fields).map(({ name }, i) => sliders[name] ?? row[i]);
  }
  request.styles = eachStyle(styles, (one) => toRequest(one, fields, rows));
  return request;
}

/** What a file of the picture is called. */
export function nameOf({ model, seed, index, latent }: Settings): string {
  return [model, latent === null ? seed : "own", ...(index ? [index] : [])].join("-");
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
  const ways = new Set(model.directions.map(({ name }) => name));
  const move = Object.entries(settings.move).filter(([name]) => ways.has(name));
  const styles = Object.entries(settings.styles).filter(([group]) => Object.hasOwn(model.styles, group));
  return {
    ...settings,
    model: model.name,
    latent: null, // which is of the other model
    tags: Object.fromEntries(tags),
    sliders: Object.fromEntries(sliders),
    move: Object.fromEntries(move),
    styles: eachStyle(Object.fromEntries(styles) as Styles<Settings>, (one) => fitted(one, model)),
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
export const PLAIN = { sliders: {}, truncation: 1, vary: [], move: {}, styles: {} };

export function tuned({ sliders, truncation, vary, move, styles }: Settings): boolean {
  const away = vary.some(({ strength }) => strength) || Object.values(move).some((far) => far);
  return truncation !== 1 || away || Object.keys({ ...sliders, ...styles }).length > 0;
}

// ---- checking ----------------------------------------------------------------------------------

function read(json: check.Json, manifest: Manifest): Settings {
  const names = manifest.models.map(({ name }) => name);
  const name = json.model === undefined ? names[0] : check.oneOf(json.model, "model", names);
  const model = manifest.models.find((entry) => entry.name === name) as Model;
  const usual = defaults(model);
  const tags = Object.fromEntries(Object.entries(check.object(json.tags ?? {}, "tags"))) as Tags;
  encode(tags, model.fields);
  const known = columns(model.fields).map((column) => column.name);
  const sliders = Object.entries(check.object(json.sliders ?? {}, "sliders")).map(([column, x]) => [
    check.oneOf(column, "A slider", known),
    check.number(x, column, -1, 1),
  ]);
  const styles = Object.entries(check.object(json.styles ?? {}, "styles")).map(([group, one]) => {
    checkGroup(group, model);
    return [group, readStyle(check.object(one, `style.${group}`), `style.${group}`, name, manifest)];
  });
  return {
    model: name,
    seed: check.whole(json.seed ?? usual.seed, "seed", 0, SEEDS),
    index: check.whole(json.index ?? 0, "index", 0, PICTURES),
    latent: json.latent == null ? null : readLatent(json.latent, model),
    keepSeed: json.keepSeed === true,
    tags,
    sliders: Object.fromEntries(sliders),
    truncation: check.number(json.truncation ?? 1, "truncation", 0, 2),
    vary: checkSteps(json.vary ?? []),
    move: checkMove(json.move ?? {}, model.directions),
    styles: Object.fromEntries(styles),
    large: json.large !== false,
  };
}

function readLatent(given: unknown, { latentDim }: Model): string {
  const text = check.text(given, "latent", 100_000);
  if (unpacked(text).length !== latentDim) check.refuse("latent", `${latentDim} bytes in base64`, given);
  return text;
}

function readStyle(json: check.Json, what: string, model: string, manifest: Manifest): Settings {
  if (Object.keys(check.object(json.styles ?? {}, what)).length) {
    check.refuse(what, "a picture without styles of others", json.styles);
  }
  const found = read(json, manifest);
  return found.model === model ? found : check.refuse(what, "a picture of the same model", found.model);
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

const SCENE = ["view", "count", "frames", "path", "from", "to", "at", "locks", "ring", "spread", "poster"];
const RESERVED = ["model", "seed", "name", "index", "latent", "truncation", "vary", "vary-seed", "large", ...SCENE];
// What each view has of its own, beside the ends of a transition.
const OWN = {
  one: [],
  many: ["count"],
  blend: ["frames", "path", "at", "locks"],
  explore: ["ring", "spread"],
  poster: [],
} as const;

function writeScene(parts: URLSearchParams, scene: Scene, manifest: Manifest): void {
  const { view, ends } = scene;
  if (view !== "one") parts.set("view", view);
  for (const name of OWN[view]) {
    if (String(scene[name]) !== String(ONE[name])) parts.set(name, String(scene[name]));
  }
  const said = view === "poster" ? writeWords(scene.poster) : "";
  if (said) parts.set("poster", said);
  if (view !== "blend") return;
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
  if (settings.latent !== null) parts.set("latent", settings.latent);
  for (const [name, value] of Object.entries(settings.tags)) {
    parts.set(RESERVED.includes(name) ? `tag.${name}` : name, String(value));
  }
  for (const [name, value] of Object.entries(settings.sliders)) parts.set(`slider.${name}`, String(value));
  if (settings.truncation !== 1) parts.set("truncation", String(settings.truncation));
  const steps = settings.vary.filter(({ strength }) => strength);
  if (steps.length) {
    parts.set("vary", steps.map(({ strength }) => strength).join());
    parts.set("vary-seed", steps.map(({ seed, index }) => (index === null ? seed : `${seed}:${index}`)).join());
  }
  for (const [name, far] of Object.entries(settings.move)) if (far) parts.set(`move.${name}`, String(far));
  for (const group of GROUPS) {
    const other = settings.styles[group];
    if (other) parts.set(`style.${group}`, toHash(other, manifest).slice(1));
  }
  if (!settings.large) parts.set("large", "0");
  // A fragment may hold these signs as they are.
  return `#${parts}`.replaceAll("%2C", ",").replaceAll("%3A", ":");
}

/** "0.3,0.2" and "5,9:3": as many steps as the longer of the two says. */
function readSteps(strengths: string, seeds: string): unknown[] {
  const parts = [strengths, seeds].map((text) => (text ? text.split(",") : []));
  const count = Math.max(...parts.map(({ length }) => length));
  if (parts[1].length > 1 && parts[0].length !== parts[1].length) {
    check.refuse("vary-seed", "as many as vary has numbers, with commas between them", seeds);
  }
  return Array.from({ length: count }, (_, i) => {
    const [seed, index] = (parts[1][i] ?? "0").split(":");
    return {
      seed: numeric(seed),
      index: index === undefined ? null : numeric(index),
      strength: numeric(parts[0][i] ?? "0"),
    };
  });
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
  const tags: [string, Tag][] = [];
  const [sliders, move, styles]: [string, unknown][][] = [[], [], []];
  for (const [name, text] of parts) {
    if (SCENE.includes(name)) continue;
    if (name === "model" || name === "latent") json[name] = text;
    else if (name === "large") json.large = text === "1" || text === "true";
    else if (name === "name") {
      if (parts.has("seed")) check.refuse(name, "given instead of a seed", text);
      json.seed = seedOf(text);
    } else if (name === "vary" || name === "vary-seed") {
      json.vary = readSteps(parts.get("vary") ?? "", parts.get("vary-seed") ?? "");
    } else if (RESERVED.includes(name)) json[name] = numeric(text);
    else if (name.startsWith("slider.")) sliders.push([name.slice(7), numeric(text)]);
    else if (name.startsWith("move.")) move.push([name.slice(5), numeric(text)]);
    else if (name.startsWith("style.")) styles.push([name.slice(6), fromHash(text, manifest)]);
    else {
      const plain = name.replace(/^tag\./, "");
      tags.push([plain, tag(text, fields.find((field) => field.name === plain))]);
    }
  }
  const [held, slid, gone, had] = [tags, sliders, move, styles].map((pairs) => Object.fromEntries(pairs));
  return read({ ...json, tags: held, sliders: slid, move: gone, styles: had }, manifest);
}

/** "0.3", or "middle,fine" where the model has styles. */
function readPlace(text: string, model: Model): Place {
  const part = numeric(text);
  if (typeof part === "number" || !Object.keys(model.styles).length) return check.number(part, "at", 0, 1);
  return part.split(",").filter(Boolean).map((group) => checkGroup(group, model));
}

/** What an address shows. Its settings have been read before, for their model. */
export function sceneOf(hash: string, manifest: Manifest, model: Model): Scene {
  const { name, fields } = model;
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const given = (of: keyof Scene) => numeric(parts.get(of) ?? String(ONE[of]));
  const end = (slot: "from" | "to") => {
    const found = fromHash(parts.get(slot) ?? "", manifest);
    if (found && found.model !== name) check.refuse(slot, "a picture of the same model", found.model);
    return found;
  };
  const locks = parts.get("locks")?.split(",") ?? [];
  for (const lock of locks) check.oneOf(lock, "locks", fields.map((field) => field.name));
  return {
    view: check.oneOf(parts.get("view") ?? ONE.view, "view", viewsOf(model)),
    count: check.whole(given("count"), "count", FEWEST, MOST),
    frames: check.whole(given("frames"), "frames", FEWEST_FRAMES, MOST_FRAMES),
    path: check.oneOf(parts.get("path") ?? ONE.path, "path", ["slerp", "lerp"] as const),
    ends: { from: end("from"), to: end("to") },
    at: parts.has("at") ? readPlace(parts.get("at") ?? "", model) : null,
    locks,
    ring: check.whole(given("ring"), "ring", 0, MOST_RINGS),
    spread: check.number(given("spread"), "spread", LEAST_SPREAD, MOST_SPREAD),
    poster: readWords(parts.get("poster") ?? ""),
  };
}
