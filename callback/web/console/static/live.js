// One stream for all tabs of a browser: one tab, elected by a lock, listens and tells the others.
import { all, hear, made, post, rows, tell } from "./dom.js";

/** @typedef {{view?: string, n?: number, v?: number, at: number, whole?: boolean, rows?: Record<string, string>, order?: Record<string, number[]>,
 *   gone?: Record<string, string>, figures?: Record<string, string>, parts?: Record<string, string>, who?: Record<string, string[]>}} Frame */
/** @typedef {{views: string[], seen: number}} Wish */

const VIEWS = 16; // of one stream: as many as the server allows
const WISHES_EVERY_MS = 10_000;
const WISHES_LAST_MS = 90_000; // timers of hidden tabs may run once a minute
const AGAIN_MS = [1000, 2000, 4000, 8000];
const HERE_EVERY_MS = 25_000; // the server believes it for a minute
const HERE_SOON_MS = 400;

const tab = crypto.randomUUID();
const views = (document.body.dataset.view ?? "").split(/\s+/).filter(Boolean);
const channel = new BroadcastChannel("live");
/** What each tab wants to see. @type {Map<string, Wish>} */
const wishes = new Map();
let leads = false;
/** @type {EventSource | null} */
let source = null;
let failures = 0;
let lastId = "";
/** @type {number | undefined} */
let timer;
/** What came while the tab was hidden, or paused, by view. @type {Map<string, Frame>} */
const kept = new Map();
let paused = false;

/** Tell the tab that leads what this one wants. */
const wish = () => channel.postMessage({ kind: "wish", tab, views });

/** @param {{kind: string, [name: string]: any}} message */
function heard(message) {
  if (message.kind === "event") take(message.name, message.data);
  else if (message.kind === "who-wants") wish();
  else if (leads && message.kind === "wish") want(message.tab, message.views);
  else if (leads && message.kind === "leave" && wishes.delete(message.tab)) later(5000);
}

/** A tab wants these; a new one needs all that there is, so the stream begins anew. @param {string} who @param {string[]} what */
function want(who, what) {
  const known = wishes.get(who);
  wishes.set(who, { views: what, seen: performance.now() });
  if (known) return;
  lastId = "";
  later(30);
}

/** Listen again soon. @param {number} ms */
function later(ms) {
  clearTimeout(timer);
  timer = setTimeout(listen, ms);
}

function listen() {
  for (const [who, one] of wishes) if (who !== tab && performance.now() - one.seen > WISHES_LAST_MS) wishes.delete(who);
  const wanted = [...new Set([...wishes.values()].reverse().flatMap((one) => one.views))].slice(0, VIEWS);
  source?.close();
  if (!wanted.length) return;
  const query = new URLSearchParams(wanted.map((view) => ["view", view]));
  if (lastId) query.set("last", lastId);
  source = new EventSource(`/stream?${query}`);
  source.onmessage = (event) => {
    failures = 0;
    lastId = event.lastEventId;
    share("frame", event.data);
  };
  source.addEventListener("beat", (event) => share("beat", event.data));
  source.addEventListener("resync", () => share("resync", "{}"));
  source.addEventListener("bye", (event) => share("bye", event.data));
  source.onerror = () => {
    source?.close();
    tell("session"); // why there is no answer is not told to a stream
    const wait = AGAIN_MS[Math.min(failures++, AGAIN_MS.length - 1)] ?? 8000;
    later(wait * (0.75 + Math.random() / 2));
  };
}

/** What is refused says that the session is locked, or over. @param {Response} answer */
function signedIn(answer) {
  if (answer.status === 401) tell("session");
}

/** @param {string} name @param {string} data */
function share(name, data) {
  channel.postMessage({ kind: "event", name, data });
  take(name, data);
}

/** @param {string} name @param {string} data */
function take(name, data) {
  const told = JSON.parse(data);
  if (name === "frame") takeFrame(told);
  else if (name === "beat") tell("beat", told);
  else if (name === "resync") resync();
  else if (name === "bye" && told.why === "session") tell("session"); // it is locked, or over
}

/** @param {Frame} frame */
function takeFrame(frame) {
  tell("frame", frame);
  if (frame.view && !views.includes(frame.view)) return;
  if (!paused && !document.hidden) return tell("shown", frame);
  if (!paused && frame.figures) tell("shown", { at: frame.at, figures: frame.figures });
  const before = kept.get(frame.view ?? "");
  kept.set(frame.view ?? "", before && !frame.whole ? joined(before, frame) : frame);
  tell("kept", paused);
}

