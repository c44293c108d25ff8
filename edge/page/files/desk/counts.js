// Counts: the most viewed titles, and the views of one by time.
import { aborted, get, getOr, query } from "../api.js";
import { pathOf } from "../address.js";
import { bars } from "../chart.js";
import { choice, h, save } from "../dom.js";
import { listen } from "../live.js";
import { failure } from "../main.js";
import { count, t } from "../strings.js";
import { pageHead } from "./admin.js";
import { csvLine } from "./rows.js";

export function topList({ signal }) {
  let span = "24h";
  const body = h("div");
  async function read() {
    try {
      const top = await get(`/events/top${query({ window: span, content: "true", limit: 10 })}`, { signal });
      if (top.assets.length === 0) return body.replaceChildren(h("p", { class: "none" }, t.stats.none));
      body.replaceChildren(
        h(
          "table",
          {},
          h("caption", { class: "unseen" }, t.stats.caption),
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              h("th", { scope: "col" }, t.stats.column.rank),
              h("th", { scope: "col" }, t.stats.column.title),
              h("th", { scope: "col", class: "number" }, t.stats.column.views),
            ),
          ),
          h(
            "tbody",
            {},
            top.assets.map((one, i) =>
              h(
                "tr",
                {},
                h("td", {}, String(i + 1)),
                h(
                  "td",
                  { class: "long" },
                  h("a", { href: `#/desk/counts/${encodeURIComponent(one.id)}`, dir: "auto" }, one.title || t.untitled),
                ),
                h("td", { class: "number" }, count(one.views)),
              ),
            ),
          ),
        ),
      );
    } catch (error) {
      if (!aborted(error)) body.replaceChildren(failure(error, read));
    }
  }
  read();
  return h(
    "section",
    { class: "panel", "aria-label": t.stats.title },
    h("h2", {}, t.stats.title),
    h(
      "div",
      {},
      choice(t.stats.window, t.stats.windows, span, (picked) => {
        span = picked;
        read();
      }),
    ),
    body,
  );
}

export async function countsOf(main, id, { signal, title }) {
  const record = await getOr({ id }, pathOf("/content/asset/", id), { signal });
  const name = record.title || t.untitled;
  title(t.stats.of(name));
  let step = "hour";
  const chart = bars(t.stats.chart, { width: 900, height: 220 });
  const sum = h("strong", { class: "big" });
  const viewers = h("span", { class: "note" });
  const draw = () => {
    sum.textContent = t.views(chart.sum);
  };
  async function read() {
    try {
      const views = await getOr({ viewers: 0 }, pathOf("/events/asset/", id), { signal });
      const series = await getOr({ points: [] }, `${pathOf("/events/asset/", id)}/series${query({ step })}`, {
        signal,
      });
      viewers.textContent = t.stats.viewers(views.viewers);
      chart.set(series.points, step);
      draw();
    } catch (error) {
      if (!aborted(error)) chart.element.replaceChildren(failure(error, read));
    }
  }
  const file = () =>
    csvLine(t.stats.csvColumns) + chart.points.map((point) => csvLine([point.start, String(point.views)])).join("");
  main.append(
    pageHead(name, h("a", { href: "#/desk" }, t.desk)),
    h(
      "section",
      { class: "panel", "aria-label": t.stats.of(name) },
      h(
        "div",
        { class: "tools" },
        sum,
        viewers,
        choice(t.stats.step, t.stats.steps, step, (picked) => {
          step = picked;
          read();
        }),
        h("button", { class: "push", onclick: () => save(t.stats.file, file(), "text/csv") }, t.stats.save),
      ),
      chart.element,
    ),
  );
  await read();
  listen((message) => {
    if (message.type === "gap") read();
    if (message.type !== "view" || message.asset !== id) return;
    chart.add(message.time);
    draw();
  }, signal);
}
