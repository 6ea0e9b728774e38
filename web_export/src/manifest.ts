// What `tfanime export web` wrote: tfanime.json, checked to the last number.

import * as check from "./check";
import { columns, type Field, readRows, readSchema, type Row } from "./labels";

export interface File {
  path: string;
  bytes: number;
  sha256: string;
}

interface Network {
  name: string;
  graph: string;
  precision: string;
  weightBytes: number;
  files: File[];
  output: string;
}

export interface Reference {
  latent: Float32Array<ArrayBuffer>;
  labels: Float32Array<ArrayBuffer> | null;
  picture: string;
  offset: number;
}

export interface Model extends Network {
  kind: "generator";
  latentDim: number;
  height: number;
  width: number;
  inputs: { latents: string; labels: string | null };
  fields: Field[];
  rows: Row[] | null;
  references: Reference[];
  tolerance: number;
  directions: Direction[];
  /** Of a model with styles: the graph's steps that make scales and shifts of the style, by the maps
   * that these change. */
  styles: Partial<Record<Group, string[]>>;
  /** The truncation below which it was measured to draw worse; null: not measured. */
  leastTruncation: number | null;
  card: string | null;
  /** What enlarges its pictures. */
  upscaler: Upscaler | null;
  /** What tells its broken pictures from whole ones. */
  chooser: Chooser | null;
  /** What tells latent and labels of a picture. */
  encoder: Looking | null;
  /** What posters are made with, of a model that knows genres. */
  poster: Kit | null;
}

export const GROUPS = ["coarse", "middle", "fine"] as const;
export type Group = (typeof GROUPS)[number];

/** Where in the latent space something changes, and what was measured to: names of the tagger's
 * columns, with the change of their probability that a step makes, the largest first. */
export interface Direction {
  name: string;
  vector: Float32Array<ArrayBuffer>;
  changes: [string, number][];
}

/** The table of words and genres, and the faces of type. */
export interface Kit {
  phrases: string;
  fonts: Record<string, string>;
  /** Genres of narrow capitals and a screen print. */
  loud: string[];
  files: File[];
}

/** A network that looks at pictures of the model's size. */
export interface Looking extends Network {
  inputs: { pictures: string };
}

export interface Upscaler extends Looking {
  kind: "upscaler";
  factor: number;
}

/** Broken is a picture with a score above the border. */
export interface Chooser extends Looking {
  border: number;
}

export interface Manifest {
  models: Model[];
  upscalers: Upscaler[];
}

const GIGABYTE = 2 ** 30;
const PATH = /^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/; // stays inside the folder: no "..", no "//", no ":"

function path(value: unknown, what: string): string {
  const found = check.text(value, what);
  if (!PATH.test(found)) check.refuse(what, "a relative path in the exported folder", value);
  return found;
}

function readFiles(json: check.Json, at: string): File[] {
  const files = check.list(json.files, `${at}.files`, 10_000).map((entry, i): File => {
    const file = check.object(entry, `${at}.files[${i}]`);
    const sha256 = check.text(file.sha256, `${at}.files[${i}].sha256`);
    if (!/^[0-9a-f]{64}$/.test(sha256)) {
      check.refuse(`${at}.files[${i}].sha256`, "64 hexadecimal digits", sha256);
    }
    return {
      path: path(file.path, `${at}.files[${i}].path`),
      bytes: check.whole(file.bytes, `${at}.files[${i}].bytes`, 0, GIGABYTE),
      sha256,
    };
  });
  if (files.reduce((sum, file) => sum + file.bytes, 0) > GIGABYTE) {
    throw new check.Refused(`${at}.files is larger than a gigabyte.`);
  }
  return files;
}

function readNetwork(json: check.Json, at: string): Network {
  const files = readFiles(json, at);
  const graph = path(json.graph, `${at}.graph`);
  if (!files.some((file) => file.path === graph)) check.refuse(`${at}.graph`, "a listed file", graph);
  return {
    name: check.text(json.name, `${at}.name`),
    graph,
    precision: check.text(json.precision, `${at}.precision`),
    weightBytes: check.whole(json.weightBytes, `${at}.weightBytes`, 0, GIGABYTE),
    files,
    output: check.text(json.output, `${at}.output`),
  };
}

