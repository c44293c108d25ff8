// The Desk: the catalogue as a table, import and export, and counts by time.
import { h } from "../dom.js";
import { t } from "../strings.js";
import { pageHead, unlock } from "./admin.js";
import { importer } from "./import.js";
import { exporter } from "./export.js";
import { countsOf, topList } from "./counts.js";
import { table } from "./table.js";

export async function show(main, { parts: [asset], edge, signal, title }) {
  title(t.desk);
  if (!(await unlock(main, "desk", edge, signal))) return;
  if (asset) return countsOf(main, asset, { signal, title });
  const catalogue = table({ signal });
  main.append(
    pageHead(t.desk),
    catalogue.element,
    h(
      "div",
      { class: "columns" },
      importer({ signal, changed: catalogue.reload }),
      h("div", { class: "shelf" }, exporter({ signal }), topList({ signal })),
    ),
  );
}
