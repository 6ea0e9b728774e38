// Convolutions of 3x3 after Winograd: two by two numbers of the result from 16 products where the plain way takes 36.
//
// Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016 (arXiv:1509.09308), F(2x2, 3x3). Cut
// into overlapping tiles of 4x4, the map is `spread` (B' d B) into 16 planes, each a matrix of tiles by channels, which
// is multiplied by its plane of the filter (G g G'); what comes out is `gather`ed (A' m A) into tiles of 2x2, with bias
// and rectifier. Plain JavaScript with its types in comments: tests/winograd_twin.mjs runs this very file
// in Node.

import { ask, done, HEAD, head, roomOf, started, threads, work } from "./winograd-blocks.js";

const PAGE = 65536;
const TILES = 64; // of a block, about: what its planes take stays in the processor's cache
const LANES = 8; // output channels that are computed at a time
const APART = 16; // numbers between planes, which would else displace each other from the cache
const WORTH = 2 ** 20; // products, about 0.1 ms: below that one thread is as fast

/**
 * A map, channels last, and what is done with it.
 * @typedef {object} Convolution
 * @property {Float32Array} x height * width * channels
 * @property {number} height even, like width
 * @property {number} width
 * @property {number} channels a multiple of four, like outputs
 * @property {number} outputs
 * @property {number} filter what `filter` returned
 * @property {Float32Array} bias of each output
 * @property {Float32Array} slope of each output below zero: 0 of a rectifier, 1 of none
 * @property {Float32Array} y height * width * outputs, for the result
 */

/** @param {number} height @param {number} width @param {number} channels @param {number} outputs */
export function fits(height, width, channels, outputs) {
  return !(height % 2 || width % 2 || channels % 4 || outputs % 4);
}

/** @param {number} number @param {number} unit */
function up(number, unit) {
  return Math.ceil(number / unit) * unit;
}

export class Winograd {
  /**
   * @param {WebAssembly.Module} code what `program` made
   * @param {WebAssembly.Memory} memory
   * @param {number} most threads that may compute: this one, and those that `help` with the memory
   */
  constructor(code, memory = new WebAssembly.Memory({ initial: 1 }), most = 1) {
    this.memory = memory;
    this.most = most;
    this.run = started(code, memory);
    this.numbers = new Float32Array(memory.buffer);
    this.shared = head(memory);
    this.used = HEAD;
    /** @type {Map<number, number[]>} places of a length that are free again */
    this.free = new Map();
    this.room = { at: 0, length: 0 };
  }

  /** How many threads compute. */
  get threads() {
    return threads(this.shared);
  }

  /** Takes part in what is asked of all threads. */
  work() {
    work(this.run, this.shared, 0);
  }

  /** A place for so many numbers; its address. @param {number} length */
  take(length) {
    const again = this.free.get(length)?.pop();
    if (again !== undefined) return again;
    const at = this.used;
    this.used = up(at + 4 * length, 64);
    const missing = Math.ceil((this.used - this.memory.buffer.byteLength) / PAGE);
    if (missing > 0) {
      this.memory.grow(missing);
      this.numbers = new Float32Array(this.memory.buffer);
      this.shared = head(this.memory);
    }
    return at;
  }

  /** @param {number} at @param {number} length */
  giveBack(at, length) {
    this.free.set(length, [...(this.free.get(length) ?? []), at]);
  }

  /** A place for so many numbers until the next call. @param {number} length */
  scratch(length) {
    if (length > this.room.length) {
      if (this.room.length) this.giveBack(this.room.at, this.room.length);
      this.room = { at: this.take(length), length };
    }
    return this.room.at;
  }

  /** How many numbers `filter` keeps. @param {number} channels @param {number} outputs */
  static lengthOf(channels, outputs) {
    return 16 * channels * up(outputs, LANES);
  }

  /**
   * Keeps G g G' of a filter, in the order in which it is multiplied: plane, eight outputs, channel.
   * @param {Float32Array} kernel 3 * 3 * channels * outputs
   * @param {number} channels
   * @param {number} outputs
   * @returns {number} its address
   */
  filter(kernel, channels, outputs) {
    const length = Winograd.lengthOf(channels, outputs);
    const at = this.take(length);
    const from = this.scratch(kernel.length);
    this.numbers.fill(0, at / 4, at / 4 + length);
    this.numbers.set(kernel, from / 4);
    this.run.prepare(from, at, channels, 4 * outputs, 4 * channels * outputs, length / 4);
    return at;
  }

  /** @param {Convolution} given */
  convolve({ x, height, width, channels, outputs, filter, bias, slope, y }) {
    const [across, down] = [width / 2, height / 2];
    const products = 16 * across * down * channels * outputs;
    const share = products < WORTH ? down : Math.ceil(down / this.threads);
    const rows = Math.min(share, Math.max(1, Math.floor(TILES / across)));
    const tiles = up(rows * across, 4);
    const wide = up(outputs, LANES);
    const row = (width + 2) * channels; // of the map with zeros around it
    const [planeV, planeM] = [4 * (tiles * channels + APART), 4 * (tiles * wide + APART)];
    const blocks = Math.ceil(down / rows);
    const rooms = (this.most * roomOf(planeV, planeM)) / 4; // also for those that start meanwhile
    const lengths = [(height + 2) * row, rooms, y.length, outputs, outputs];
    const ends = lengths.map(((sum) => (length) => (sum += up(length, 16)))(0));
    const start = this.scratch(ends[4]);
    const [map, room, result, biases, slopes] = [0, ...ends].map((end) => start + 4 * end);
    this.place(x, map / 4, height, width, channels);
    this.numbers.set(bias, biases / 4);
    this.numbers.set(slope, slopes / 4);
    const addresses = [map, filter, biases, slopes, result, room];
    const sizes = [4 * row, 4 * channels, 4 * outputs, 4 * wide, planeV, planeM];
    ask(this.shared, blocks, [...addresses, across, down, rows, ...sizes]);
    this.work();
    done(this.shared);
    y.set(this.numbers.subarray(result / 4, result / 4 + y.length));
  }

  /**
   * Copies a map, with a border of zeros.
   * @param {Float32Array} x
   * @param {number} to
   * @param {number} height
   * @param {number} width
   * @param {number} channels
   */
  place(x, to, height, width, channels) {
    const { numbers } = this;
    const row = (width + 2) * channels;
    numbers.fill(0, to, to + row + channels);
    for (let i = 0; i < height; i++) {
      const at = to + (i + 1) * row + channels;
      numbers.set(x.subarray(i * width * channels, (i + 1) * width * channels), at);
      numbers.fill(0, at + width * channels, at + (width + 2) * channels);
    }
    numbers.fill(0, to + (height + 1) * row, to + (height + 2) * row);
  }
}
