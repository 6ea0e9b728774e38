// The loops of winograd.js as a WebAssembly program, put together when it is needed: whether a browser has relaxed SIMD,
// whose multiply-adds take one instruction instead of two, is known only then.

const [I32, V128] = [0x7f, 0x7b];

/** LEB128. @param {number} number @returns {number[]} */
function unsigned(number) {
  return number < 128 ? [number] : [(number % 128) | 128, ...unsigned(Math.floor(number / 128))];
}

/** @param {number} number @returns {number[]} */
function signed(number) {
  return -64 <= number && number < 64 ? [number & 127] : [(number & 127) | 128, ...signed(number >> 7)];
}

/** @param {number[]} opcode @returns {(...given: number[][]) => number[]} */
const operation = (opcode) => (...given) => [...given.flat(), ...opcode];
/** @param {number} opcode */
const vector = (opcode) => operation([0xfd, ...unsigned(opcode)]);
/** @param {number} opcode @returns {(address: number[], offset?: number) => number[]} */
const read = (opcode) => (address, offset = 0) => [...address, 0xfd, opcode, 2, ...unsigned(offset)];

const add = operation([0x6a]);
const subtract = operation([0x6b]);
const times = operation([0x6c]);
const both = operation([0x71]); // and, bit by bit
const load = read(0x00);
const splat = read(0x09); // one number, four times
const plus = vector(0xe4);
const minus = vector(0xe5);
const product = vector(0xe6);
// Those that need not care which zero or NaN: one instruction each.
const lower = vector(0xea);
const higher = vector(0xeb);
const zeros = [0xfd, 0x0c, ...new Array(16).fill(0)];
const halves = [0xfd, 0x0c, ...[0, 1, 2, 3].flatMap(() => [0, 0, 0, 0x3f])];
/** @param {number} number */
const whole = (number) => [0x41, ...signed(number)];
/** @param {number[]} address @param {number[]} value @param {number} [offset] */
const store = (address, value, offset = 0) => [...address, ...value, 0xfd, 0x0b, 2, ...unsigned(offset)];

/**
 * @typedef {object} Locals
 * @property {(name: string) => number[]} get
 * @property {(name: string, value: number[]) => number[]} set
 * @property {(name: string, by: number[]) => number[]} move adds to an address
 * @property {(name: string, end: string, ...body: number[][]) => number[]} until repeats while name < end; once at least
 */

/**
 * The body of a function, all of whose arguments are whole numbers.
 * @param {string} parameters
 * @param {string} addresses
 * @param {string[]} vectors
 * @param {(locals: Locals) => number[][]} write
 */
function routine(parameters, addresses, vectors, write) {
  const given = parameters.split(" ");
  const own = addresses.split(" ");
  const names = [...given, ...own, ...vectors];
  /** @param {string} name */
  const at = (name) => unsigned(names.indexOf(name));
  /** @param {string} name */
  const get = (name) => [0x20, ...at(name)];
  /** @param {string} name @param {number[]} value */
  const set = (name, value) => [...value, 0x21, ...at(name)];
  /** @param {string} name @param {number[]} by */
  const move = (name, by) => set(name, add(get(name), by));
  /** @param {string} name @param {string} end @param {number[][]} body */
  const until = (name, end, ...body) => {
    const before = [...get(name), ...get(end), 0x49]; // unsigned
    return [0x03, 0x40, ...body.flat(), ...before, 0x0d, 0, 0x0b];
  };
  const locals = [2, ...unsigned(own.length), I32, ...unsigned(vectors.length), V128];
  const code = [...locals, ...write({ get, set, move, until }).flat(), 0x0b];
  return { parameters: given.length, code };
}

const FOUR = [0, 1, 2, 3];
/** Names of a square. @param {string} letter @param {number} rows @param {number} columns */
const square = (letter, rows, columns) =>
  Array.from({ length: rows * columns }, (_, i) => `${letter}${Math.floor(i / columns)}${i % columns}`);

/** B' of four numbers. @param {number[][]} d */
const differences = ([a, b, c, d]) => [minus(a, c), plus(b, c), minus(c, b), minus(b, d)];
/** A' of four numbers. @param {number[][]} m */
const sums = ([a, b, c, d]) => [plus(plus(a, b), c), minus(minus(b, c), d)];

