// What an address of the catalogue may be used for. It is hostile text until it comes out of here.

// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f\\]/;
const scheme = /^\s*([a-z][a-z0-9+.-]*):/i;
const dots = /(^|\/)(\.|%2e){1,2}(\/|$)/i;

/**
 * {use: "here", href} may be a source of this page: https, this origin, or a path, which is one under
 * /media/. {use: "link", href} is plain HTTP elsewhere. {use: "none"} is only ever shown as text.
 */
export function address(value) {
  const none = { use: "none" };
  if (typeof value !== "string" || value.trim() === "" || control.test(value)) return none;
  const named = scheme.exec(value)?.[1].toLowerCase();
  try {
    if (named === "https") return { use: "here", href: new URL(value).href };
    if (named === "http") {
      const url = new URL(value);
      return { use: url.origin === location.origin ? "here" : "link", href: url.href };
    }
    const path = value.trim();
    if (named || path.startsWith("//") || dots.test(path.replace(/[?#].*$/s, ""))) return none;
    const url = new URL(path.replace(/^\//, ""), `${location.origin}/media/`);
    return url.origin === location.origin && url.pathname.startsWith("/media/")
      ? { use: "here", href: url.href }
      : none;
  } catch {
    return none;
  }
}

/** The path of a route of the API for ids, percent-encoded once; "" where an id can be in no path. */
export function pathOf(...parts) {
  try {
    return parts.map((part, i) => (i % 2 ? encodeURIComponent(part) : part)).join("");
  } catch {
    return ""; // a lone surrogate
  }
}