function readFloats(value: unknown, what: string, count: number): Float32Array<ArrayBuffer> {
  const bytes = check.base64(value, what, 1_000_000);
  const floats = bytes.length === 4 * count ? new Float32Array(bytes.buffer) : null;
  if (!floats?.every(Number.isFinite)) {
    check.refuse(what, `${count} finite float32 numbers in base64`, value);
  }
  return floats;
}

function readModel(entry: unknown, at: string, upscalers: Upscaler[]): Model {
  const json = check.object(entry, at);
  const network = readNetwork(json, at);
  const fields = json.schema == null ? [] : readSchema(json.schema, `${at}.schema`);
  const latentDim = check.whole(json.latentDim, `${at}.latentDim`, 1, 65536);
  const inputs = check.object(json.inputs, `${at}.inputs`);
  const labelled = inputs.labels != null;
  if (labelled !== fields.length > 0) {
    check.refuse(`${at}.inputs.labels`, "given exactly if there is a schema", inputs.labels);
  }
  const width = columns(fields).length;
  const references = check.list(json.references, `${at}.references`, 100).map((found, i) => {
    const here = `${at}.references[${i}]`;
    const reference = check.object(found, here);
    const labels = labelled
      ? check.list(reference.labels, `${here}.labels`, width).map((x) => check.number(x, here, -1, 1))
      : null;
    if (labels && labels.length !== width) check.refuse(`${here}.labels`, `${width} numbers`, labels);
    return {
      latent: readFloats(reference.latent, `${here}.latent`, latentDim),
      labels: labels && Float32Array.from(labels),
      picture: path(reference.picture, `${here}.picture`),
      offset: check.whole(reference.offset ?? 0, `${here}.offset`, 0, GIGABYTE),
    };
  });
  if (!references.length) check.refuse(`${at}.references`, "one or more", references);
  return {
    ...network,
    kind: "generator",
    latentDim,
    height: check.whole(json.height, `${at}.height`, 1, 4096),
    width: check.whole(json.width, `${at}.width`, 1, 4096),
    inputs: {
      latents: check.text(inputs.latents, `${at}.inputs.latents`),
      labels: labelled ? check.text(inputs.labels, `${at}.inputs.labels`) : null,
    },
    fields,
    rows: fields.length ? readRows(json.schema, fields, `${at}.schema`) : null,
    references,
    tolerance: check.number(json.tolerance, `${at}.tolerance`, 0, 2),
    directions: readDirections(json.directions, `${at}.directions`, latentDim),
    styles: readStyles(json.styles, `${at}.styles`),
    leastTruncation:
      json.leastTruncation == null
        ? null
        : check.number(json.leastTruncation, `${at}.leastTruncation`, 0, 1),
    card: json.card == null ? null : path(json.card, `${at}.card`),
    upscaler: json.upscaler == null ? null : upscalerOf(json.upscaler, `${at}.upscaler`, upscalers),
    chooser: json.chooser == null ? null : readChooser(json.chooser, `${at}.chooser`),
    encoder: json.encoder == null ? null : readLooking(json.encoder, `${at}.encoder`),
    poster: json.poster == null ? null : readKit(json.poster, `${at}.poster`),
  };
}

function readDirections(value: unknown, at: string, latentDim: number): Direction[] {
  const found = check.list(value ?? [], at, 1000).map((entry, i): Direction => {
    const json = check.object(entry, `${at}[${i}]`);
    const changes = check.list(json.changes ?? [], `${at}[${i}].changes`, 1000).map((pair): [string, number] => {
      const [column, change] = check.list(pair, `${at}[${i}].changes`, 2);
      return [check.text(column, `${at}[${i}].changes`), check.number(change, `${at}[${i}].changes`, -1, 1)];
    });
    return {
      name: check.text(json.name, `${at}[${i}].name`),
      vector: readFloats(json.vector, `${at}[${i}].vector`, latentDim),
      changes,
    };
  });
  const names = found.map(({ name }) => name);
  if (new Set(names).size < names.length) check.refuse(at, "a list without repeated names", names);
  return found;
}

