// What the worker does for posters: its code comes when the first phrase is read.

import type { Generator } from "../generator";
import type { Field } from "../labels";
import type { Kit } from "../manifest";
import type { Request } from "../request";
import type { Style } from "./backdrop";
import { compose, type Made, manner, same } from "./compose";
import { cutOut, faults } from "./cutout";
import { type Reading, readPhrase, type Table, tagsOf } from "./phrases.js";
import { pngOf } from "./png";
import type { Words } from "./words";

/** Fetches a file of the exported folder. */
export type Fetch = (path: string) => Promise<Uint8Array<ArrayBuffer>>;

// ---- phrases -----------------------------------------------------------------------------------

export interface Read extends Reading {
  /** What the phrase asks of the model's attributes. */
  tags: Record<string, string | boolean>;
}

const tables = new Map<string, Table>();

/** The genres of a phrase, with their odds. */
export async function read(fetch: Fetch, phrases: string, text: string, fields: Field[]): Promise<Read> {
  const reading = readPhrase(text, await tableOf(fetch, phrases));
  return { ...reading, tags: tagsOf(reading, fields) };
}

async function tableOf(fetch: Fetch, phrases: string): Promise<Table> {
  const table = tables.get(phrases) ?? checked(JSON.parse(new TextDecoder().decode(await fetch(phrases))));
  tables.set(phrases, table);
  return table;
}

function checked(json: Table): Table {
  const { genres, frequencies, words } = json;
  const whole = (list: unknown) => Array.isArray(list) && list.length === genres.length;
  if (!Array.isArray(genres) || !whole(frequencies) || !Object.values(words ?? {}).every(whole)) {
    throw new Error("phrases.json is no table of words and genres. Export the folder again.");
  }
  return json;
}

// ---- posters -----------------------------------------------------------------------------------

export interface Wish extends Omit<Words, "about" | "figure" | "pick"> {
  draft: ImageData;
  figure: ImageData | null;
  phrase: string;
  /** What it is of, the first genre first; attributes of another kind may be among them. */
  genres: string[];
  seed: number;
  width: number;
  height: number;
  /** Dots per inch of a print. */
  dpi: number | null;
}

/** A poster to look at. */
export interface Sheet extends Omit<Made, "canvas"> {
  image: ImageBitmap;
}

/** Makes a draft larger; null where the model has no upscaler. */
export type Enlarge = ((draft: ImageData) => Promise<ImageData>) | null;

let last: { draft: ImageData; shown: ImageData } | null = null; // while somebody types, it stays

async function shownAs(draft: ImageData, enlarge: Enlarge): Promise<ImageData> {
  if (!enlarge) return draft;
  if (!last || !same(last.draft, draft)) last = { draft, shown: await enlarge(draft) };
  return last.shown;
}

async function made(fetch: Fetch, kit: Kit, wish: Wish, enlarge: Enlarge): Promise<Made> {
  const { genres } = await tableOf(fetch, kit.phrases);
  const usual = manner(wish.genres.filter((genre) => genres.includes(genre)), kit.loud, wish.draft);
  // Without a figure of its own, the poster shows that of the draft.
  let style: Style = wish.style === "auto" ? (enlarge && !wish.figure ? "paint" : usual.style) : wish.style;
  const face = wish.type === "auto" ? usual.face : wish.type;
  let shown = wish.draft;
  if (style === "paint") {
    try {
      shown = await shownAs(wish.draft, enlarge);
    } catch (error) {
      if (wish.style !== "auto") throw error;
      style = usual.style; // without a network, or in a browser that cannot draw it
    }
  }
  return compose({ ...wish, style, face, shown }, wish.width, wish.height, fetch, kit.fonts);
}

export async function poster(fetch: Fetch, kit: Kit, wish: Wish, enlarge: Enlarge): Promise<Sheet> {
  const { canvas, ...rest } = await made(fetch, kit, wish, enlarge);
  return { ...rest, image: canvas.transferToImageBitmap() };
}

export async function print(fetch: Fetch, kit: Kit, wish: Wish, enlarge: Enlarge): Promise<Blob> {
  return pngOf((await made(fetch, kit, wish, enlarge)).canvas, wish.dpi);
}

// ---- figures -----------------------------------------------------------------------------------

const FIGURES = 16; // whole ones, of which the best is taken

/** A face, cut out: of several the one that its image cuts off least. */
export async function figure(faces: Generator, request: Request): Promise<ImageData> {
  let [best, least]: [Request, number] = [request, Infinity];
  let index = -1;
  for (let i = 0; i < FIGURES; i++) {
    index = await faces.choose({ ...request, index: index + 1 });
    const { imageData, latent, labels } = await faces.generate({ ...request, index });
    const mark = faults(cutOut(imageData));
    if (mark < least) [best, least] = [{ latent, labels: labels ?? undefined }, mark];
  }
  const chosen = await faces.generate(best);
  const large = faces.model.upscaler ? await faces.upscale(chosen) : chosen.imageData;
  const { data, width, height } = cutOut(large);
  return new ImageData(data, width, height);
}
