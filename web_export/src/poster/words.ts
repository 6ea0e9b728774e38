// What a poster says and how it is set, and its form in an address: words of their own in one of the
// address's, as `poster=title%3DOrbit+Nine`.

import * as check from "../check";

export const LAYOUTS = ["auto", "top", "bottom", "centre", "vertical"] as const;
export const STYLES = ["auto", "print", "mist", "paint"] as const;
export const TYPES = ["auto", "bold", "classic"] as const;
export const DRAFTS = 8;

export type Layout = (typeof LAYOUTS)[number];

export interface Words {
  /** The phrase that it was made from. */
  about: string;
  title: string;
  tagline: string;
  credits: string;
  /** Words for a face. */
  figure: string;
  layout: Layout;
  style: (typeof STYLES)[number];
  type: (typeof TYPES)[number];
  /** Which draft; null is the one most like its mirror image. */
  pick: number | null;
}

export const NO_WORDS: Words = {
  about: "",
  title: "",
  tagline: "",
  credits: "",
  figure: "",
  layout: "auto",
  style: "auto",
  type: "auto",
  pick: null,
};

/** The most characters of each. */
export const LONGEST = { about: 1000, title: 120, tagline: 160, credits: 600, figure: 300 };

export function writeWords(words: Words): string {
  const parts = Object.entries(words).filter(([name, value]) => value !== NO_WORDS[name as keyof Words]);
  return String(new URLSearchParams(parts.map(([name, value]) => [name, String(value)])));
}

export function readWords(text: string): Words {
  const parts = new URLSearchParams(text);
  for (const name of parts.keys()) check.oneOf(name, "poster", Object.keys(NO_WORDS));
  const said = (name: keyof typeof LONGEST) => check.text(parts.get(name) ?? "", `poster.${name}`, LONGEST[name]);
  const one = <T extends string>(name: string, known: readonly T[]) =>
    check.oneOf(parts.get(name) ?? "auto", `poster.${name}`, known);
  const pick = parts.get("pick");
  return {
    about: said("about"),
    title: said("title"),
    tagline: said("tagline"),
    credits: said("credits"),
    figure: said("figure"),
    layout: one("layout", LAYOUTS),
    style: one("style", STYLES),
    type: one("type", TYPES),
    pick: pick === null ? null : check.whole(Number(pick), "poster.pick", 0, DRAFTS - 1),
  };
}
