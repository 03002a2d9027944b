// Small things that the other modules share: finding elements, the page's words, rows.

/** @type {Record<string, string>} */
const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");

/** The page's language has this sentence; `{name}` in it is a fact. @param {string} key @param {Record<string, unknown>} [facts] */
export function say(key, facts = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (all, name) => (name in facts ? String(facts[name]) : all));
}

/** @template {Element} [E=HTMLElement] @param {string} selector @param {ParentNode} [within] @returns {E[]} */
export const all = (selector, within = document) => /** @type {E[]} */ ([...within.querySelectorAll(selector)]);

/** @template {Element} [E=HTMLElement] @param {string} selector @param {ParentNode} [within] @returns {E | null} */
export const first = (selector, within = document) => /** @type {E | null} */ (within.querySelector(selector));

/** The rows of reservations, as they stand. @param {ParentNode} [within] */
export const rows = (within = document) => /** @type {HTMLTableRowElement[]} */ (all("[data-lane] > [data-id]", within));

/** @param {string | number} id */
export const rowOf = (id) => /** @type {HTMLTableRowElement | null} */ (document.getElementById(`r-${id}`));

/** The row that an element stands in. @param {EventTarget | null} target */
export const rowAt = (target) =>
  target instanceof Element ? /** @type {HTMLTableRowElement | null} */ (target.closest("[data-lane] > [data-id]")) : null;

/** @param {Element} row @returns {HTMLInputElement | null} */
export const boxOf = (row) => row.querySelector(".pick input");

/** The element that this HTML is; a row may stand alone. @param {string} html */
export function made(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return /** @type {HTMLElement} */ (template.content.firstElementChild);
}

export const isStale = () => document.body.classList.contains("stale");

/** Whether somebody types into this. @param {EventTarget | null} target */
export const isField = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit])"));

/** Tell something for a while. @param {string} text @param {boolean} [fault] */
export function toast(text, fault = false) {
  const told = made(`<div class="toast${fault ? " fault" : ""}"><p></p></div>`);
  /** @type {HTMLElement} */ (told.firstElementChild).textContent = text;
  show(told);
}

/** Show a toast: the last three stay, each 20 s at least; one that can be undone as long as that. @param {HTMLElement} told */
export function show(told) {
  const region = /** @type {HTMLElement} */ (document.getElementById("toasts"));
  region.append(told);
  while (region.children.length > 3) region.firstElementChild?.remove();
  setTimeout(() => told.remove(), 20_000);
}

/** What one-page programs share: an event of the page by name. @param {string} name @param {unknown} [detail] */
export const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`lcr:${name}`, { detail }));

/** @template T @param {string} name @param {(detail: T) => void} heard */
export const hear = (name, heard) => document.addEventListener(`lcr:${name}`, (event) => heard(/** @type {CustomEvent<T>} */ (event).detail));

/** Post as the page's own script: with the session's token, and for a part of the page. @param {string} address @param {URLSearchParams} body */
export const post = (address, body) =>
  fetch(address, { method: "POST", body, headers: { "X-Fragment": "1", "X-Csrf-Token": first("meta[name=csrf]")?.getAttribute("content") ?? "" } });