/** G of three numbers. @param {number[][]} k */
const points = ([a, b, c]) => [
  a,
  product(halves, plus(plus(a, c), b)),
  product(halves, minus(plus(a, c), b)),
  c,
];

// A filter, four outputs at a time. `one`: bytes of one of its nine positions.
const prepare = routine(
  "k u channels outs one plane",
  "channel c a b",
  [...square("t", 4, 3), "k0", "k1", "k2"],
  ({ get, set, move, until }) => [
    until(
      "channel",
      "channels",
      set("c", whole(0)),
      until(
        "c",
        "outs",
        set("a", get("k")),
        ...[0, 1, 2].flatMap((j) => [
          set("b", get("a")),
          ...[0, 1, 2].flatMap((i) => [
            set(`k${i}`, load(get("b"))),
            move("b", times(get("one"), whole(3))),
          ]),
          ...points([get("k0"), get("k1"), get("k2")]).map((t, i) => set(`t${i}${j}`, t)),
          move("a", get("one")),
        ]),
        // Of eight outputs the first or the last four.
        set("a", add(times(both(get("c"), whole(-32)), get("channels")), both(get("c"), whole(16)))),
        move("a", get("u")),
        ...FOUR.flatMap((i) =>
          points([0, 1, 2].map((j) => get(`t${i}${j}`))).flatMap((value) => [
            store(get("a"), value),
            move("a", get("plane")),
          ]),
        ),
        move("c", whole(16)),
        move("k", whole(16)),
      ),
      move("u", whole(32)),
      move("channel", whole(1)),
    ),
  ],
);

// A row of tiles. `x`: the first pixel of the first; `v`: its place in the first plane.
const spread = routine(
  "x v tiles row depth plane",
  "last stop a b",
  [...square("t", 4, 4), ...FOUR.map((i) => `d${i}`)],
  ({ get, set, move, until }) => [
    set("last", add(get("v"), times(get("tiles"), get("depth")))),
    until(
      "v",
      "last",
      set("stop", add(get("v"), get("depth"))),
      until(
        "v",
        "stop",
        set("a", get("x")),
        ...FOUR.flatMap((j) => [
          set("b", get("a")),
          ...FOUR.flatMap((i) => [set(`d${i}`, load(get("b"))), i < 3 ? move("b", get("row")) : []]),
          ...differences(FOUR.map((i) => get(`d${i}`))).map((t, i) => set(`t${i}${j}`, t)),
          move("a", get("depth")),
        ]),
        set("a", get("v")),
        ...FOUR.flatMap((i) =>
          differences(FOUR.map((j) => get(`t${i}${j}`))).flatMap((value) => [
            store(get("a"), value),
            move("a", get("plane")),
          ]),
        ),
        move("x", whole(16)),
        move("v", whole(16)),
      ),
      move("x", get("depth")),
    ),
  ],
);

// All 16 planes. Four tiles and eight outputs at a time: eight sums stay in registers.
/** @param {boolean} relaxed */
const multiply = (relaxed) =>
  routine(
    "v u m groups depth blocks planeV planeM stride",
    "p plane block group a0 a1 a2 a3 from w stop to",
    [...square("c", 4, 2), "b0", "b1", "s"],
    ({ get, set, move, until }) => {
      /** @param {string} to @param {number[]} b */
      const accumulate = (to, b) =>
        set(
          to,
          relaxed
            ? vector(0x105)(get("s"), b, get(to))
            : plus(product(get("s"), b), get(to)),
        );
      const rows = FOUR.map((i) => `a${i}`);
      const one = FOUR.flatMap((k) => [
        set("b0", load(get("w"), 32 * k)),
        set("b1", load(get("w"), 32 * k + 16)),
        ...FOUR.flatMap((i) => [
          set("s", splat(get(rows[i]), 4 * k)),
          accumulate(`c${i}0`, get("b0")),
          accumulate(`c${i}1`, get("b1")),
        ]),
      ]);
      return [
        set("plane", add(get("v"), times(get("planeV"), whole(16)))),
        until(
          "v",
          "plane",
          set("block", get("m")),
          set("p", add(get("m"), times(get("blocks"), whole(32)))),
          until(
            "block",
            "p",
            set("from", get("v")),
            set("to", get("block")),
            set("group", add(get("v"), times(times(get("groups"), get("depth")), whole(4)))),
            until(
              "from",
              "group",
              set("a0", get("from")),
              ...[1, 2, 3].map((i) => set(rows[i], add(get(rows[i - 1]), get("depth")))),
              set("stop", get("a1")),
              set("w", get("u")),
              ...square("c", 4, 2).map((name) => set(name, zeros)),
              until("a0", "stop", ...one, ...rows.map((name) => move(name, whole(16))), move("w", whole(128))),
              set("from", get("a3")),
              ...FOUR.flatMap((i) => [
                store(get("to"), get(`c${i}0`)),
                store(get("to"), get(`c${i}1`), 16),
                move("to", get("stride")),
              ]),
            ),
            set("u", get("w")),
            move("block", whole(32)),
          ),
          move("v", get("planeV")),
          move("m", get("planeM")),
        ),
      ];
    },
  );

