import { createContext, useContext, useRef, useSyncExternalStore } from "react";
import { columns, type Field, type Tags } from "../labels";
import type { State } from "../state";
import type { Studio } from "../studio";
import type { Language, Say } from "../text";
import { phrase, word } from "../words";

interface Page {
  studio: Studio;
  language: Language;
  say: Say;
}

export const PageContext = createContext<Page | null>(null);

/** The page with these parts of its state. What asks for them is drawn again when one of them
 * changes, and not with every other change: while a finger drags there are many a second. */
export function usePage<Part extends keyof State>(...parts: Part[]): Page & { state: Pick<State, Part> } {
  const page = useStill();
  const seen = useRef<State | null>(null);
  const state = useSyncExternalStore(page.studio.subscribe, () => {
    const now = page.studio.snapshot();
    const before = seen.current;
    if (!before || parts.some((part) => now[part] !== before[part])) seen.current = now;
    return seen.current as State;
  });
  return { ...page, state };
}

/** The page without its state: for what changes with what it is given only. */
export function useStill(): Page {
  const page = useContext(PageContext);
  if (!page) throw new Error("useStill needs the page around it");
  return page;
}

/** What a picture of a model shows, in words: group values, set flags, numbers. */
export function wordsOf({ studio, language, say }: Page, tags: Tags, model = studio.model): string {
  const found = described(model?.fields ?? [], tags).map(({ field, value }) =>
    field.kind === "value"
      ? `${word(field.name, language)} ${Number(tags[field.name]).toFixed(0)}`
      : phrase(field, value, language),
  );
  return found.join(", ") || say("noLabels");
}

export function useWords(): (tags: Tags) => string {
  const page = useStill();
  return (tags) => wordsOf(page, tags);
}

/** The columns that hold in a picture. */
export function described(fields: Field[], tags: Tags): { field: Field; value: string | null }[] {
  return columns(fields).filter(({ field, value }) => {
    const tag = tags[field.name];
    if (tag === undefined) return false;
    return field.kind === "group" ? tag === value : tag !== false;
  });
}
