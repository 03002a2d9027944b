// The console's scripts: every page works without them, as plain forms and links; with them it is live and quick.
import * as acts from "./acts.js";
import * as campaigns from "./campaigns.js";
import * as clocks from "./clocks.js";
import { all } from "./dom.js";
import * as keys from "./keys.js";
import * as list from "./list.js";
import * as live from "./live.js";
import * as session from "./session.js";

/** What the buttons of the frame do. @type {Record<string, (button: HTMLElement) => unknown>} */
const switches = {
  pause: live.togglePause,
  sound: clocks.toggleSound,
  apply: () => list.settle(),
  help: () => /** @type {HTMLDialogElement} */ (document.getElementById("help")).showModal(),
  more: (button) => button.closest(".acts")?.classList.toggle("all"),
  close: (button) => button.closest(".toast, dialog")?.remove(),
};

document.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-switch]"));
  if (button) switches[button.dataset.switch ?? ""]?.(button);
});

for (const one of [list, clocks, acts, keys, live, session, campaigns]) one.begin();
for (const script of all(".scripted")) script.hidden = false;
