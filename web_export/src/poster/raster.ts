// Images as numbers: small filters, and enlarging without steps. After what Pillow does for Python.

/** RGBA, 0 to 255; what an ImageData is, without being one. */
export interface Pixels {
  data: Uint8ClampedArray<ArrayBuffer>;
  width: number;
  height: number;
}

/** One channel. */
export interface Plane {
  data: Float32Array<ArrayBuffer>;
  width: number;
  height: number;
}

export function plane(width: number, height: number): Plane {
  return { data: new Float32Array(width * height), width, height };
}

/** One of the channels, or with 3 its alpha. */
export function channel({ data, width, height }: Pixels, which: number): Plane {
  const found = plane(width, height);
  for (let i = 0; i < found.data.length; i++) found.data[i] = data[4 * i + which];
  return found;
}

/** Brightness in whole steps, 0 to 255. */
export function grey({ data, width, height }: Pixels): Plane {
  const found = plane(width, height);
  for (let i = 0; i < found.data.length; i++) {
    found.data[i] = (data[4 * i] * 19595 + data[4 * i + 1] * 38470 + data[4 * i + 2] * 7471 + 0x8000) >> 16;
  }
  return found;
}

/** The middle one of the values around each, `side` x `side` of them. */
export function median({ data, width, height }: Plane, side: number): Plane {
  const found = plane(width, height);
  const reach = side >> 1;
  const around = new Float32Array(side * side); // sorted as they come: they are few
  const inside = (at: number, most: number) => Math.max(0, Math.min(most - 1, at));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let n = 0;
      for (let dy = -reach; dy <= reach; dy++) {
        for (let dx = -reach; dx <= reach; dx++) {
          const value = data[inside(y + dy, height) * width + inside(x + dx, width)];
          let at = n++;
          for (; at > 0 && around[at - 1] > value; at--) around[at] = around[at - 1];
          around[at] = value;
        }
      }
      found.data[y * width + x] = around[around.length >> 1];
    }
  }
  return found;
}

/** Gaussian blur; beyond the edge is what is at the edge. */
export function blurred(from: Plane, deviation: number): Plane {
  const reach = Math.ceil(3 * deviation);
  if (!(deviation > 0)) return from;
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-(((i - reach) / deviation) ** 2) / 2));
  const whole = weights.reduce((a, b) => a + b, 0);
  const { width, height } = from;
  const pass = ({ data }: Plane, step: number, count: number, stride: number, lines: number): Plane => {
    const found = plane(width, height);
    for (let line = 0; line < lines; line++) {
      for (let i = 0; i < count; i++) {
        let sum = 0;
        for (let k = -reach; k <= reach; k++) {
          sum += weights[k + reach] * data[line * stride + Math.max(0, Math.min(count - 1, i + k)) * step];
        }
        found.data[line * stride + i * step] = sum / whole;
      }
    }
    return found;
  };
  return pass(pass(from, 1, width, width, height), width, height, 1, width);
}

// ---- sizes -------------------------------------------------------------------------------------

interface Taps {
  first: Int32Array;
  weights: Float32Array[];
}

const cubic = (x: number): number => {
  const t = Math.abs(x);
  if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
  return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
};

const flat = (x: number): number => (x > -0.5 && x <= 0.5 ? 1 : 0);

/** What each of `to` values is made of, of `from` values. */
function tapsOf(from: number, to: number, kernel: (x: number) => number, support: number): Taps {
  const scale = Math.max(1, from / to);
  const first = new Int32Array(to);
  const weights = Array.from({ length: to }, (_, i) => {
    const centre = ((i + 0.5) * from) / to;
    const begin = Math.max(0, Math.trunc(centre - support * scale + 0.5));
    const end = Math.min(from, Math.trunc(centre + support * scale + 0.5));
    const found = Float32Array.from({ length: end - begin }, (_, k) => kernel((k + begin - centre + 0.5) / scale));
    const whole = found.reduce((a, b) => a + b, 0);
    first[i] = begin;
    return found.map((w) => w / whole);
  });
  return { first, weights };
}

/** A plane made larger without steps, row by row: a print has millions of pixels. */
export class Enlarged {
  private readonly wide: Plane; // as wide as it will be, not yet as high
  private readonly down: Taps;
  private readonly row: Float32Array<ArrayBuffer>;

  constructor(from: Plane, width: number, height: number, kernel = cubic, support = 2) {
    const across = tapsOf(from.width, width, kernel, support);
    this.down = tapsOf(from.height, height, kernel, support);
    this.wide = plane(width, from.height);
    this.row = new Float32Array(width);
    for (let y = 0; y < from.height; y++) {
      for (let x = 0; x < width; x++) {
        const weights = across.weights[x];
        let sum = 0;
        const at = y * from.width + across.first[x];
        for (let k = 0; k < weights.length; k++) sum += weights[k] * from.data[at + k];
        this.wide.data[y * width + x] = sum;
      }
    }
  }

  /** Row `y`, in an array that the next call fills anew. */
  at(y: number): Float32Array<ArrayBuffer> {
    const { row, wide, down } = this;
    row.fill(0);
    down.weights[y].forEach((weight, k) => {
      const start = (down.first[y] + k) * wide.width;
      for (let x = 0; x < row.length; x++) row[x] += weight * wide.data[start + x];
    });
    return row;
  }
}

export function resized(from: Plane, width: number, height: number): Plane {
  const found = plane(width, height);
  const large = new Enlarged(from, width, height);
  for (let y = 0; y < height; y++) found.data.set(large.at(y), y * width);
  return found;
}

export function blank(width: number, height: number): Pixels {
  return { data: new Uint8ClampedArray(4 * width * height).fill(255), width, height };
}

/** A part of an image. */
export function cropped({ data, width }: Pixels, left: number, top: number, columns: number, rows: number): Pixels {
  const part = blank(columns, rows);
  for (let y = 0; y < rows; y++) {
    const from = 4 * ((top + y) * width + left);
    part.data.set(data.subarray(from, from + 4 * columns), 4 * y * columns);
  }
  return part;
}

/** An image made smaller, without its alpha: each pixel is the mean of those that it covers. */
export function boxed(image: Pixels, width: number, height: number): Pixels {
  const { data } = blank(width, height);
  for (let which = 0; which < 3; which++) {
    const small = new Enlarged(channel(image, which), width, height, flat, 0.5);
    for (let y = 0; y < height; y++) {
      const row = small.at(y);
      for (let x = 0; x < width; x++) data[4 * (y * width + x) + which] = row[x];
    }
  }
  return { data, width, height };
}
