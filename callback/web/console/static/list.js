// The list that does not move under the hand: contents change in place, order waits while somebody is about to act.
import { risen, tick } from "./clocks.js";
import { replaceParts } from "./live.js";
import { all, boxOf, first, hear, made, rowAt, rowOf, rows, say, tell } from "./dom.js";

/** @typedef {import("./live.js").Frame} Frame */

const MOVED_MS = 1500; // a pointer that moved so lately inside the list is about to press something
const RESTED_MS = 20_000; // one that rests on a row is, too, until nothing at all was touched for so long
const LOOK_MS = 300;

/** The order that the list is to have, lane by lane; null: the one that it has. @type {Record<string, number[]> | null} */
let order = null;
/** Rows that wait to come in. @type {Map<string, string>} */
const coming = new Map();
/** @type {Record<string, string[]>} */
let lookers = {};
/** The row that keys act on. @type {HTMLElement | null} */
let current = null;
let inside = false;
let movedAt = -Infinity;
let touchedAt = -Infinity;

const listed = () => (order ? Object.values(order).flat().map(String) : []);
const isOurs = (/** @type {Element} */ row) => row.isConnected && !row.classList.contains("ghost");

/** Rows that an act is about: those that are selected, else the one with the focus, else the one that the page is about. */
export function chosen() {
  const picked = rows().filter((row) => row.classList.contains("selected") && isOurs(row));
  const one = current ?? rowOf(document.body.dataset.open ?? "");
  return picked.length ? picked : one && isOurs(one) ? [one] : [];
}

/** Whether a hand is in the list, so that nothing may move. */
function isFrozen() {
  const at = performance.now();
  const rests = inside && at - touchedAt < RESTED_MS;
  return (
    rests || at - movedAt < MOVED_MS || Boolean(rowAt(document.activeElement)) || Boolean(current && first(".acts details[open], dialog[open]")) ||
    rows().some((row) => row.classList.contains("selected")) || Boolean(first("[data-lane] details[open]"))
  );
}

/** A cell as the server made it: without what scripts wrote into it. @param {Element} cell */
function bare(cell) {
  const copy = /** @type {Element} */ (cell.cloneNode(true));
  for (const element of all(".made", copy)) element.remove();
  for (const element of all("[data-until], [data-since]", copy)) element.textContent = "";
  for (const element of all("details[open]", copy)) element.removeAttribute("open");
  return copy.innerHTML.trim();
}

/** Change what stands in a row; the row itself, its selection and the focus in it stay. @param {HTMLElement} row @param {string} html */
export function patch(row, html) {
  const next = made(html);
  if (next.dataset.hash && next.dataset.hash === row.dataset.hash && !row.classList.contains("ghost")) return;
  const focused = document.activeElement;
  const place = focused && row.contains(focused) ? all("a, button, input, select, summary", row).indexOf(/** @type {HTMLElement} */ (focused)) : -1;
  const selected = row.classList.contains("selected");
  for (const { name, value } of [...next.attributes]) row.setAttribute(name, value);
  row.className = next.className;
  row.classList.toggle("selected", selected);
  const olds = [...row.children];
  const news = [...next.children];
  news.forEach((cell, index) => {
    const old = olds[index];
    if (!old) return row.append(cell);
    const box = /** @type {HTMLInputElement | null} */ (cell.querySelector("input[type=checkbox]"));
    const kept = /** @type {HTMLInputElement | null} */ (old.querySelector("input[type=checkbox]"));
    old.className = cell.className;
    if (box && kept) [kept.value, kept.disabled] = [box.value, box.disabled];
    else if (!first("details[open]", old) && bare(old) !== bare(cell)) {
      old.replaceChildren(...cell.childNodes);
      old.classList.add("fresh");
      setTimeout(() => old.classList.remove("fresh"), 1000);
    }
  });
  olds.slice(news.length).forEach((cell) => cell.remove());
  if (place >= 0 && !row.contains(document.activeElement)) (all("a, button, input, select, summary", row)[place] ?? row).focus({ preventScroll: true });
}

