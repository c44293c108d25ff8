// Charts as SVG: bars of views by time, and sparklines. Colours are those of page.css.
import { h, svg } from "./dom.js";
import { count } from "./strings.js";

const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat("en", { month: "short", day: "numeric", timeZone: "UTC" });
const label = (start, step) => (step === "day" ? day : clock).format(new Date(start));

/** The smallest even number of one digit, times 10ⁿ, that is not below `n`. */
function roundUp(n) {
  const power = 10 ** Math.floor(Math.log10(Math.max(n, 1)));
  return [2, 4, 6, 8, 10, 20].map((m) => m * power).find((m) => m >= n);
}

/**
 * Bars of `points` [{start, views}] with `step` "hour" or "day"; `describe(sum)` names the whole.
 * `set(points, step)` draws anew, `add(time)` counts one view more where it belongs.
 */
export function bars(describe, { width = 640, height = 150 } = {}) {
  const box = h("figure", { class: "chart" });
  let points = [];
  let step = "hour";

  function draw() {
    const top = roundUp(Math.max(4, ...points.map((point) => point.views)));
    const sum = points.reduce((all, point) => all + point.views, 0);
    const [left, bottom] = [34, 20];
    const [inner, tall] = [width - left - 4, height - bottom - 8];
    const slot = inner / Math.max(points.length, 1);
    const y = (views) => 8 + tall * (1 - views / top);
    const lines = [0, top / 2, top].map((views) => [
      svg("line", { x1: left, x2: width - 4, y1: y(views), y2: y(views), class: "grid" }),
      svg("text", { x: left - 6, y: y(views) + 4, class: "tick end" }, count(views)),
    ]);
    const every = Math.ceil(points.length / 6);
    const columns = points.map((point, i) => {
      const x = left + i * slot;
      const words = `${label(point.start, step)}: ${count(point.views)}`;
      return [
        svg(
          "rect",
          {
            x: x + slot * 0.14,
            width: slot * 0.72,
            y: y(point.views),
            height: Math.max(tall + 8 - y(point.views), 0),
            rx: Math.min(3, slot / 5),
            class: i === points.length - 1 ? "bar now" : "bar",
          },
          svg("title", {}, words),
        ),
        i % every === 0 && svg("text", { x: x + slot / 2, y: height - 4, class: "tick" }, label(point.start, step)),
      ];
    });
    box.replaceChildren(
      svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": describe(sum) }, lines, columns),
    );
  }

  return {
    element: box,
    get points() {
      return points;
    },
    get sum() {
      return points.reduce((all, point) => all + point.views, 0);
    },
    set(given, of = "hour") {
      points = given.map((point) => ({ ...point }));
      step = of;
      draw();
    },
    add(time) {
      const length = step === "day" ? 86_400_000 : 3_600_000;
      const start = Math.floor(Date.parse(time) / length) * length;
      if (!Number.isFinite(start) || points.length === 0) return;
      const last = () => Date.parse(points.at(-1).start);
      for (let i = 0; i < 48 && last() < start; i++) {
        points.push({ start: new Date(last() + length).toISOString(), views: 0 });
        points.shift();
      }
      const point = points.find((one) => Date.parse(one.start) === start);
      if (point) point.views++;
      draw();
    },
  };
}

/** A small line of the last values; `add(value, words)` appends one and drops the oldest. */
export function sparkline({ width = 120, height = 28, length = 40 } = {}) {
  const area = svg("path", { class: "spark-area" });
  const line = svg("path", { class: "spark-line" });
  const element = svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, class: "spark", "aria-hidden": "true", preserveAspectRatio: "none" },
    area,
    line,
  );
  const values = [];
  return {
    element,
    add(value) {
      values.push(Number.isFinite(value) ? value : 0);
      if (values.length > length) values.shift();
      const top = Math.max(1e-9, ...values) * 1.1;
      const x = (i) => ((width * i) / (Math.max(values.length, 8) - 1)).toFixed(1);
      const y = (v) => (height - 2 - (height - 4) * (v / top)).toFixed(1);
      const d = values.map((v, i) => `${i ? "L" : "M"}${x(i)} ${y(v)}`).join("");
      line.setAttribute("d", d);
      area.setAttribute("d", `${d}L${x(values.length - 1)} ${height}L0 ${height}z`);
    },
  };
}
