// Everything the page says, in four languages. `{name}` is filled in by `say`.

import { en, type Phrase } from "./text/en";
import { ja } from "./text/ja";
import { ru } from "./text/ru";
import { zh } from "./text/zh";

export type { Phrase };

export const LANGUAGES = { en: "English", ja: "日本語", zh: "中文", ru: "Русский" } as const;
export type Language = keyof typeof LANGUAGES;

const phrases: Record<Language, Record<Phrase, string>> = { en, ja, zh, ru };

export type Say = (phrase: Phrase, values?: Record<string, string | number>) => string;

export function speaker(language: Language): Say {
  return (phrase, values = {}) =>
    phrases[language][phrase].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** The first of the visitor's languages that the page speaks. */
export function preferred(wanted: readonly string[]): Language {
  const known = wanted.map((tag) => tag.slice(0, 2).toLowerCase());
  return (known.find((tag) => Object.hasOwn(LANGUAGES, tag)) ?? "en") as Language;
}
