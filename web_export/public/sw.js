// Makes the page start without a network. Models are kept by the page itself, under their hash.

const VERSION = "VERSION";
const FILES = ["FILES"];
const POSTERS = ["POSTERS"]; // beside them, where a model makes posters
const HOME = self.registration.scope;
// Sites in other folders of the same address have theirs. Names of earlier exports, of a version alone, do
// not say of which folder they are, so those stay.
const OURS = `tfanime-site ${HOME} `;
const CACHE = OURS + VERSION;
const OWN = ["", "tfanime.json", ...FILES, ...POSTERS];
// Kept when they are used: other backends, and what is said of a model.
const USED = /^(assets\/.*|models\/[\w.-]+\/MODEL_CARD\.md)$/;

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      await cache.addAll([...FILES, "tfanime.json"]);
      const { models } = await (await cache.match("tfanime.json")).json();
      if (models.some(({ poster }) => poster)) await cache.addAll(POSTERS);
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith(OURS) && name !== CACHE) await caches.delete(name);
      }
      await self.clients.claim();
    })(),
  );
});

async function kept(request) {
  return (await caches.open(CACHE)).match(request, { ignoreSearch: true });
}

/** Only whole files are kept. One that cannot be, as where the disk is full, costs the next visit a
 * download, not this one the file. */
async function fetchAndKeep(request) {
  const answer = await fetch(request);
  const keep = async () => (await caches.open(CACHE)).put(request, answer.clone());
  if (answer.status === 200) await keep().catch(() => {});
  return answer;
}

/** A page that is cross-origin isolated takes no worker without this header, and those that were kept
 * before its host began to send it have none. On other pages it changes nothing. */
function isolated(found) {
  const headers = new Headers(found.headers);
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  return new Response(found.body, { status: found.status, headers });
}

/** Files with a hash in their name never change; the others are asked for, and kept for when
 * nobody answers. */
async function answer(request, path) {
  if (path.startsWith("assets/")) {
    const found = (await kept(request)) ?? (await fetchAndKeep(request));
    return request.destination === "worker" ? isolated(found) : found;
  }
  try {
    return await fetchAndKeep(request);
  } catch (error) {
    const found = (await kept(request)) ?? (path ? null : await kept("index.html"));
    if (found) return found;
    throw error;
  }
}

// What else lies in the folder, or below it, is not the site's.
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const [address] = request.url.split(/[?#]/);
  if (request.method !== "GET" || !address.startsWith(HOME)) return;
  const path = address.slice(HOME.length);
  if (OWN.includes(path) || USED.test(path)) event.respondWith(answer(request, path));
});
