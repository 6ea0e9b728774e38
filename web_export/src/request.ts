// What a picture is asked for by, and what the network is fed then. Apart from the generator, since
// the page needs this and must not load TensorFlow.js, which computes in the worker.

import * as check from "./check";
import { decode, sample, type Tags, toSigned, toUnsigned } from "./labels";
import { latent as drawLatent, PICTURES, SEEDS, slerp } from "./latent.js";
import type { Direction, Group, Model } from "./manifest";

export interface Request {
  seed?: number;
  index?: number;
  tags?: Tags;
  truncation?: number;
  /** Goes this part (0 to 1) of the way to the noise of another seed; several steps in turn. */
  vary?: Varied | Varied[];
  /** Goes so far (-20 to 20) along directions of the model, last of all. */
  move?: Move;
  /** Of a model with styles: the pictures that the coarse, middle or fine maps have theirs of. */
  styles?: Styles<Request>;
  /** Instead of the seed's: the finished latent vector. */
  latent?: ArrayLike<number>;
  /** Instead of the sampled ones: a number from -1 to 1 for each column. */
  labels?: ArrayLike<number> | null;
}

export type Styles<Of> = Partial<Record<Group, Of>>;

/** What a network is fed, and by group what it is fed for a style of another picture. */
export interface Inputs {
  latent: Float32Array<ArrayBuffer>;
  labels: Float32Array<ArrayBuffer> | null;
  styles: Styles<Inputs>;
}

/** A step towards the noise that another seed has at the picture's index, or at an own one. */
export interface Varied {
  seed: number;
  index?: number | null;
  strength: number;
}

export type Step = Required<Varied>;

/** Names of directions, and standard deviations of the latents. */
export type Move = Record<string, number>;

export const MOST_STEPS = 16;
export const FURTHEST = 20; // of a move: beyond it nothing was ever learnt

function vector(given: ArrayLike<number>, what: string, length: number): Float32Array<ArrayBuffer> {
  const found = Float32Array.from(given);
  if (found.length !== length || !found.every(Number.isFinite)) {
    throw new check.Refused(`${what} is ${length} finite numbers. Received: ${given.length}.`);
  }
  return found;
}

export function checkSteps(given: unknown): Step[] {
  const steps = check.list(Array.isArray(given) ? given : [given], "vary", MOST_STEPS);
  return steps.map((entry) => {
    const { seed, index, strength } = check.object(entry, "vary");
    return {
      seed: check.whole(seed, "vary.seed", 0, SEEDS),
      index: index == null ? null : check.whole(index, "vary.index", 0, PICTURES),
      strength: check.number(strength, "vary.strength", 0, 1),
    };
  });
}

export function checkMove(given: unknown, directions: Direction[]): Move {
  const known = directions.map(({ name }) => name);
  const move = Object.entries(check.object(given, "move"));
  if (move.length && !known.length) throw new check.Refused("This model has no directions: leave move out.");
  return Object.fromEntries(
    move.map(([name, far]) => [
      check.oneOf(name, "A direction", known),
      check.number(far, `move.${name}`, -FURTHEST, FURTHEST),
    ]),
  );
}

/** The same for every style of another picture. */
export function eachStyle<A, B>(styles: Styles<A>, work: (one: A, group: Group) => B): Styles<B> {
  return Object.fromEntries(
    Object.entries(styles).map(([group, one]) => [group, work(one, group as Group)]),
  );
}

export function checkGroup(group: string, { styles }: Pick<Model, "styles">): Group {
  const known = Object.keys(styles) as Group[];
  if (!known.length) throw new check.Refused("This model has no styles: leave styles out.");
  return check.oneOf(group, "A style", known);
}

/** A latent further along directions. In float32 and double precision where Python has them, so that
 * the bits are the same. */
function moved(latent: Float32Array<ArrayBuffer>, move: Move, directions: Direction[]): Float32Array<ArrayBuffer> {
  const way = new Float64Array(latent.length);
  for (const [name, far] of Object.entries(move)) {
    const vector = directions.find((one) => one.name === name)?.vector ?? [];
    const step = Math.fround(far);
    for (let i = 0; i < vector.length; i++) way[i] += Math.fround(step * vector[i]);
  }
  return latent.map((x, i) => x + way[i]);
}

/** What the network is fed for a request. */
export function inputs(
  model: Pick<Model, "latentDim" | "fields" | "rows" | "directions" | "styles">,
  request: Request,
): Inputs & { tags: Tags } {
  const seed = check.whole(request.seed ?? 0, "seed", 0, SEEDS);
  const index = check.whole(request.index ?? 0, "index", 0, PICTURES);
  const truncation = check.number(request.truncation ?? 1, "truncation", 0, 2);
  let latent = request.latent
    ? vector(request.latent, "latent", model.latentDim)
    : drawLatent(seed, index, model.latentDim, truncation);
  for (const step of checkSteps(request.vary ?? [])) {
    const end = drawLatent(step.seed, step.index ?? index, model.latentDim, truncation);
    if (step.strength) latent = Float32Array.from(slerp(latent, end, step.strength));
  }
  latent = moved(latent, checkMove(request.move ?? {}, model.directions), model.directions);
  const styles = eachStyle(request.styles ?? {}, (one, group) => {
    checkGroup(group, model);
    const { latent, labels } = inputs(model, { ...one, styles: {} });
    return { latent, labels, styles: {} };
  });
  if (!model.fields.length) {
    if (request.labels || Object.keys(request.tags ?? {}).length) {
      throw new check.Refused("This model was trained without labels: leave tags and labels out.");
    }
    return { latent, labels: null, styles, tags: {} };
  }
  const row = sample(seed, index, model.fields, request.tags ?? {}, model.rows);
  const labels = request.labels
    ? vector(request.labels, "labels", row.length)
    : toSigned(row);
  return { latent, labels, styles, tags: decode(toUnsigned(labels), model.fields) };
}
