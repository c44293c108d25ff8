// The catalogue as a table: search, order, pages, and what can be done with a title.
import { aborted, get, query } from "../api.js";
import { choice, foreign, h, status } from "../dom.js";
import { failure } from "../main.js";
import { t } from "../strings.js";
import { add, edit, remove } from "./edit.js";

const pageSize = 20;

export function table({ signal }) {
  let q = "";
  let sort = "title";
  let before = []; // `after` of the pages before this one
  let after;
  let turn = null; // the AbortController of the page that is being read
  let timer = 0;
  const note = status();
  const total = status("note");
  const body = h("tbody");
  const foot = h("div", { class: "tools" });
  const element = h(
    "section",
    { class: "panel", "aria-label": t.table.title },
    h("h2", {}, t.table.title),
    h(
      "div",
      { class: "tools" },
      h("input", {
        type: "search",
        maxlength: 160,
        "aria-label": t.table.search,
        placeholder: t.table.search,
        dir: "auto",
        oninput: (event) => {
          q = event.target.value.trim();
          clearTimeout(timer);
          timer = setTimeout(first, 150); // as one types
        },
      }),
      choice(t.table.sort, { title: t.table.byTitle, id: t.table.byId }, sort, (picked) => {
        sort = picked;
        first();
      }),
      h("button", { class: "main push", onclick: () => act(add) }, t.table.add),
    ),
    note.element,
    total.element,
    h(
      "div",
      { class: "scroll" },
      h(
        "table",
        {},
        h("caption", { class: "unseen" }, t.table.caption),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, t.table.column.title),
            h("th", { scope: "col", class: "wide-only" }, t.table.column.id),
            h("th", { scope: "col", class: "wide-only" }, t.table.column.genre),
            h("th", { scope: "col" }, h("span", { class: "unseen" }, t.table.column.actions)),
          ),
        ),
        body,
      ),
    ),
    foot,
  );

  async function act(what, record) {
    const words = await what(record, signal);
    if (!words) return;
    note.say(words, "good");
    read();
  }

  function first() {
    before = [];
    after = undefined;
    read();
  }

  const row = (record) => {
    const name = record.title || t.untitled;
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, h("a", { href: `#/title/${encodeURIComponent(record.id)}`, dir: "auto" }, name)),
      foreign("td", record.id, { class: "long wide-only" }),
      foreign("td", record.genre ?? "", { class: "long wide-only" }),
      h(
        "td",
        { class: "acts" },
        h(
          "a",
          { href: `#/desk/counts/${encodeURIComponent(record.id)}`, "aria-label": t.table.countsNamed(name) },
          t.table.counts,
        ),
        " ",
        h("button", { onclick: () => act(edit, record), "aria-label": t.table.editNamed(name) }, t.table.edit),
        " ",
        h("button", { onclick: () => act(remove, record), "aria-label": t.table.removeNamed(name) }, t.table.remove),
      ),
    );
  };

  async function read() {
    turn?.abort();
    turn = new AbortController();
    const own = AbortSignal.any ? AbortSignal.any([signal, turn.signal]) : turn.signal;
    try {
      const page = await get(`/content/assets${query({ q, sort, after, limit: pageSize })}`, { signal: own });
      body.replaceChildren(...page.assets.map(row));
      total.say(page.total ? t.table.total(page.total) : t.table.none);
      foot.replaceChildren(
        h(
          "button",
          {
            disabled: before.length === 0,
            onclick: () => {
              after = before.pop();
              read();
            },
          },
          t.table.previous,
        ),
        h("span", { class: "note" }, t.table.page(before.length + 1)),
        h(
          "button",
          {
            disabled: !page.next,
            onclick: () => {
              before.push(after);
              after = page.next;
              read();
            },
          },
          t.table.next,
        ),
      );
    } catch (error) {
      if (!aborted(error)) foot.replaceChildren(failure(error, read));
    }
  }
  read();
  return { element, reload: first };
}