/** A row has left: it keeps its place as a ghost until the hand leaves it. @param {HTMLElement} row @param {string} outcome */
function haunt(row, outcome) {
  row.classList.remove("selected", "sending");
  row.classList.add("ghost");
  row.toggleAttribute("data-moved", outcome === say("left")); // it is open still, behind those that are shown
  const box = boxOf(row);
  if (box) [box.checked, box.disabled] = [false, true];
  const cell = first(".next", row) ?? row.lastElementChild;
  const words = made('<span class="outcome"></span>');
  words.textContent = outcome;
  cell?.replaceChildren(words);
}

/** Write who else has a row open. */
function writeLookers() {
  const me = document.body.dataset.user;
  for (const row of rows()) {
    const others = (lookers[row.dataset.id ?? ""] ?? []).filter((name) => name !== me);
    const text = others.length ? say("looks", { who: others.join(", ") }) : "";
    const cell = first(".whose", row);
    let eyes = first(".eyes", row);
    if (!text) eyes?.remove();
    else if (cell && eyes?.textContent !== text) {
      eyes ??= cell.appendChild(made('<span class="made eyes"></span>'));
      eyes.textContent = text;
    }
  }
}

/** Let the list have its order: rows come in, move and leave. The focus stays on its row, and nothing scrolls. */
export function settle() {
  if (!order) return;
  const focused = /** @type {HTMLElement | null} */ (rowAt(document.activeElement) && document.activeElement);
  const wanted = new Set(listed());
  for (const row of rows()) if (!wanted.has(row.dataset.id ?? "")) row.remove();
  for (const [name, ids] of Object.entries(order)) {
    const lane = first(`[data-lane="${CSS.escape(name)}"]`);
    if (!lane) continue;
    let at = /** @type {Element | null} */ ([...lane.children].find((row) => !row.classList.contains("lane")) ?? null);
    for (const id of ids) {
      const row = rowOf(id) ?? (coming.has(String(id)) ? made(coming.get(String(id)) ?? "") : null);
      if (!row) continue;
      if (row === at) at = at.nextElementSibling;
      else lane.insertBefore(row, at);
    }
    lane.toggleAttribute("data-empty", rows(lane.parentElement ?? lane).every((row) => row.parentElement !== lane));
  }
  coming.clear();
  order = null;
  if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
  writeLookers();
  tick();
  tell("selected");
  showPill();
}

/** Say what waits: new rows, those of them that bind or are late, those that are gone. @param {boolean} [paused] */
function showPill(paused = document.body.hasAttribute("data-paused")) {
  const wanted = listed();
  const fresh = wanted.filter((id) => !rowOf(id));
  const among = (/** @type {string} */ lane) => (order?.[lane] ?? []).filter((id) => fresh.includes(String(id))).length;
  const leaves = (/** @type {HTMLElement} */ row) => row.classList.contains("ghost") && !row.hasAttribute("data-moved") && !wanted.includes(row.dataset.id ?? "");
  const gone = order ? rows().filter(leaves).length : 0;
  const parts = [["new", fresh.length], ["binds", among("binds")], ["late", among("late")], ["gone", gone]]
    .filter(([, n]) => n).map(([key, n]) => say(String(key), { n }));
  const stands = rows().filter((row) => !row.classList.contains("ghost")).map((row) => row.dataset.id);
  const isOther = stands.join() !== wanted.filter((id) => rowOf(id)).join() || Boolean(first("[data-lane] .ghost[data-moved]"));
  if (order && !parts.length && isOther) parts.push(say("moved"));
  if (paused) parts.unshift(say("paused"));
  const pill = /** @type {HTMLElement} */ (document.getElementById("pill"));
  const text = /** @type {Element} */ (pill.firstElementChild);
  if (text.textContent !== parts.join(" · ")) text.textContent = parts.join(" · ");
  pill.hidden = !parts.length;
}

