// Time as the server has it: countdowns, ages, the site's clock; and what is not up to date any more.
import { all, first, hear, say, tell } from "./dom.js";

const SILENT_S = 11; // no news from the console for so long: it beats each 5 s, and 12 s are promised
const SOUND_EVERY_S = 60;
const OFFSETS = 12;
const SECOND = 1_000_000;

/** @typedef {{at: number, data_at?: number, pbx_at?: number | null, service_at?: number | null, stale?: string | null, since_at?: number | null}} Beat */

const zone = document.body.dataset.zone || "UTC";
const siteClock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit" });
const title = document.title;
/** @type {number[]} */
let offsets = [];
let heardAt = performance.now();
/** @type {Beat} */
let last = { at: 0 };

/** Learn what time it is there: of the last messages, the one that was underway the shortest. @param {number} at */
function learn(at) {
  heardAt = performance.now();
  offsets = [...offsets.slice(1 - OFFSETS), at - heardAt * 1000];
}

/** Now, by the server's clock, in microseconds. */
export const now = () => (offsets.length ? Math.max(...offsets) : Date.now() * 1000 - performance.now() * 1000) + performance.now() * 1000;

/** How long, in words. @param {number} s */
const long = (s) =>
  s < 60 ? say("seconds", { n: Math.round(s) }) : s < 7200 ? say("minutes", { n: Math.floor(s / 60) }) : say("hours", { n: Math.floor(s / 3600) });

/** Minutes and seconds. @param {number} s */
const short = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;

/** Time left until an instant; beyond it, by how much. @param {number} us */
function left(us) {
  const s = us / SECOND;
  if (s >= 600) return long(s);
  return s >= 0 ? short(s) : `+${long(-s)}`;
}

/** @param {Element} element @param {string} text */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Write everything that time changes. */
export function tick() {
  const at = now();
  for (const element of all("[data-until]")) write(element, left(Number(element.dataset.until) - at));
  for (const element of all("[data-since]")) write(element, short(Math.max(0, at - Number(element.dataset.since)) / SECOND));
  for (const element of all("[data-clock]")) write(element, siteClock.format(at / 1000));
  for (const element of all("[data-age]")) {
    const seen = element.dataset.age === "data" ? last.data_at : last.pbx_at;
    const s = seen ? Math.max(0, at - seen) / SECOND : null;
    write(element, s === null ? "–" : s < 10 ? say("seconds", { n: s.toFixed(1) }) : long(s));
  }
  judge(at);
  tell("tick");
}

/** Say which layer is silent, the nearest first, and let every figure look so. @param {number} at */
function judge(at) {
  const silent = performance.now() - heardAt > SILENT_S * 1000 && offsets.length > 0 && Boolean(document.body.dataset.view);
  const layer = silent ? "stream" : (last.stale ?? null);
  const since = silent ? at - (performance.now() - heardAt) * 1000 : (last.since_at ?? null);
  const banner = /** @type {HTMLElement} */ (document.getElementById("banner"));
  const body = document.body;
  if ((body.dataset.stale ?? null) !== layer) {
    body.classList.toggle("stale", layer !== null);
    if (layer === null) delete body.dataset.stale;
    else body.dataset.stale = layer;
    banner.hidden = layer === null;
    document.title = layer === null ? title : `⚠ ${say("stale")} · ${title}`;
    if (layer !== null) {
      const clock = since === null ? say("never") : siteClock.format(since / 1000);
      write(/** @type {Element} */ (banner.firstElementChild), say(layer, { clock }));
      write(/** @type {Element} */ (banner.lastElementChild), say("stale_more"));
    }
  }
  const old = layer !== null && since !== null ? say("old", { age: long((at - since) / SECOND) }) : "";
  for (const element of all(".figures, .card:has([data-figure]) > h2")) {
    if (old) element.dataset.old = old;
    else delete element.dataset.old;
  }
}

/** Tick with the server's seconds. */
function beat() {
  tick();
  setTimeout(beat, Math.max(50, 1000 - ((now() / 1000) % 1000)));
}

// One sound a minute at most, and only after a click has asked for it: browsers allow none before.
/** @type {AudioContext | null} */
let audio = null;
let soundedAt = -Infinity;

function sound() {
  if (!audio || performance.now() - soundedAt < SOUND_EVERY_S * 1000) return;
  soundedAt = performance.now();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  volume.gain.setValueAtTime(0.15, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.6);
  tone.frequency.value = 660;
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.6);
}

/** A promise more binds or is late: tell once, by shape and by sound. @param {string} name @param {string} before @param {string} after */
export function risen(name, before, after) {
  if (!["binds", "late"].includes(name) || !(Number(after) > Number(before))) return;
  sound();
  for (const figure of all(`.figures .${name}`)) {
    figure.classList.add("told");
    setTimeout(() => figure.classList.remove("told"), 4000);
  }
}

/** End the sound that is heard now. */
export const silence = () => audio?.suspend().then(() => audio?.resume());

/** @param {HTMLElement} button */
export function toggleSound(button) {
  const on = button.getAttribute("aria-pressed") !== "true";
  if (on) {
    audio ??= new AudioContext();
    audio.resume();
    soundedAt = -Infinity;
    sound(); // so that one knows how it sounds
  } else {
    audio?.close();
    audio = null;
  }
  button.setAttribute("aria-pressed", String(on));
}

export function begin() {
  const at = Number(document.body.dataset.at ?? 0);
  if (at) {
    learn(at);
    last = { at, data_at: at };
  }
  hear("beat", (/** @type {Beat} */ told) => {
    learn(told.at);
    last = told;
    tick();
  });
  hear("frame", (/** @type {{at: number}} */ frame) => learn(frame.at));
  if (first("[data-clock], [data-until], [data-since]")) beat();
}
