// A convolution after Winograd in blocks of rows of tiles. Every thread takes the next block until none is left; so none
// waits for another that is late, and a thread that never comes costs nothing. Which thread computes a block changes no
// bit of it. Apart from winograd.js, since this is all that the other threads load.

export const HEAD = 256; // bytes at the start of the memory, for what all threads read and write
// Numbers in it: blocks that nobody has taken, blocks that are not done, other threads that have started, the convolution.
const [LEFT, UNDONE, OTHERS, ASKED] = [0, 1, 2, 16];
const LOOKS = 10_000; // about 0.1 ms, before a thread goes to sleep: waking it takes about as long

/** @typedef {Record<"prepare" | "spread" | "multiply" | "gather", (...given: number[]) => void>} Run */

/** @param {WebAssembly.Module} code @param {WebAssembly.Memory} memory */
export function started(code, memory) {
  const { exports } = new WebAssembly.Instance(code, { js: { memory } });
  return /** @type {Run} */ (/** @type {unknown} */ (exports));
}

/** @param {WebAssembly.Memory} memory */
export function head(memory) {
  return new Int32Array(memory.buffer, 0, HEAD / 4);
}

/** Bytes that each thread needs. @param {number} planeV @param {number} planeM */
export function roomOf(planeV, planeM) {
  return 16 * (planeV + planeM);
}

/** @param {Run} run @param {Int32Array} shared @param {number} block @param {number} thread */
function compute(run, shared, block, thread) {
  const asked = shared.subarray(ASKED, ASKED + 15);
  const [map, filter, bias, slope, result, room, across, down, rows, row, depth, out, stride, planeV, planeM] = asked;
  const spread = room + thread * roomOf(planeV, planeM);
  const products = spread + 16 * planeV;
  const first = block * rows;
  const count = Math.min(rows, down - first);
  for (let i = 0; i < count; i++) {
    run.spread(map + 2 * (first + i) * row, spread + i * across * depth, across, row, depth, planeV);
  }
  const groups = Math.ceil((count * across) / 4);
  run.multiply(spread, filter, products, groups, depth, stride / 32, planeV, planeM, stride);
  const wide = 2 * across * out;
  for (let i = 0; i < count; i++) {
    const to = result + 2 * (first + i) * wide;
    run.gather(products + i * across * stride, to, across, wide, out, stride, planeM, bias, slope);
  }
}

/** Blocks until none is left. @param {Run} run @param {Int32Array} shared @param {number} thread */
export function work(run, shared, thread) {
  for (let left; (left = Atomics.load(shared, LEFT)) > 0; ) {
    // What is asked is read after a block is taken: until that is done, it stays.
    if (Atomics.compareExchange(shared, LEFT, left, left - 1) !== left) continue;
    compute(run, shared, left - 1, thread);
    if (Atomics.sub(shared, UNDONE, 1) === 1) Atomics.notify(shared, UNDONE);
  }
}

/** Waits while a number is what it was. @param {Int32Array} shared @param {number} place @param {number} was */
function wait(shared, place, was) {
  for (let i = 0; i < LOOKS; i++) if (Atomics.load(shared, place) !== was) return;
  // A page's own thread must not sleep.
  if (!("document" in globalThis)) Atomics.wait(shared, place, was);
}

/** How many threads compute. @param {Int32Array} shared */
export function threads(shared) {
  return 1 + Atomics.load(shared, OTHERS);
}

/**
 * Asks all threads for a convolution.
 * @param {Int32Array} shared
 * @param {number} blocks
 * @param {number[]} asked addresses: of the map with zeros around it, filter, biases, slopes, result, and of the threads'
 *   rooms for planes, one behind the other; tiles of a row, rows of tiles, and such rows of a block; bytes: of a row of
 *   the map, of its pixel's channels, of a pixel of the result, of a tile's products, of a plane of tiles, of products
 */
export function ask(shared, blocks, asked) {
  shared.set(asked, ASKED);
  Atomics.store(shared, UNDONE, blocks);
  Atomics.store(shared, LEFT, blocks);
  Atomics.notify(shared, LEFT, blocks - 1); // one is the caller's
}

/** Waits until it is done. @param {Int32Array} shared */
export function done(shared) {
  for (let undone; (undone = Atomics.load(shared, UNDONE)) > 0; ) wait(shared, UNDONE, undone);
}

/**
 * What another thread does, for ever.
 * @param {WebAssembly.Module} code
 * @param {WebAssembly.Memory} memory
 */
export function help(code, memory) {
  const run = started(code, memory);
  const shared = head(memory);
  const thread = Atomics.add(shared, OTHERS, 1) + 1;
  for (;;) {
    wait(shared, LEFT, 0);
    work(run, shared, thread);
  }
}
