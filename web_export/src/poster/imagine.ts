// From a phrase to drafts, as `tfanime imagine` draws them, and what a poster of one of them is.

import type { Field, Tags } from "../labels";
import type { Model } from "../manifest";
import { freshSeed, held } from "../settings";
import type { Shot } from "../state";
import type { Studio } from "../studio";
import { settled, understand } from "../words";
import type { Words } from "./words";
import type { Read, Wish } from "./works";

export interface Answer extends Omit<Read, "tags"> {
  /** What is drawn: the genres of the phrase, and attributes that it names. */
  tags: Tags;
}

/** How a phrase is read: what it names as attributes is taken at its word, the rest says genres. */
export async function readAs(studio: Studio, text: string, seed: number): Promise<Answer | null> {
  const { model } = studio;
  if (!model?.poster) return null;
  const { fields, poster } = model;
  const words = understand(text, fields);
  const named = Object.keys({ ...words.tags, ...words.choices }).length > 0;
  const left = named ? words.left : text;
  const read = await studio.engine.call("read", studio.folder.href, poster, left, fields);
  return { ...read, tags: { ...read.tags, ...settled(words, fields, seed, 0) } };
}

/** Draws drafts of a phrase: pictures 0 to 7 of a new seed, or of the one that is kept. */
export async function imagine(studio: Studio, text: string): Promise<Answer | null> {
  const { settings } = studio.state;
  if (!settings) return null;
  const seed = settings.keepSeed ? settings.seed : freshSeed();
  const answer = await readAs(studio, text, seed);
  if (!answer || !Object.keys(answer.tags).length) return answer;
  const now = studio.state.settings ?? settings;
  const tags = held(now, studio.model?.fields ?? [], answer.tags);
  const poster = { ...studio.state.poster, about: text, pick: null };
  studio.set({ settings: { ...now, ...tags, seed, index: 0, latent: null }, poster });
  if (!settings.keepSeed) studio.choosing.fresh = seed;
  studio.look("poster");
  return answer;
}

// ---- the poster --------------------------------------------------------------------------------

export const SCREEN = { width: 1000, height: 1500, dpi: null };
const INCH = 25.4; // millimetres
const DPI = 200; // sharp at arm's length
const A3 = { width: 297, height: 420 }; // millimetres
export const PRINT = {
  width: Math.round((A3.width / INCH) * DPI),
  height: Math.round((A3.height / INCH) * DPI),
  dpi: DPI,
};

/** What it says at the top: without a title, the phrase. */
export function titleOf({ title, about }: Words): string {
  if (title.trim()) return title.trim().replaceAll(/\s+/g, " ");
  const words = about.trim().split(/\s+/).slice(0, 8).filter(Boolean);
  return words.map((word) => word[0].toUpperCase() + word.slice(1)).join(" ").slice(0, 120);
}

export function wishFor(
  words: Words,
  draft: Shot,
  genre: string | null,
  figure: ImageData | null,
  size: Pick<Wish, "width" | "height" | "dpi">,
): Wish {
  const { layout, style, type } = words;
  const held = Object.entries(draft.settings.tags).filter(([, tag]) => tag === true);
  return {
    draft: draft.image,
    title: titleOf(words),
    tagline: words.tagline.trim().replaceAll(/\s+/g, " "),
    credits: words.credits.trim(),
    figure,
    phrase: words.about,
    genres: genre ? [genre] : held.map(([name]) => name),
    layout,
    style,
    type,
    seed: draft.settings.seed,
    ...size,
  };
}

const BLOCK = 4;

/** The draft that is most like its mirror image once its noise is blurred away, as a figure is that
 * looks ahead. */
export function mostSymmetrical(drafts: Shot[]): number {
  const marks = drafts.map(({ image: { data, width, height } }) => {
    const [columns, rows] = [Math.ceil(width / BLOCK), Math.ceil(height / BLOCK)];
    const [sums, counts] = [new Float64Array(columns * rows), new Float64Array(columns * rows)];
    for (let i = 0; i < width * height; i++) {
      const block = Math.floor(Math.floor(i / width) / BLOCK) * columns + Math.floor((i % width) / BLOCK);
      sums[block] += 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
      counts[block]++;
    }
    const greys = sums.map((sum, i) => Math.round(sum / counts[i]));
    const mean = greys.reduce((a, b) => a + b, 0) / greys.length;
    let [alike, whole] = [0, 1e-9];
    greys.forEach((grey, i) => {
      const mirrored = greys[i - (i % columns) + columns - 1 - (i % columns)];
      alike += (grey - mean) * (mirrored - mean);
      whole += (grey - mean) ** 2;
    });
    return Math.round((1e6 * alike) / whole);
  });
  return marks.indexOf(Math.max(...marks));
}

// ---- figures -----------------------------------------------------------------------------------

/** The model that draws figures: the first with attributes that is none of posters. */
export function facesOf(studio: Studio): Model | null {
  return studio.state.manifest?.models.find(({ fields, poster }) => fields.length > 0 && !poster) ?? null;
}

export interface Figure {
  image: ImageData | null;
  tags: Tags;
  unknown: string[];
  fields: Field[];
}

/** A face as words describe it. */
export async function figureAs(studio: Studio, text: string, seed: number): Promise<Figure | null> {
  const faces = facesOf(studio);
  const { manifest } = studio.state;
  if (!faces || !manifest || !text.trim()) return null;
  const words = understand(text, faces.fields);
  const tags = settled(words, faces.fields, seed, 0);
  const { fields } = faces;
  if (!Object.keys(tags).length) return { image: null, tags, unknown: words.unknown, fields };
  const image = await studio.engine.call("figure", studio.folder.href, manifest, faces.name, { seed, tags });
  return { image, tags, unknown: words.unknown, fields };
}