// A row of tiles. `m`: its first in the first plane; `y`: the first pixel of the result.
const gather = routine(
  "m y tiles wide out stride plane bias slope",
  "last stop a b",
  [...square("s", 2, 4), ...FOUR.map((i) => `d${i}`), "z", "l"],
  ({ get, set, move, until }) => [
    set("last", add(get("m"), times(get("tiles"), get("stride")))),
    until(
      "m",
      "last",
      set("stop", add(get("m"), get("out"))),
      until(
        "m",
        "stop",
        ...FOUR.flatMap((j) => [
          set("b", add(get("m"), times(get("plane"), whole(j)))),
          ...FOUR.flatMap((i) => [
            set(`d${i}`, load(get("b"))),
            i < 3 ? move("b", times(get("plane"), whole(4))) : [],
          ]),
          ...sums(FOUR.map((i) => get(`d${i}`))).map((s, i) => set(`s${i}${j}`, s)),
        ]),
        set("l", load(get("slope"))),
        set("a", get("y")),
        ...[0, 1].flatMap((i) => [
          set("b", get("a")),
          ...sums(FOUR.map((j) => get(`s${i}${j}`))).flatMap((value) => [
            set("z", plus(value, load(get("bias")))),
            store(
              get("b"),
              plus(higher(get("z"), zeros), product(get("l"), lower(get("z"), zeros))),
            ),
            move("b", get("out")),
          ]),
          move("a", get("wide")),
        ]),
        ...["m", "y", "bias", "slope"].map((name) => move(name, whole(16))),
      ),
      move("m", subtract(get("stride"), get("out"))),
      move("y", get("out")),
      ...["bias", "slope"].map((name) => set(name, subtract(get(name), get("out")))),
    ),
  ],
);

/** @param {number} kind @param {number[]} content */
const section = (kind, content) => [kind, ...unsigned(content.length), ...content];
/** @param {string} text */
const named = (text) => [text.length, ...new TextEncoder().encode(text)];

/** How far its memory may grow, which threads have to agree on: 1 GiB, that small devices can promise. */
export const PAGES = 16384;

/** @param {boolean} relaxed @param {boolean} [shared] whether other threads have its memory too */
export function assembled(relaxed, shared = false) {
  const routines = { prepare, spread, multiply: multiply(relaxed), gather };
  const bodies = Object.values(routines);
  const types = bodies.map(({ parameters }) => [0x60, parameters, ...new Array(parameters).fill(I32), 0]);
  const exported = Object.keys(routines).flatMap((name, i) => [...named(name), 0, i]);
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [types.length, ...types.flat()]),
    ...section(2, [1, ...named("js"), ...named("memory"), 2, ...(shared ? [3, 1, ...unsigned(PAGES)] : [0, 1])]),
    ...section(3, [bodies.length, ...bodies.keys()]),
    ...section(7, [bodies.length, ...exported]),
    ...section(10, [bodies.length, ...bodies.flatMap(({ code }) => [...unsigned(code.length), ...code])]),
  ]);
}

/** The program, with multiply-adds where there are such; null without SIMD. @param {boolean} [shared] */
export function program(shared) {
  for (const relaxed of [true, false]) {
    const code = assembled(relaxed, shared);
    if (WebAssembly.validate(code)) return new WebAssembly.Module(code);
  }
  return null;
}
