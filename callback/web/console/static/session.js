// The session of the page: it stays open while somebody is at work here, and is locked in place when nobody is.
import { first, hear, isField, post, say, tell } from "./dom.js";

const SEEN_EVERY_MS = 60_000;
const channel = new BroadcastChannel("session");
let seen = performance.now(); // the page has just been asked for
let asking = false;

const dialog = () => /** @type {HTMLDialogElement | null} */ (document.getElementById("lock"));

/** Ask how the session is: a locked one is locked in place, one that has ended leads to the sign-in page. */
async function look() {
  if (asking) return;
  asking = true;
  const answer = await fetch("/session", { headers: { "X-Fragment": "1" } }).catch(() => null);
  asking = false;
  if (answer?.ok) open();
  else if (answer) shut(answer);
}

/** @param {Response} answer */
function shut(answer) {
  const why = answer.headers.get("X-Session");
  const locked = dialog();
  if (why !== "locked" || !locked) return why && location.reload();
  if (locked.open) return;
  document.body.classList.add("locked");
  for (const one of /** @type {NodeListOf<HTMLDialogElement>} */ (document.querySelectorAll("dialog[open]"))) one.close();
  locked.showModal();
}

function open() {
  const locked = dialog();
  if (!locked?.open) return;
  document.body.classList.remove("locked");
  locked.close();
  seen = performance.now();
  tell("opened");
}

/** @param {HTMLFormElement} form */
async function unlock(form) {
  const told = /** @type {HTMLElement} */ (first(".refused", form));
  const field = /** @type {HTMLInputElement} */ (first("[type=password]", form));
  const answer = await post("/unlock", new URLSearchParams([["password", field.value]])).catch(() => null);
  field.value = "";
  told.hidden = true;
  if (answer?.ok) {
    open();
    return channel.postMessage("opened");
  }
  if (answer?.headers.get("X-Session")) return shut(answer);
  told.textContent = say(!answer ? "unanswered" : answer.status === 429 ? "many" : "wrong");
  told.hidden = false;
  field.focus();
}

/** Somebody is at work: the server hears so once a minute. */
function atWork() {
  if (performance.now() - seen < SEEN_EVERY_MS || document.body.classList.contains("locked")) return;
  seen = performance.now();
  post("/session", new URLSearchParams())
    .then((answer) => answer.ok || shut(answer))
    .catch(() => {});
}

export function begin() {
  hear("session", look);
  const locked = dialog();
  if (!locked) return;
  locked.addEventListener("cancel", (event) => event.preventDefault());
  locked.addEventListener("keydown", (event) => isField(event.target) && event.stopPropagation());
  const form = /** @type {HTMLFormElement} */ (first("form", locked));
  form.addEventListener("submit", (event) => {
    if (event.submitter?.hasAttribute("formaction")) return; // the way out is a page
    event.preventDefault();
    unlock(form);
  });
  channel.onmessage = look;
  for (const name of ["pointerdown", "keydown"]) addEventListener(name, atWork, { passive: true });
}
