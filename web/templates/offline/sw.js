/* Keeps the page for when there is no network. Never a page about a person. */
const NAME = "moodmiles-{{ version }}";
const PAGE = {{ page|tojson }};
const FILES = {{ files|tojson }};

const keep = async () => {
  const cache = await caches.open(NAME);
  await cache.addAll([PAGE, ...FILES]);
  await self.skipWaiting();
};
const forgetOlder = async () => {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== NAME).map((name) => caches.delete(name)));
  await self.registration.navigationPreload?.enable();
  await self.clients.claim();
};
const visit = async (event) => {
  try {
    return (await event.preloadResponse) || (await fetch(event.request));
  } catch {
    return caches.match(PAGE);
  }
};
const file = async (request) => (await caches.match(request)) || fetch(request);

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(forgetOlder()));
self.addEventListener("fetch", (event) => {
  const { request } = event, { origin, pathname, search } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(visit(event));
  else if (FILES.includes(pathname + search)) event.respondWith(file(request));
});
