// Two versions of a title beside each other, after somebody else was faster.
import { dialog, foreign, h } from "../dom.js";
import { t } from "../strings.js";

/** `mine` are fields, `theirs` is what readTitle() gave. The fields that were chosen; undefined keeps theirs. */
export function askConflict(mine, theirs) {
  return dialog(t.conflict.title, (close) => {
    const chosen = { ...theirs.fields };
    const names = Object.keys(mine).filter((name) => name !== "id");
    for (const name of names) chosen[name] = mine[name];
    const cell = (name, fields, side) => {
      const text = foreign("span", fields[name] || t.conflict.empty);
      if (mine[name] === theirs.fields[name]) return h("td", {}, text);
      return h(
        "td",
        {},
        h(
          "label",
          {},
          h("input", {
            type: "radio",
            name: `keep-${name}`,
            checked: side === t.conflict.mine,
            "aria-label": t.conflict.keep(t.edit.field[name], side),
            onchange: () => {
              chosen[name] = fields[name];
            },
          }),
          text,
        ),
      );
    };
    const rows = names.map((name) => {
      const same = mine[name] === theirs.fields[name];
      return h(
        "tr",
        {},
        h("th", { scope: "row", class: same ? "" : "differs" }, t.edit.field[name]),
        cell(name, theirs.fields, t.conflict.theirs),
        cell(name, mine, t.conflict.mine),
      );
    });
    return [
      h("p", { class: "note" }, theirs.etag ? t.conflict.help : t.conflict.removedHelp),
      h(
        "div",
        { class: "scroll" },
        h(
          "table",
          { class: "side" },
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              h("th", { scope: "col" }, t.conflict.field),
              h("th", { scope: "col" }, t.conflict.theirs),
              h("th", { scope: "col" }, t.conflict.mine),
            ),
          ),
          h("tbody", {}, rows),
        ),
      ),
      h(
        "div",
        { class: "ends" },
        h("button", { onclick: () => close() }, t.conflict.takeTheirs),
        h("button", { class: "main", onclick: () => close(chosen) }, t.conflict.save),
      ),
    ];
  });
}