/** Two frames as one. @param {Frame} one @param {Frame} two @returns {Frame} */
function joined(one, two) {
  const gone = { ...one.gone, ...two.gone };
  for (const id of Object.keys(two.rows ?? {})) if (!two.gone?.[id]) delete gone[id];
  return {
    ...one, ...two, whole: one.whole, gone, rows: { ...one.rows, ...two.rows }, figures: { ...one.figures, ...two.figures },
    parts: { ...one.parts, ...two.parts }, order: two.order ?? one.order, who: two.who ?? one.who,
  };
}

function catchUp() {
  if (paused || document.hidden) return;
  const frames = [...kept.values()];
  kept.clear();
  for (const frame of frames) tell("shown", frame);
}

/** Fetch the page anew and take it as a frame: the list keeps its rules, the hand its row. */
async function resync() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (answer) signedIn(answer);
  if (!answer?.ok) return;
  if (answer.redirected && new URL(answer.url).pathname !== location.pathname) return location.reload();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  /** @type {Frame} */
  const frame = { at: Number(page.body.dataset.at), whole: true, rows: {}, order: {}, figures: {}, parts: {} };
  for (const lane of all("[data-lane]", page)) frame.order = { ...frame.order, [lane.dataset.lane ?? ""]: rows(lane).map((row) => Number(row.dataset.id)) };
  for (const row of rows(page)) frame.rows = { ...frame.rows, [row.dataset.id ?? ""]: row.outerHTML };
  for (const figure of all("[data-figure]", page)) frame.figures = { ...frame.figures, [figure.dataset.figure ?? ""]: figure.textContent ?? "" };
  for (const part of all("[data-hash][id]:not([data-id])", page)) frame.parts = { ...frame.parts, [part.id]: part.outerHTML };
  takeFrame(frame);
}

/** Stop or let go on what comes in. @param {HTMLElement} button */
export function togglePause(button) {
  paused = !paused;
  button.setAttribute("aria-pressed", String(paused));
  tell("kept", paused);
  catchUp();
}

/** Replace elements that are no rows. @param {Record<string, string>} parts */
export function replaceParts(parts) {
  for (const [id, html] of Object.entries(parts)) {
    const old = document.getElementById(id);
    if (!old || old.contains(document.activeElement) && document.activeElement?.matches("input, textarea, select")) continue;
    const part = made(html);
    if (part.dataset.hash !== undefined && part.dataset.hash === old.dataset.hash) continue;
    const place = all("a, button, summary", old).indexOf(/** @type {HTMLElement} */ (document.activeElement));
    all("details", old).forEach((one, n) => all("details", part)[n]?.toggleAttribute("open", one.hasAttribute("open")));
    old.replaceWith(part);
    if (place >= 0) all("a, button, summary", part)[place]?.focus({ preventScroll: true });
  }
}

/** Tell the others what this person has open: the reservation of the page, and the rows that are selected. */
function here() {
  const ids = [document.body.dataset.open, ...rows().filter((row) => row.classList.contains("selected")).map((row) => row.dataset.id)].filter(Boolean);
  post("/stream/here", new URLSearchParams({ tab, items: ids.slice(0, 100).join(",") })).then(signedIn, () => {});
}

export function begin() {
  if (!views.length) return;
  channel.onmessage = (event) => heard(event.data);
  document.addEventListener("visibilitychange", catchUp);
  addEventListener("pagehide", () => {
    channel.postMessage({ kind: "leave", tab });
    source?.close();
  });
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  setInterval(wish, WISHES_EVERY_MS);
  wish();
  navigator.locks.request("stream", () => {
    leads = true;
    channel.postMessage({ kind: "who-wants" });
    want(tab, views);
    return new Promise(() => {}); // until this tab is closed
  });
  let hereTimer = 0;
  const hereSoon = () => {
    clearTimeout(hereTimer);
    hereTimer = setTimeout(here, HERE_SOON_MS);
  };
  hear("selected", hereSoon);
  hear("opened", () => leads && later(30));
  setInterval(here, HERE_EVERY_MS);
  if (document.body.dataset.open) hereSoon();
}
