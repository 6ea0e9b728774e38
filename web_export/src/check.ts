// Checks of data from outside: exported files, imported settings, addresses. Each returns the
// value with its type, or throws a sentence: what it must be, and what was received.

export class Refused extends Error {
  override name = "Refused";
}

export type Json = Record<string, unknown>;

function shown(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : String(JSON.stringify(value));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

export function refuse(what: string, rule: string, value: unknown): never {
  throw new Refused(`${what} is ${rule}. Received: ${shown(value)}.`);
}

export function object(value: unknown, what: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    refuse(what, "an object", value);
  }
  return value as Json;
}

export function list(value: unknown, what: string, most: number): unknown[] {
  if (!Array.isArray(value) || value.length > most) {
    refuse(what, `a list of at most ${most} entries`, value);
  }
  return value as unknown[];
}

export function text(value: unknown, what: string, most = 200): string {
  if (typeof value !== "string" || value.length > most) {
    refuse(what, `text of at most ${most} characters`, value);
  }
  return value as string;
}

/** Bytes, of text in base64. */
export function base64(value: unknown, what: string, most: number): Uint8Array<ArrayBuffer> {
  const source = text(value, what, most);
  let found = "";
  try {
    found = atob(source);
  } catch {
    refuse(what, "base64", value);
  }
  // A plain loop: there are tens of thousands, and this runs before the first picture.
  const bytes = new Uint8Array(found.length);
  for (let i = 0; i < found.length; i++) bytes[i] = found.charCodeAt(i);
  return bytes;
}

export function number(value: unknown, what: string, low: number, high: number): number {
  if (typeof value !== "number" || !(value >= low && value <= high)) {
    refuse(what, `a number from ${low} to ${high}`, value);
  }
  return value as number;
}

export function whole(value: unknown, what: string, low: number, high: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < low || (value as number) > high) {
    refuse(what, `a whole number from ${low} to ${high}`, value);
  }
  return value as number;
}

export function oneOf<T extends string>(value: unknown, what: string, known: readonly T[]): T {
  if (!known.includes(value as T)) refuse(what, `one of ${known.join(", ")}`, value);
  return value as T;
}

export function parse(source: string, what: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    throw new Refused(`${what} is not JSON.`);
  }
}
