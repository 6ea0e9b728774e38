// Makes the page start without a network. Models are kept by the page itself, under their hash.

const VERSION = "VERSION";
const FILES = ["FILES"];
const POSTERS = ["POSTERS"]; // beside them, where a model makes posters
const CACHE = `tfanime-site-${VERSION}`;

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
        if (name.startsWith("tfanime-site-") && name !== CACHE) await caches.delete(name);
      }
      await self.clients.claim();
    })(),
  );
});

async function kept(request) {
  return (await caches.open(CACHE)).match(request, { ignoreSearch: true });
}

async function fetchAndKeep(request) {
  const answer = await fetch(request);
  if (answer.ok) await (await caches.open(CACHE)).put(request, answer.clone());
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
async function answer(request) {
  if (new URL(request.url).pathname.includes("/assets/")) {
    const found = (await kept(request)) ?? (await fetchAndKeep(request));
    return request.destination === "worker" ? isolated(found) : found;
  }
  try {
    return await fetchAndKeep(request);
  } catch (error) {
    const home = request.url.split(/[?#]/)[0] === self.registration.scope;
    const found = (await kept(request)) ?? (home ? await kept("index.html") : null);
    if (found) return found;
    throw error;
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  const ours = address.href.startsWith(self.registration.scope);
  const model = /\.(bin|json)$/.test(address.pathname) && !address.pathname.endsWith("/tfanime.json");
  if (request.method === "GET" && ours && !model) event.respondWith(answer(request));
});
