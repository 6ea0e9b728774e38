// Fetches exported files: each once, kept in the Cache API under its hash.

import { Refused } from "./check";
import type { File } from "./manifest";

const CACHE = "tfanime-files";

export type Progress = (loaded: number, total: number) => void;

/** Caches exist on https and localhost only; elsewhere every visit downloads again. */
async function openCache(): Promise<Cache | null> {
  return typeof caches === "undefined" ? null : caches.open(CACHE).catch(() => null);
}

function key(folder: URL, file: File): URL {
  return new URL(`.kept/${file.sha256}`, folder);
}

const writing = new Set<Promise<void>>();

/** Writes while the first picture is drawn. A full disk costs the next visit a download, not this one
 * its picture. */
function keep(cache: Cache, at: URL, bytes: Uint8Array<ArrayBuffer>): void {
  const put = cache
    .put(at, new Response(bytes))
    .catch(() => {})
    .finally(() => writing.delete(put));
  writing.add(put);
}

async function hash(bytes: Uint8Array<ArrayBuffer>): Promise<string | null> {
  if (typeof crypto === "undefined" || !crypto.subtle) return null;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function download(
  folder: URL,
  file: File,
  arrived: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await fetch(new URL(file.path, folder), { signal }).catch(() => null);
  if (!answer?.ok || !answer.body) {
    const reason = answer ? `the server answered ${answer.status}` : "the server cannot be reached";
    throw new Refused(`${file.path} could not be loaded: ${reason}.`);
  }
  const bytes = new Uint8Array(file.bytes);
  let length = 0;
  const reader = answer.body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new Refused(`${file.path} could not be loaded: the connection broke.`);
    });
    if (done) break;
    if (length + value.length <= bytes.length) bytes.set(value, length);
    length += value.length;
    if (length > bytes.length) {
      await reader.cancel();
      break;
    }
    arrived(value.length);
  }
  const found = length === bytes.length ? await hash(bytes) : "";
  if (found !== null && found !== file.sha256) {
    throw new Refused(
      `${file.path} is not the file that tfanime.json describes. Export the folder again.`,
    );
  }
  return bytes;
}

/** How many bytes of these files are still to be downloaded. */
export async function missing(folder: URL, files: File[]): Promise<number> {
  const cache = await openCache();
  await Promise.all(writing);
  const kept = await Promise.all(files.map((file) => cache?.match(key(folder, file))));
  return files.reduce((sum, file, i) => sum + (kept[i] ? 0 : file.bytes), 0);
}

export async function load(
  folder: URL,
  files: File[],
  progress: Progress = () => {},
  signal?: AbortSignal,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const cache = await openCache();
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  let loaded = 0;
  const found = await Promise.all(
    files.map(async (file): Promise<[string, Uint8Array<ArrayBuffer>]> => {
      const kept = await cache?.match(key(folder, file));
      if (kept) {
        const bytes = new Uint8Array(await kept.arrayBuffer());
        if (bytes.length === file.bytes) {
          progress((loaded += bytes.length), total);
          return [file.path, bytes];
        }
      }
      const bytes = await download(folder, file, (n) => progress((loaded += n), total), signal);
      if (cache) keep(cache, key(folder, file), bytes);
      return [file.path, bytes];
    }),
  );
  return new Map(found);
}

/** Forgets files of earlier exports in this folder. */
export async function forgetOthers(folder: URL, files: File[]): Promise<void> {
  const cache = await openCache();
  if (!cache) return;
  const current = new Set(files.map((file) => key(folder, file).href));
  const ours = new URL(".kept/", folder).href;
  for (const request of await cache.keys()) {
    if (request.url.startsWith(ours) && !current.has(request.url)) await cache.delete(request);
  }
}
