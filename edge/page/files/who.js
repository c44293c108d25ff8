// Who is watching: a name that this browser remembers, or a token that only this tab's memory has.
import { foreign, h, status } from "./dom.js";
import { pathOf } from "./address.js";
import { newKey } from "./api.js";
import { t } from "./strings.js";

const store = "marquee.name";
const changed = new EventTarget();
let token = "";
let subject = "";
let expires = Infinity;

function remembered() {
  try {
    let name = localStorage.getItem(store) ?? "";
    if (!valid(name)) localStorage.setItem(store, (name = `guest-${newKey().slice(1, 7)}`));
    return name;
  } catch {
    return "guest"; // a browser that keeps nothing
  }
}

// eslint-disable-next-line no-control-regex
const valid = (name) =>
  !/[\u0000-\u001f\u007f]/.test(name) &&
  ![".", "..", ""].includes(name) &&
  new TextEncoder().encode(name).length <= 128 &&
  pathOf("", name) !== "";

/** Set once, from edge.json. */
let withToken = false;
export const askForTokens = (yes) => {
  withToken = yes;
};

/** {user, token}, or {missing: words}. */
export function who() {
  if (!withToken) return { user: remembered() };
  if (!token) return { missing: t.who.needed };
  return Date.now() > expires ? { missing: t.who.expired } : { user: subject, token };
}

export const onWho = (listener, signal) => changed.addEventListener("change", listener, { signal });
const tellAll = () => changed.dispatchEvent(new Event("change"));
addEventListener("storage", (event) => event.key === store && tellAll());

function take(text) {
  const parts = text.trim().split(".");
  try {
    const bytes = Uint8Array.from(atob(parts[1].replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    if (parts.length !== 3 || typeof claims.sub !== "string" || !valid(claims.sub)) return false;
    [token, subject, expires] = [text.trim(), claims.sub, Number(claims.exp) * 1000 || Infinity];
    return true;
  } catch {
    return false;
  }
}

/** The field in the page's head. */
export function whoField() {
  const note = status("note");
  const box = h("form", {
    class: "who",
    onsubmit: (event) => {
      event.preventDefault();
      submit();
    },
  });
  let input;
  function submit() {
    note.say("");
    if (withToken) {
      if (!take(input.value)) return note.say(t.who.notToken, "bad");
      draw();
    } else if (valid(input.value.trim())) {
      if (input.value.trim() === remembered()) return;
      try {
        localStorage.setItem(store, input.value.trim());
      } catch {
        /* it keeps nothing */
      }
    } else {
      return note.say(t.who.wrongName, "bad");
    }
    tellAll();
  }
  function draw() {
    if (withToken && token) {
      const forget = () => {
        token = "";
        draw();
        tellAll();
      };
      return box.replaceChildren(
        foreign("span", t.who.signedIn(subject), { class: "me" }),
        h("button", { type: "button", class: "quiet", onclick: forget }, t.who.forget),
      );
    }
    input = withToken
      ? h("input", { type: "password", autocomplete: "off", placeholder: t.who.paste })
      : h("input", {
          value: remembered(),
          maxlength: 128,
          autocomplete: "nickname",
          spellcheck: "false",
          dir: "auto",
          onchange: submit,
        });
    box.replaceChildren(
      ...[
        h(
          "label",
          { title: withToken ? t.who.tokenHelp : undefined },
          h("span", {}, withToken ? t.who.token : t.who.label),
          input,
        ),
        withToken && h("button", {}, t.who.use),
        note.element,
      ].filter(Boolean),
    );
  }
  draw();
  return box;
}
