// The admin token, in this tab's memory only, and the form that asks for it.
import { aborted, get } from "../api.js";
import { h, heading, status } from "../dom.js";
import { t } from "../strings.js";

let token = "";
export const adminToken = () => token;
export const lock = () => {
  token = "";
  dispatchEvent(new HashChangeEvent("hashchange"));
};

/** Resolves once a token is known that the edge takes; shows the form until then. `name`: "desk", "fleet". */
export async function unlock(main, name, edge, signal) {
  if (token) return true;
  const box = h("section", { class: "panel unlock" }, heading(t.unlock.title[name]));
  main.append(box);
  if (!edge[name]) return (box.append(h("p", {}, t.unlock.elsewhere)), false);
  if (!edge.admin) return (box.append(h("p", {}, t.unlock.none)), false);
  const note = status();
  const input = h("input", { type: "password", autocomplete: "off", required: true, spellcheck: "false" });
  return new Promise((resolve) => {
    async function probe(event) {
      event.preventDefault();
      try {
        await get("/url/assets?limit=1", { token: input.value.trim(), signal });
        token = input.value.trim();
        box.remove();
        resolve(true);
      } catch (error) {
        if (!aborted(error)) note.say(error.words, "bad");
      }
    }
    box.append(
      h("p", { class: "lead" }, t.unlock.help[name]),
      h(
        "form",
        { class: "fields", onsubmit: probe },
        h("label", {}, t.unlock.label, input),
        h("p", { class: "note" }, t.unlock.memory),
        note.element,
        h("div", { class: "ends" }, h("button", { class: "main" }, t.unlock.open)),
      ),
    );
    input.focus();
    signal.addEventListener("abort", () => resolve(false));
  });
}

/** A page's head with its name, tools, and the way out. */
export const pageHead = (text, ...tools) =>
  h("div", { class: "page-head" }, heading(text), tools, h("button", { class: "quiet", onclick: lock }, t.unlock.lock));
