// From settings to others near them. Each move is written in what an address can say: steps of the
// noise, sliders, attributes. So every picture that a visitor comes to has an address, and Python
// draws it.

import * as check from "./check";
import { columns, type Field } from "./labels";
import { SEEDS, slerp } from "./latent.js";
import { packed } from "./latents";
import type { Group } from "./manifest";
import { eachStyle, MOST_STEPS, type Step } from "./request";
import type { Settings } from "./settings";
import type { Shot } from "./state";

function rounded(x: number): number {
  return Math.round(x * 1000) / 1000;
}

/** Steps, the last of them towards one noise made one: two parts of an arc are an arc. */
function withStep(steps: Step[], step: Step): Step[] {
  if (!step.strength) return steps;
  const last = steps.at(-1);
  if (last?.seed === step.seed && last.index === step.index) {
    const strength = rounded(1 - (1 - last.strength) * (1 - step.strength));
    return [...steps.slice(0, -1), { ...step, strength }];
  }
  if (steps.length === MOST_STEPS) throw new check.Refused(`A picture is ${MOST_STEPS} steps away at most.`);
  return [...steps, step];
}

// ---- a map of the neighbourhood ------------------------------------------------------------------

const [EAST, SOUTH, WEST, NORTH] = [1, 2, 3, 4];

/** The noise that lies in a direction. Each ring of a seed has four others. */
function compass(seed: number, ring: number, direction: number): number {
  const far = 4 * ring + direction;
  return seed <= SEEDS - far ? seed + far : seed - far;
}

/** The picture at `x` (to the right) and `y` (down), each -1 to 1, where `origin` is in the middle. */
export function pointOf(origin: Settings, ring: number, spread: number, x: number, y: number): Settings {
  const way = (far: number, ahead: number, back: number): Step => ({
    seed: compass(origin.seed, ring, far < 0 ? back : ahead),
    index: null,
    strength: rounded(Math.abs(far) * spread),
  });
  const vary = withStep(withStep(origin.vary, way(x, EAST, WEST)), way(y, SOUTH, NORTH));
  return { ...origin, vary };
}

/** A closed way round: picture i of n, beginning and ending at the settings themselves. */
export function loopOf(settings: Settings, i: number, n: number, radius = 0.09): Settings {
  const angle = (2 * Math.PI * i) / n;
  return pointOf(settings, 0, radius, 1 - Math.cos(angle), Math.sin(angle));
}

// ---- between two pictures ------------------------------------------------------------------------

type End = Pick<Shot, "settings" | "latent" | "labels" | "styles">;

/** The picture that a group of a picture's maps has its style of. */
function styleOf({ settings, latent, labels, styles }: End, group: Group): End {
  const [other, fed] = [settings.styles[group], styles[group]];
  if (other && fed) return { settings: other, latent: fed.latent, labels: fed.labels, styles: {} };
  return { settings: { ...settings, styles: {} }, latent, labels, styles: {} };
}

/** The first picture, with the second's style in these groups of maps. */
export function styledOf({ settings }: Shot, to: Shot, groups: Group[]): Settings {
  const styles = groups.map((group) => [group, styleOf(to, group).settings]);
  return { ...settings, styles: { ...settings.styles, ...Object.fromEntries(styles) } };
}

/** The picture `t` of the way from one to the other; the attributes in `locks` stay as they are in
 * the first. */