function readStyles(value: unknown, at: string): Model["styles"] {
  const json = check.object(value ?? {}, at);
  for (const group of Object.keys(json)) check.oneOf(group, at, GROUPS);
  const steps = (group: Group) =>
    check.list(json[group], `${at}.${group}`, 1000).map((step) => check.text(step, `${at}.${group}`, 1000));
  const there = GROUPS.filter((group) => Object.hasOwn(json, group));
  return Object.fromEntries(there.map((group) => [group, steps(group)]));
}

function readKit(value: unknown, at: string): Kit {
  const json = check.object(value, at);
  const files = readFiles(json, at);
  const listed = (name: unknown, what: string) => {
    const found = path(name, what);
    return files.some((file) => file.path === found) ? found : check.refuse(what, "a listed file", name);
  };
  const fonts = Object.entries(check.object(json.fonts, `${at}.fonts`)).map(([name, file]) => [
    name,
    listed(file, `${at}.fonts.${name}`),
  ]);
  return {
    phrases: listed(json.phrases, `${at}.phrases`),
    fonts: Object.fromEntries(fonts),
    loud: check.list(json.loud, `${at}.loud`, 100).map((name) => check.text(name, `${at}.loud`)),
    files,
  };
}

function upscalerOf(name: unknown, at: string, upscalers: Upscaler[]): Upscaler {
  const found = upscalers.find((entry) => entry.name === name);
  return found ?? check.refuse(at, "one of the upscalers", name);
}

function readLooking(entry: unknown, at: string): Looking {
  const json = check.object(entry, at);
  const inputs = check.object(json.inputs, `${at}.inputs`);
  return { ...readNetwork(json, at), inputs: { pictures: check.text(inputs.pictures, `${at}.inputs.pictures`) } };
}

function readChooser(entry: unknown, at: string): Chooser {
  const { border } = check.object(entry, at);
  return {
    ...readLooking(entry, at),
    border: check.number(border, `${at}.border`, -Number.MAX_VALUE, Number.MAX_VALUE),
  };
}

function readUpscaler(entry: unknown, at: string): Upscaler {
  const { factor } = check.object(entry, at);
  return { ...readLooking(entry, at), kind: "upscaler", factor: check.whole(factor, `${at}.factor`, 2, 8) };
}

export function readManifest(source: string): Manifest {
  const json = check.object(check.parse(source, "tfanime.json"), "tfanime.json");
  if (json.format !== 1) check.refuse("tfanime.json: format", "1", json.format);
  const found = check.list(json.upscalers ?? [], "upscalers", 1000);
  const upscalers = found.map((u, i) => readUpscaler(u, `upscalers[${i}]`));
  const models = check
    .list(json.models, "models", 1000)
    .map((m, i) => readModel(m, `models[${i}]`, upscalers));
  if (!models.length) check.refuse("models", "a list of one or more", json.models);
  return { models, upscalers };
}

/** What drawing with a model takes, with its upscaler if `large`. */
export function filesOf({ files, chooser, upscaler }: Model, large: boolean): File[] {
  return [...files, ...(chooser?.files ?? []), ...(large ? (upscaler?.files ?? []) : [])];
}

export async function fetchManifest(folder: URL): Promise<Manifest> {
  const answer = await fetch(new URL("tfanime.json", folder)).catch(() => null);
  if (!answer?.ok) {
    const reason = answer ? `the server answered ${answer.status}` : "the server cannot be reached";
    throw new check.Refused(`tfanime.json could not be loaded: ${reason}.`);
  }
  return readManifest(await answer.text());
}
