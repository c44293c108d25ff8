// Titles as a grid: those of a genre, those that a search finds, all.
import { aborted, get, pause, query } from "../api.js";
import { h, heading, status } from "../dom.js";
import { failure } from "../main.js";
import { card } from "../poster.js";
import { t } from "../strings.js";

const pageSize = 36;

/** A grid of what the query finds, a page at a time; `found(total)` is told how many there are. */
export function pagedList(parameters, { signal, none, found = () => {} }) {
  const grid = h("ul", { class: "grid-list" });
  const foot = h("div", { class: "more" });
  async function load(after) {
    foot.replaceChildren(h("span", { class: "note" }, t.loading));
    try {
      const page = await get(`/content/assets${query({ ...parameters, after, limit: pageSize })}`, { signal });
      const had = grid.childElementCount;
      grid.append(...page.assets.map((record) => card(record)));
      found(page.total);
      const more = () => load(page.next);
      foot.replaceChildren(...(page.next ? [h("button", { onclick: more }, t.more)] : []));
      if (grid.childElementCount === 0 && none) foot.append(h("p", { class: "none" }, none));
      if (had > 0) grid.children[had]?.querySelector("a").focus();
    } catch (error) {
      if (!aborted(error)) foot.replaceChildren(failure(error, () => load(after)));
    }
  }
  load();
  return [grid, foot];
}

export async function show(main, { parts: [kind, text], signal, title }) {
  const note = status("lead");
  title(text);
  main.append(heading(kind === "genre" ? text : t.search), note.element);
  if (kind === "search") await pause(150, signal); // as one types
  const found = (n) => note.say(kind === "genre" ? t.inGenre(n) : n ? t.found(n, text) : t.foundNone(text));
  const parameters = kind === "genre" ? { genre: text, sort: "title" } : { q: text, sort: "title" };
  main.append(...pagedList(parameters, { signal, found }));
}
