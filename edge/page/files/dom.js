// Elements. Text goes in as text nodes only; nothing here or elsewhere parses markup.
const svgSpace = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/** h("a", {href, onclick}, child…): an HTML element. `href` and `src` are ours, or come from address.js. */
export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);

/** The same for SVG. */
export const svg = (tag, attributes, ...children) =>
  fill(document.createElementNS(svgSpace, tag), attributes, children);

/** An element that holds a text of the catalogue: its direction is its own, and stays inside. */
export const foreign = (tag, text, attributes) => h(tag, { dir: "auto", ...attributes }, String(text));

/** A text that changes and is read out when it does. */
export function status(className = "notice") {
  const element = h("p", { class: className, role: "status" });
  return {
    element,
    say(text, kind = "") {
      element.className = `${className} ${kind}`;
      if (element.textContent !== text) element.textContent = text;
    },
  };
}

export const heading = (text, attributes) => foreign("h1", text, { tabindex: "-1", ...attributes });

/** A group of radio buttons that look like one switch. */
export function choice(label, options, chosen, onpick) {
  const name = `choice-${label}`;
  return h(
    "fieldset",
    { class: "choice" },
    h("legend", { class: "unseen" }, label),
    Object.entries(options).map(([value, text]) =>
      h(
        "label",
        {},
        h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => onpick(value) }),
        h("span", {}, text),
      ),
    ),
  );
}

/** A modal dialog; ends with what `close(value)` is given, or undefined by Escape. */
export function dialog(title, build) {
  return new Promise((resolve) => {
    let result;
    const box = h("dialog", {
      "aria-label": title,
      onclose: () => {
        box.remove();
        resolve(result);
      },
    });
    const close = (value) => {
      result = value;
      box.close();
    };
    box.append(h("h2", { dir: "auto" }, title), ...[build(close)].flat());
    document.body.append(box);
    box.showModal();
  });
}

/** Hands a text to the user as a file. */
export function save(name, text, type) {
  const href = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