export function mixOf(from: End, to: End, t: number, locks: string[], fields: Field[]): Settings {
  const [a, b] = [from.settings, to.settings];
  if (t === 0) return a;
  if (t === 1 && !locks.length) return b;
  // Between latents that no seed has there is no step: the mixture has a latent of its own.
  const own = a.latent !== null || b.latent !== null;
  const index = b.index === a.index ? null : b.index;
  const steps = [{ seed: b.seed, index, strength: rounded(t) }];
  for (const step of b.vary) {
    steps.push({ ...step, index: step.index ?? index, strength: rounded(t * step.strength) });
  }
  const sliders = { ...a.sliders };
  columns(fields).forEach(({ name, field }, i) => {
    const [x, y] = [from.labels?.[i] ?? 0, to.labels?.[i] ?? 0];
    if (x !== y && !locks.includes(field.name)) sliders[name] = rounded((1 - t) * x + t * y);
  });
  const move = { ...a.move };
  for (const name of Object.keys({ ...a.move, ...b.move })) {
    move[name] = rounded((1 - t) * (a.move[name] ?? 0) + t * (b.move[name] ?? 0));
  }
  const between = (_: Settings, group: Group) =>
    mixOf(styleOf(from, group), styleOf(to, group), t, locks, fields);
  return {
    ...a,
    ...(own
      ? { latent: packed(slerp(from.latent, to.latent, t)), vary: [], move: {} }
      : { vary: steps.reduce(withStep, a.vary), move }),
    truncation: rounded((1 - t) * a.truncation + t * b.truncation),
    sliders,
    styles: eachStyle({ ...a.styles, ...b.styles }, between),
  };
}

/** The attributes in which two pictures differ. */
export function differing(from: Shot, to: Shot, fields: Field[]): Field[] {
  const all = columns(fields);
  return fields.filter((field) =>
    all.some((column, i) => column.field === field && from.labels?.[i] !== to.labels?.[i]),
  );
}

// ---- along a direction ---------------------------------------------------------------------------

export const FAR = 10; // how far sliders and fingers lead: no latent that was learnt from lies beyond

/** The change that goes so far along a direction. */
export function withMove({ move }: Settings, name: string, far: number): Pick<Settings, "move"> {
  const { [name]: _, ...others } = move;
  return { move: far ? { ...others, [name]: far } : others };
}

// ---- attributes under a finger -------------------------------------------------------------------

const SNAP = 0.1; // so near to a value it is the value

/** Where an attribute stands: of a group the number of its value, of a flag 0 or 1, and between. */
export function placeOf(field: Field, shot: Shot, fields: Field[]): number {
  const row = columns(fields).map((column, i) => (column.field === field ? (shot.labels?.[i] ?? -1) : null));
  const own = row.filter((x) => x !== null);
  if (field.kind !== "group") return (Math.max(-1, Math.min(1, own[0])) + 1) / 2;
  const best = own.indexOf(Math.max(...own));
  const next = own[(best + 1) % own.length];
  const before = own[(best + own.length - 1) % own.length];
  if (Math.max(next, before) <= -1) return best;
  return next >= before ? best + (next + 1) / 2 : best - (before + 1) / 2;
}

/** The change that puts an attribute there. The values of a group go round. */
export function placed(field: Field, place: number, settings: Settings): Pick<Settings, "tags" | "sliders"> {
  const names = new Set(columns([field]).map(({ name }) => name));
  const sliders = Object.fromEntries(Object.entries(settings.sliders).filter(([name]) => !names.has(name)));
  const tags = { ...settings.tags };
  const near = Math.abs(place - Math.round(place)) < SNAP ? Math.round(place) : place;
  if (field.kind !== "group") {
    const part = Math.max(0, Math.min(1, near));
    delete tags[field.name];
    if (part === 0 || part === 1) return { tags: { ...tags, [field.name]: part === 1 }, sliders };
    return { tags, sliders: { ...sliders, [field.name]: rounded(2 * part - 1) } };
  }
  const { values, name } = field;
  const round = (i: number) => values[((i % values.length) + values.length) % values.length];
  const [low, part] = [Math.floor(near), near - Math.floor(near)];
  tags[name] = round(low);
  if (part) {
    sliders[`${round(low)}_${name}`] = rounded(1 - 2 * part);
    sliders[`${round(low + 1)}_${name}`] = rounded(2 * part - 1);
  }
  return { tags, sliders };
}
