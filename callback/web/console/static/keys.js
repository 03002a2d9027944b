// Single keys. They act on what the page offers: a key is written at the form, link or button that it presses.
import { silence } from "./clocks.js";
import { shut } from "./acts.js";
import { chosen, currentRow, fits, focusRow, makeCurrent, select, step } from "./list.js";
import { all, boxOf, first, isField, made, rows, say, tell, toast } from "./dom.js";

const SIGNS = { Slash: "/", Period: ".", Digit8: "*", KeyU: "u" };
const GO_MS = 1500;
let goingAt = -Infinity;

const mode = document.documentElement.dataset.keys ?? "on";

/** The key as its sign; by its place where an input method holds the sign back. @param {KeyboardEvent} event */
function signOf(event) {
  if (event.key.length === 1 && event.key.charCodeAt(0) < 128) return event.altKey ? byPlace(event) : event.key.length === 1 && event.shiftKey ? event.key : event.key.toLowerCase();
  return ["Process", "Unidentified"].includes(event.key) || event.key.length === 1 ? byPlace(event) : event.key;
}

/** @param {KeyboardEvent} event */
function byPlace(event) {
  const place = event.code;
  if (place.startsWith("Key")) return place.slice(3).toLowerCase();
  if (place.startsWith("Digit") && !event.shiftKey) return place.slice(5);
  if (place === "Slash" && event.shiftKey) return "?";
  return /** @type {Record<string, string>} */ (SIGNS)[place] ?? place;
}

/** Press what has this key: a form, a link, a button, or a drawer that opens. @param {string} selector */
function press(selector) {
  const found = all(selector).filter((element) => fits(element));
  const target = found.find((element) => element.checkVisibility()) ?? found.find((element) => element.matches("[data-switch], .rare, .rare *"));
  if (!target) return false;
  if (target instanceof HTMLFormElement) target.requestSubmit(first("button:not([type=button])", target));
  else if (target instanceof HTMLDetailsElement) open(target);
  else if (isField(target)) target.focus();
  else target.click();
  return true;
}

/** @param {HTMLDetailsElement} details */
function open(details) {
  if (!chosen().length && first("[name=items][value='']", details)) return toast(say("choose"), true);
  const isOpen = details.open;
  shut();
  details.open = !isOpen;
  const form = details.querySelector("form") ?? details;
  const field = first("[autofocus]", form) ?? first("button, input:not([type=hidden]), select, textarea", form);
  if (details.open) field?.focus();
}

/** @param {string} sign */
function go(sign) {
  const link = first(`[data-go="${CSS.escape(sign)}"]`);
  link?.click();
}

function escape() {
  silence();
  if (shut()) return;
  const toasts = all("#toasts > .toast");
  if (toasts.length) return toasts.forEach((one) => one.remove());
  const selected = rows().filter((row) => boxOf(row)?.checked);
  if (selected.length) return selected.forEach((row) => select(row, false));
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  makeCurrent(null);
}

/** @param {string} sign */
function act(sign) {
  const row = currentRow();
  const drawer = first(".act[open]");
  if (drawer && /^[1-9]$/.test(sign)) return press(`.act[open] [data-digit="${sign}"]`);
  if (drawer && sign === "r") return press(".act[open] [name=why][type=text]");
  if (sign === "j" || sign === "ArrowDown") return step(1), true;
  if (sign === "k" || sign === "ArrowUp") return step(-1), true;
  if (sign === "x" && row) return select(row, !boxOf(row)?.checked), true;
  if (/^[1-9]$/.test(sign)) return press(`[data-view-key="${sign}"]`);
  if (sign === "*" && !first("[data-key='*']")) return rows().forEach((one) => select(one, true)), true;
  if (sign === "Enter" && row && document.activeElement === row) return first(".open", row)?.click(), true;
  return sign.length === 1 && press(`[data-key="${CSS.escape(sign)}"]`);
}

/** @param {KeyboardEvent} event */
function down(event) {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey) return;
  if (first("dialog[open]")) {
    if (!isField(event.target) && /^[1-9]$/.test(signOf(event)) && press(`dialog[open] [data-digit="${signOf(event)}"]`)) event.preventDefault();
    return;
  }
  if (event.key === "Escape") return escape();
  if (isField(event.target)) return;
  const sign = signOf(event);
  const isSingle = sign.length === 1;
  if (isSingle && (mode === "off" || event.altKey !== (mode === "alt"))) return;
  if (!isSingle && (event.altKey || event.shiftKey)) return;
  if (document.activeElement?.matches("summary, select") && ["Enter", "ArrowDown", "ArrowUp"].includes(sign)) return;
  const isGoing = performance.now() - goingAt < GO_MS;
  goingAt = -Infinity;
  if (isSingle && isGoing) go(sign);
  else if (sign === "g") goingAt = performance.now();
  else if (!act(sign)) return;
  event.preventDefault();
}

/** What a key does, as what it presses says. @param {HTMLElement} pressed */
function words(pressed) {
  const said = pressed.matches("details") ? first("summary", pressed) : pressed.matches("form") ? first("button", pressed) : pressed.closest("label") ?? pressed;
  const copy = /** @type {HTMLElement | undefined} */ (said?.cloneNode(true));
  for (const part of copy ? all("kbd, select, input, textarea", copy) : []) part.remove();
  return copy?.textContent?.replace(/\s+/g, " ").trim() ?? "";
}

/** List the keys of a page without a list of reservations: those that it has itself. */
function listKeys() {
  const here = /** @type {HTMLElement} */ (document.getElementById("help-here"));
  if (first("[data-lane]")) return;
  const found = new Map(all("main [data-key]").map((pressed) => [pressed.dataset.key ?? "", words(pressed)]));
  first("dl", here)?.replaceChildren(...[...found].map(([key, does]) => {
    const line = made("<div><dt><kbd></kbd></dt><dd></dd></div>");
    /** @type {HTMLElement} */ (first("kbd", line)).textContent = key;
    /** @type {HTMLElement} */ (first("dd", line)).textContent = does;
    return line;
  }));
  here.hidden = !found.size;
}

export function begin() {
  document.addEventListener("keydown", down);
  for (const button of all("[data-key]:is(button, a), form[data-key] button, details[data-key] > summary")) {
    const key = button.dataset.key ?? button.closest("[data-key]")?.getAttribute("data-key");
    if (key) button.setAttribute("aria-keyshortcuts", mode === "alt" ? `Alt+${key}` : key);
  }
  document.addEventListener("toggle", (event) => {
    const row = currentRow();
    if (event.target instanceof HTMLDialogElement && event.target.id === "help") listKeys();
    if (event.target instanceof HTMLDialogElement && !event.target.open && row) focusRow(row);
    // What is typed after a drawer opened is meant for it: no letter of it may press a key.
    const menu = event.target instanceof HTMLDetailsElement && event.target.open && event.target.matches(".menu") ? event.target : null;
    if (menu && !menu.contains(document.activeElement?.closest("input, textarea") ?? null)) first("textarea, input:not([type=hidden], [type=checkbox])", menu)?.focus();
  }, true);
  tell("keys");
}
