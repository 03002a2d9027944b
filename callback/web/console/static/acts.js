// Acts: a form is sent, its answer takes the place of what it is about. Nothing looks done before the server says so.
import { now, tick } from "./clocks.js";
import { chosen, currentRow, focusRow, patch } from "./list.js";
import { all, first, hear, isField, isStale, post, rowAt, rowOf, rows, say, show, tell, toast } from "./dom.js";

const UNANSWERED_MS = 5000;

/** @param {HTMLFormElement} form */
const isAct = (form) => form.dataset.act !== undefined || form.getAttribute("action") === "/undo";

/** The rows that a form names, by id. @param {string} items */
const named = (items) => items.split(",").map((item) => rowOf(item.split(":")[0] ?? "")).filter((row) => row !== null);

/** @param {HTMLElement[]} about @param {boolean} on */
function mark(about, on) {
  for (const row of about) {
    row.classList.toggle("sending", on);
    row.setAttribute("aria-busy", String(on));
    first(".sending-note", row)?.remove();
    const cell = on ? first(".next", row) : null;
    cell?.insertAdjacentHTML("beforeend", ' <span class="made sending-note"></span>');
    if (cell) /** @type {Element} */ (cell.lastElementChild).textContent = say("sending");
  }
}

/** Put an answer where it belongs: toasts, rows, a dialog, and other elements by their ids. @param {string} html */
export function place(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const told = all(".toast", template.content);
  for (const one of told) one.remove();
  for (const row of all("tr[data-id]", template.content)) {
    const old = rowOf(row.dataset.id ?? "");
    if (old) patch(old, row.outerHTML);
    row.remove();
  }
  const asked = first("[data-dialog]", template.content);
  if (asked) {
    const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("dialog"));
    dialog.replaceChildren(asked);
    if (!dialog.open) dialog.showModal();
  }
  for (const part of all("[id]", template.content)) document.getElementById(part.id)?.replaceWith(part);
  told.forEach(show);
  tick();
  return told.length > 0 || asked !== null;
}

/** What is sent: the form's fields, and the rows that are chosen where it names none; a button counts for its field alone.
 * @param {HTMLFormElement} form @param {HTMLElement | null} submitter */
function fieldsOf(form, submitter, about = chosen()) {
  const fields = new FormData(form, submitter);
  if (submitter instanceof HTMLButtonElement && submitter.name) fields.set(submitter.name, submitter.value);
  if (fields.get("items") === "") fields.set("items", about.map((row) => `${row.dataset.id}:${row.dataset.rev}`).join(","));
  return new URLSearchParams([...fields].map(([name, value]) => [name, String(value)]));
}

/** Send an act, once: about these rows, or about those that are chosen. @param {HTMLFormElement} form @param {HTMLElement | null} submitter @param {HTMLElement[]} [rows] */
async function send(form, submitter, rows) {
  if (form.dataset.busy !== undefined) return;
  if (form.dataset.closing !== undefined && isStale()) return toast(say("stale_act"), true);
  const fields = fieldsOf(form, submitter, rows);
  if (fields.get("items") === "") return toast(say("choose"), true);
  const about = named(fields.getAll("items").join(","));
  const next = after(about);
  form.dataset.busy = "";
  mark(about, true);
  shut();
  const late = setTimeout(() => toast(say("unanswered"), true), UNANSWERED_MS);
  try {
    const address = submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? "";
    const asks = form.getAttribute("method") === "get"; // a question, which changes nothing
    const answer = asks ? await fetch(`${address}?${fields}`, { headers: { "X-Fragment": "1" } }) : await post(address, fields);
    if (answer.status === 401) return tell("session"); // it is locked, or over: nothing was done
    if (answer.redirected) return location.reload();
    mark(about, false);
    const isPlaced = place(await answer.text());
    if (!isPlaced && !answer.ok) toast(say("failed", { why: String(answer.status) }), true);
    form.closest(".toast")?.remove();
    if (answer.ok) form.closest("dialog")?.close();
    if (answer.ok && next) focusRow(next);
  } catch (error) {
    toast(say("failed", { why: error instanceof Error ? error.message : "" }), true);
  } finally {
    clearTimeout(late);
    delete form.dataset.busy;
    mark(about.filter((row) => row.classList.contains("sending")), false);
  }
}

/** The row that the focus goes to when these are dealt with: the next one in the order shown. @param {HTMLElement[]} about */
function after(about) {
  const here = currentRow();
  if (!here || !about.includes(here)) return null;
  const shown = rows();
  const behind = shown.slice(shown.indexOf(/** @type {HTMLTableRowElement} */ (here)) + 1);
  return behind.find((row) => !about.includes(row) && !row.classList.contains("ghost")) ?? null;
}

/** Shut what an act has opened; the focus goes back to the row. */
export function shut() {
  const open = all(".act[open], .menu[open]");
  const within = open.some((details) => details.contains(document.activeElement));
  for (const details of open) details.removeAttribute("open");
  const row = currentRow();
  if (within && row) focusRow(row);
  return open.length > 0;
}

/** Take undo away when its time is over, and a number that was shown for a while. */
function expire() {
  for (const form of all("form[data-undo-until]")) if (Number(form.dataset.undoUntil) < now()) form.remove();
  for (const number of all("[data-reveal-until]")) {
    if (Number(number.dataset.revealUntil) >= now()) continue;
    number.textContent = number.dataset.masked ?? "";
    delete number.dataset.revealUntil;
  }
}

/** A button in a row presses an act of the bar, about that row alone. @param {MouseEvent} event */
function pressed(event) {
  const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-press]"));
  const row = button && rowAt(button);
  const form = button && first(`.acts form[data-act="${CSS.escape(button.dataset.press ?? "")}"]`);
  if (row && form instanceof HTMLFormElement) send(form, null, [row]);
}

export function begin() {
  document.addEventListener("click", pressed);
  document.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (!isAct(form)) return;
    event.preventDefault();
    send(form, event.submitter);
  });
  document.addEventListener("keydown", (event) => {
    const field = /** @type {HTMLInputElement} */ (event.target);
    if (event.key !== "Enter" || event.isComposing || !field.form || !isAct(field.form) || !isField(field)) return;
    event.preventDefault(); // it would press the first button: a reason, where another was typed
    send(field.form, null);
  });
  document.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    for (const details of all(".act[open], .menu[open]")) if (!details.contains(target)) details.removeAttribute("open");
    if (rowAt(target) && target.closest(".pick") && !target.closest("input, label")) first("input", /** @type {Element} */ (target.closest(".pick")))?.click();
  });
  hear("tick", expire);
}
