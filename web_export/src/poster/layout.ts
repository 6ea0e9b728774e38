// Where each text of a poster is. After tfanime/posters/compose.py, which explains it: everything is
// measured in parts of the width or height, so that a poster is the same at every size.

import { type Box, calmest, mean } from "./calm";
import { type Face, isJapanese } from "./faces";
import type { Plane } from "./raster";
import * as type from "./type";
import type { Line } from "./type";
import type { Layout } from "./words";

export type Place = Exclude<Layout, "auto">;

const MARGIN = 0.07; // of the width
// Where a title may lie, in parts of the height, and how high it may be.
const ZONES = { top: [0.05, 0.3], centre: [0.34, 0.66], bottom: [0.58, 0.865] } as const;
const TITLE = { top: 0.2, centre: 0.26, bottom: 0.19 };
export const SMALL = 100; // pixels: the width at which calm is looked for

export type TextName = "title" | "tagline" | "credits";
export type Faces = Record<TextName, Face>;

export interface Texts {
  title: string;
  tagline: string;
  credits: string;
}

/** Where the title goes if nobody says: at the calmest of the places that a figure leaves. */
export function placeFor(title: string, figure: boolean, painted: boolean, cost: Plane): Place {
  if (isJapanese(title)) return "vertical";
  if (painted && !figure) return "bottom"; // above it a draft has its face
  const names = figure ? (["top", "bottom"] as const) : (["top", "centre", "bottom"] as const);
  const costs = names.map((name) => mean(cost, calmBox(cost, name, TITLE[name])));
  return names[costs.indexOf(Math.min(...costs))];
}

function calmBox(cost: Plane, place: keyof typeof ZONES, share: number): Box {
  const inset = Math.round(MARGIN * cost.width);
  const [top, bottom] = ZONES[place].map((part) => Math.round(part * cost.height));
  const height = Math.min(Math.max(1, Math.round(share * cost.height)), bottom - top);
  return calmest(cost, height, cost.width - 2 * inset, [inset, top, cost.width - inset, bottom]);
}

/** The lines of each text, in the order in which they are made readable. */
export function setTexts(
  texts: Texts,
  faces: Faces,
  place: Place,
  classic: boolean,
  cost: Plane,
  width: number,
  height: number,
): [TextName, Line[]][] {
  const found: [TextName, Line[]][] = [];
  let foot = Math.round(0.955 * height);
  if (texts.credits) {
    const room = Math.round(0.86 * width);
    const lines = type.credits(texts.credits, faces.credits, room, Math.round(0.09 * height), 0.04 * width);
    const bottom = type.extent(lines)[3];
    found.push(["credits", type.moved(lines, (width - room) / 2, foot - bottom)]);
    foot -= bottom + Math.round(0.02 * height);
  }
  if (!texts.title) return found;
  const roman = classic && faces.title.name === "classic";
  const title =
    place === "vertical"
      ? vertical(texts.title, faces.title, roman, cost, width, height)
      : horizontal(texts, faces.title, roman, place, cost, width, height, foot);
  found.push(["title", title]);
  if (texts.tagline) {
    found.push(["tagline", tagline(texts.tagline, faces.tagline, classic, place, title, width, height, foot)]);
  }
  return found;
}

function shown(text: string, face: Face): string {
  const upper = text.toUpperCase();
  return face.has(upper) ? upper : text;
}

function horizontal(
  texts: Texts,
  face: Face,
  roman: boolean,
  place: keyof typeof ZONES,
  cost: Plane,
  width: number,
  height: number,
  foot: number,
): Line[] {
  const room = Math.round((1 - 2 * MARGIN) * width);
  const text = roman ? texts.title : shown(texts.title, face);
  const lines = type.block(text, face, room, Math.round(TITLE[place] * height), {
    tracking: roman ? 0.05 : 0,
    justified: !roman,
    largest: (roman ? 0.16 : 0.42) * width,
    gap: roman ? 0.45 : 0.16,
  });
  const bottom = type.extent(lines)[3];
  const [from, to] = ZONES[place];
  const reserve = texts.tagline ? 0.045 : 0;
  let top: number;
  if (place === "top") top = Math.round((from + reserve) * height);
  else if (place === "bottom") {
    top = Math.min(Math.round(to * height), foot - Math.round(reserve * height)) - bottom;
  } else top = Math.round((calmBox(cost, place, Math.min(bottom / height, to - from))[1] * width) / SMALL);
  return type.moved(lines, (width - room) / 2, top);
}

/** A column at the side that is calmer, the right one, where reading begins, if both are. */
function vertical(text: string, face: Face, roman: boolean, cost: Plane, width: number, height: number): Line[] {
  const room = Math.round(0.3 * width);
  const lines = type.column(roman ? text : shown(text, face), face, room, Math.round(0.66 * height), 0.15 * width);
  const used = room - type.extent(lines)[0];
  const columns = Math.round(SMALL * (used / width + MARGIN));
  const [top, bottom] = [Math.round(0.06 * cost.height), Math.round(0.72 * cost.height)];
  const left = mean(cost, [0, top, columns, bottom]);
  const right = mean(cost, [cost.width - columns, top, cost.width, bottom]);
  const inset = Math.round(0.06 * width);
  const at = left < 0.8 * right ? inset + used - room : width - inset - room;
  return type.moved(lines, at, Math.round(0.06 * height));
}

/** Small and widely spaced: above a title at the top, else below it. */
function tagline(
  text: string,
  face: Face,
  classic: boolean,
  place: Place,
  title: Line[],
  width: number,
  height: number,
  foot: number,
): Line[] {
  const room = Math.round((1 - 2.4 * MARGIN) * width);
  const largest = (classic ? 0.021 : 0.03) * width;
  const lines = type.block(shown(text, face), face, room, Math.round(0.06 * height), {
    tracking: 0.14,
    justified: false,
    largest,
    gap: 0.7,
  });
  const bottom = type.extent(lines)[3];
  const [, titleTop, , titleBottom] = type.extent(title);
  let down: number;
  if (place === "vertical") down = foot - bottom - Math.round(0.012 * height);
  else if (place === "top" && titleTop > bottom + 0.03 * height) {
    down = titleTop - bottom - Math.round(0.016 * height);
  } else down = titleBottom + Math.round(0.016 * height);
  return type.moved(lines, (width - room) / 2, down);
}
