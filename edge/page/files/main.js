// The frame around the pages, and which page an address is: everything behind `#/`.
import { get, aborted, Problem } from "./api.js";
import { h, heading } from "./dom.js";
import { listen } from "./live.js";
import { t } from "./strings.js";
import { askForTokens, whoField } from "./who.js";

/** [pattern, where in the navigation, the module that shows it]; `show(main, context)` fills a page. */
const pages = [
  [/^$/, "watch", () => import("./watch/home.js")],
  [/^title\/([^/]+)$/, "watch", () => import("./watch/title.js")],
  [/^(genre)\/([^/]+)$/, "watch", () => import("./watch/list.js")],
  [/^(search)\/([^/]*)$/, "watch", () => import("./watch/list.js")],
  [/^desk(?:\/counts\/([^/]+))?$/, "desk", () => import("./desk/desk.js")],
  [/^fleet$/, "fleet", () => import("./fleet/fleet.js")],
];

/** A waiting time for the next attempt that is asked for by hand. */
export function failure(error, again) {
  const words = error instanceof Problem ? error.words : t.errors.other(0, String(error));
  return h(
    "div",
    { class: "notice bad", role: "alert" },
    h("p", {}, words),
    again && h("button", { onclick: again }, t.again),
  );
}

const main = h("main", { id: "content", tabindex: "-1" });
const links = Object.fromEntries(
  ["watch", "desk", "fleet"].map((name) => [name, h("a", { href: name === "watch" ? "#/" : `#/${name}` }, t[name])]),
);
const search = h("input", {
  type: "search",
  "aria-label": t.search,
  placeholder: t.search,
  autocomplete: "off",
  dir: "auto",
});
const lamp = h("span", { class: "lamp", role: "status" });

let edge = null; // edge.json
let view = null; // the AbortController of the page that is shown
let shown = null;

async function show() {
  view?.abort();
  const turn = (view = new AbortController());
  const path = location.hash.replace(/^#\/?/, "");
  const first = shown === null;
  const searching = path.startsWith("search/");
  const page = pages.find(([pattern]) => pattern.test(path));
  if (!searching) search.value = "";
  shown = path;
  for (const [name, link] of Object.entries(links)) {
    link.hidden = name !== "watch" && edge && !edge[name] && page?.[1] !== name;
    if (page?.[1] === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  try {
    edge ??= await get("/page/edge.json", { signal: turn.signal });
    askForTokens(edge.players === "token");
    frame();
    if (!page) return lost();
    const found = page[0]
      .exec(path)
      .slice(1)
      .map((part) => part && decodeURIComponent(part));
    const module = await page[2]();
    if (turn.signal.aborted) return;
    main.replaceChildren();
    await module.show(main, {
      parts: found,
      edge,
      signal: turn.signal,
      title: (text) => {
        document.title = text ? `${text} – ${t.name}` : t.name;
      },
    });
  } catch (error) {
    if (aborted(error) || turn.signal.aborted) return;
    if (error instanceof URIError) return lost();
    main.replaceChildren(failure(error, show));
  }
  if (!first && !searching && !turn.signal.aborted) (main.querySelector("h1") ?? main).focus({ preventScroll: true });
  if (!searching) scrollTo(0, 0);
}

function lost() {
  main.replaceChildren(heading(t.noPage), h("p", {}, t.noPageHelp), h("p", {}, h("a", { href: "#/" }, t.home)));
}

let framed = false;
/** What needs edge.json, made once. */
function frame() {
  if (framed) return;
  framed = true;
  document.querySelector("header").append(whoField());
  document.querySelector("footer").prepend(h("span", {}, t.version(edge.version)));
  for (const name of ["desk", "fleet"]) links[name].hidden = !edge[name];
  listen((message) => {
    if (message.type !== "state") return;
    lamp.className = `lamp ${message.state}`;
    lamp.textContent = t.live[message.state];
    lamp.title = t.liveHelp[message.state];
  }, new AbortController().signal);
}

search.addEventListener("input", () => {
  const text = search.value.trim();
  const to = text ? `#/search/${encodeURIComponent(text.slice(0, 160))}` : "#/";
  if (shown?.startsWith("search/")) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  show();
});

document.body.replaceChildren(
  h(
    "a",
    {
      href: "#content",
      class: "skip",
      onclick: (event) => {
        event.preventDefault();
        main.focus();
      },
    },
    t.skip,
  ),
  h(
    "header",
    {},
    h("a", { href: "#/", class: "brand" }, t.name),
    h("nav", { "aria-label": t.nav }, Object.values(links)),
    h("form", { role: "search", onsubmit: (event) => event.preventDefault() }, search),
  ),
  main,
  h("footer", {}, lamp),
);
addEventListener("hashchange", show);
addEventListener("popstate", () => location.hash.replace(/^#\/?/, "") !== shown && show());
show();
