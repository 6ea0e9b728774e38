// From a phrase to drafts, as `tfanime imagine` draws them.

import { freshSeed, held } from "../settings";
import type { Tags } from "../labels";
import type { Studio } from "../studio";
import { settled, understand } from "../words";
import type { Read } from "./works";

export const DRAFTS = 8;

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
  const left = named ? words.unknown.join(" ") : text;
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
  studio.set({ settings: { ...now, ...tags, seed, index: 0 }, count: DRAFTS, endless: false });
  studio.look("many");
  return answer;
}