/** Take what changed. @param {Frame} frame */
function show(frame) {
  for (const [name, value] of Object.entries(frame.figures ?? {})) {
    for (const figure of all(`[data-figure="${CSS.escape(name)}"]`)) {
      if (figure.textContent === value) continue;
      risen(name, figure.textContent ?? "", value);
      figure.textContent = value;
    }
    for (const titled of all(`[data-figure-title="${CSS.escape(name)}"]`)) titled.title = value;
  }
  replaceParts(frame.parts ?? {});
  for (const [id, html] of Object.entries(frame.rows ?? {})) {
    const row = rowOf(id);
    if (row) patch(row, html);
    else coming.set(id, html);
  }
  if (Object.keys(frame.order ?? {}).length) order = frame.order ?? null; // a view of figures alone has none
  for (const [id, outcome] of Object.entries(frame.gone ?? {})) {
    const row = rowOf(id);
    if (row && !frame.rows?.[id]) haunt(row, outcome);
    coming.delete(id);
  }
  if (frame.who) lookers = frame.who;
  writeLookers();
  tick();
  look();
}

/** Let what waits come in, unless a hand is in the list. */
function look() {
  if (order && !isFrozen()) settle();
  else showPill();
}

/** Whether an act is for the rows that are chosen: some are for rows of certain lanes alone. @param {HTMLElement} element */
export function fits(element) {
  const lanes = element.dataset.lanes?.split(" ");
  return !lanes || chosen().every((row) => lanes.includes(row.closest("[data-lane]")?.getAttribute("data-lane") ?? ""));
}

/** Offer the acts that fit; with no row chosen, the first of those on one key. */
function offer() {
  const keys = new Set();
  for (const element of all(".acts [data-lanes]")) {
    element.hidden = !fits(element) || keys.has(element.dataset.key);
    if (!element.hidden) keys.add(element.dataset.key);
  }
}

/** Make a row the one that keys act on. @param {HTMLElement | null} row */
export function makeCurrent(row) {
  if (current !== row) current?.removeAttribute("data-current");
  current = row;
  row?.setAttribute("data-current", "");
  offer();
}

export const currentRow = () => (current?.isConnected ? current : null);

/** Put the focus on a row: on the link that opens it, so that it is read aloud. @param {HTMLElement} row */
export function focusRow(row) {
  makeCurrent(row);
  (first(".open", row) ?? row).focus();
}

/** The row so many places on from the current one. @param {number} by */
export function step(by) {
  const shown = rows().filter((row) => row.checkVisibility());
  const here = currentRow();
  const at = here ? shown.indexOf(/** @type {HTMLTableRowElement} */ (here)) : -1;
  const next = shown[at < 0 ? (by > 0 ? 0 : shown.length - 1) : Math.min(shown.length - 1, Math.max(0, at + by))];
  if (next) focusRow(next);
}

/** @param {HTMLElement} row @param {boolean} on */
export function select(row, on) {
  const box = boxOf(row);
  if (!box || box.disabled) return;
  box.checked = on;
  row.classList.toggle("selected", on);
  tell("selected");
}

export function begin() {
  makeCurrent(rowAt(document.activeElement)); // a page may begin with the focus in its list
  hear("shown", show);
  hear("kept", (/** @type {boolean} */ paused) => {
    document.body.toggleAttribute("data-paused", paused);
    showPill(paused);
  });
  hear("selected", () => {
    const n = rows().filter((row) => row.classList.contains("selected")).length;
    for (const count of all("[data-selected]")) count.textContent = String(n);
    document.body.toggleAttribute("data-selecting", n > 0);
    offer();
  });
  document.addEventListener("change", (event) => {
    const row = rowAt(event.target);
    if (row && event.target === boxOf(row)) select(row, /** @type {HTMLInputElement} */ (event.target).checked);
  });
  document.addEventListener("focusin", (event) => {
    const row = rowAt(event.target);
    if (row) makeCurrent(row);
  });
  document.addEventListener("pointermove", (event) => {
    touchedAt = performance.now();
    inside = event.pointerType === "mouse" && event.target instanceof Element && event.target.closest("[data-lane]") !== null;
    if (event.target instanceof Element && event.target.closest("[data-lane]")) movedAt = touchedAt;
  }, { passive: true });
  for (const name of ["keydown", "wheel", "pointerdown"]) document.addEventListener(name, () => { touchedAt = performance.now(); }, { passive: true });
  document.documentElement.addEventListener("pointerleave", () => { inside = false; });
  for (const row of rows()) if (boxOf(row)?.checked) row.classList.add("selected"); // as the browser remembers it
  tell("selected");
  setInterval(() => { if (order && !document.hidden) look(); }, LOOK_MS);
}
