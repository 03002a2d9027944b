// How long the text of a campaign is, while it is written: GSM 03.38 in 160 or 153 signs, else UCS-2 in 70 or 67.
import { all, first } from "./dom.js";

const BASIC = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED = "^{}\\[~]|€\f";

/** @param {string} text */
function sized(text) {
  let units = 0;
  for (const sign of text) {
    if (BASIC.includes(sign)) units += 1;
    else if (EXTENDED.includes(sign)) units += 2;
    else return { encoding: "UCS-2", segments: text.length <= 70 ? 1 : Math.ceil(text.length / 67) };
  }
  return { encoding: "GSM-7", segments: units <= 160 ? 1 : Math.ceil(units / 153) };
}

/** @param {HTMLTextAreaElement} field */
function count(field) {
  const told = document.getElementById(field.dataset.counted ?? "");
  const queue = /** @type {HTMLSelectElement | undefined} */ (first("select[data-caller]"));
  const caller = queue?.selectedOptions[0]?.dataset.caller ?? "";
  const text = field.value.trim().replaceAll("{caller_id}", caller);
  if (!told) return;
  const { encoding, segments } = sized(text);
  const said = (told.dataset.length ?? "").replace("{characters}", String([...text].length));
  told.textContent = text ? said.replace("{segments}", String(segments)).replace("{encoding}", encoding) : "";
}

const fields = () => /** @type {HTMLTextAreaElement[]} */ (all("textarea[data-counted]"));

export function begin() {
  document.addEventListener("input", (event) => {
    if (event.target instanceof HTMLTextAreaElement && event.target.dataset.counted) count(event.target);
  });
  document.addEventListener("change", (event) => {
    if (event.target instanceof HTMLSelectElement && event.target.matches("[data-caller]")) fields().forEach(count);
  });
  fields().forEach(count);
}
