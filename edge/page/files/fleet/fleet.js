// The Fleet: every instance and this edge, asked every two seconds while the page is seen. It only
// reads.
import { aborted, get, pause } from "../api.js";
import { sparkline } from "../chart.js";
import { foreign, h } from "../dom.js";
import { adminToken, pageHead, unlock } from "../desk/admin.js";
import { listen } from "../live.js";
import { failure } from "../main.js";
import { count, t } from "../strings.js";
import { recordsOf } from "../watch/catalogue.js";
import { between, edgeTotals, instanceTotals, problems, samples } from "./figures.js";

const words = t.watchFleet;
const period = 2000;
const remembered = 60_000; // how long an instance that is gone is named
const shownEvents = 12;
const started = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const short = (n) => (n >= 100 || Number.isInteger(n) ? count(Math.round(n)) : n.toFixed(n < 10 ? 1 : 0));

/** Named numbers, each with a line of its last values; `set({name: value})`. */
function gauges(names) {
  const made = Object.fromEntries(names.map((name) => [name, { value: h("span", {}, "–"), line: sparkline() }]));
  return {
    element: h(
      "dl",
      { class: "gauges" },
      names.map((name) =>
        h("div", {}, h("dt", {}, words.figure[name]), h("dd", {}, made[name].value, made[name].line.element)),
      ),
    ),
    set(values) {
      for (const [name, { value, line }] of Object.entries(made)) {
        const text = short(values[name] ?? 0);
        if (value.textContent !== text) value.textContent = text;
        line.add(values[name] ?? 0);
      }
    },
  };
}

function tile(title, id, more, names, level = "h3") {
  const figures = gauges(names);
  return {
    figures,
    element: h(
      "section",
      { class: "panel", "aria-label": `${title} ${id}` },
      h("div", { class: "tile-head" }, h(level, {}, title), h("span", { class: "dim" }, more)),
      figures.element,
    ),
  };
}

export async function show(main, { edge, signal, title }) {
  title(t.fleet);
  if (!(await unlock(main, "fleet", edge, signal))) return;
  const health = h("section", { class: "health", role: "status" });
  const figures = "rate errors latency flight connections live links circuits reconnects degraded".split(" ");
  const own = tile(words.edge, "", t.version(edge.version), figures, "h2");
  const tiles = h("div", { class: "tiles" });
  const ticker = h("ol", { class: "plain ticker" });
  own.element.classList.add("own");
  const waiting = h("p", { class: "none" }, words.noEvents);
  main.append(
    pageHead(words.title),
    health,
    own.element,
    h("section", { class: "shelf", "aria-label": words.services }, h("h2", {}, words.services), tiles),
    h("section", { class: "panel", "aria-label": words.events }, h("h2", {}, words.events), waiting, ticker),
  );

  const instances = new Map(); // by id: {tile, totals, name, seen}
  let first = null;
  let last = null;

  function draw(now) {
    const seconds = last ? (now.at - last.at) / 1000 : 1;
    now.edgeRates = between(last?.edge, now.edge, seconds);
    own.figures.set({
      ...now.edge,
      ...now.edgeRates,
      circuits: now.edge.open.length,
      reconnects: now.edge.reconnects - (first ?? now).edge.reconnects,
      degraded: now.edge.degraded - (first ?? now).edge.degraded,
    });
    now.rates = new Map();
    for (const one of now.services) {
      const totals = instanceTotals(one);
      let known = instances.get(one.id);
      if (!known) {
        const extra = "lag_ms" in totals.data ? ["lag", "applied"] : ["records"];
        known = {
          name: one.name,
          id: one.id,
          tile: tile(one.name, one.id, words.up(started.format(new Date(one.started))), [
            "rate",
            "errors",
            "latency",
            ...extra,
          ]),
        };
        instances.set(one.id, known);
        tiles.append(known.tile.element);
      }
      const rates = between(known.totals, totals, seconds);
      now.rates.set(one.id, rates);
      known.tile.figures.set({
        ...rates,
        lag: totals.data.lag_ms,
        applied: totals.data.applied,
        records: totals.data.records,
      });
      Object.assign(known, { totals, seen: now.at });
    }
    const gone = [...instances.values()].filter((known) => known.seen !== now.at);
    for (const known of gone) {
      known.tile.element.classList.add("gone");
      if (now.at - known.seen > remembered) {
        known.tile.element.remove();
        instances.delete(known.id);
      }
    }
    first ??= now;
    last = now;
    say(problems(now, first, gone), now.services.length);
  }

  let said = "";
  function say(list, n) {
    const text = list.join("\n") || words.wellHelp(n);
    if (text === said) return; // a reader hears changes only
    said = text;
    health.classList.toggle("bad", list.length > 0);
    health.replaceChildren(
      h("strong", {}, list.length ? words.problems(list.length) : words.well),
      list.length
        ? h(
            "ul",
            {},
            list.map((one) => h("li", {}, one)),
          )
        : h("p", {}, text),
    );
  }

  async function ask() {
    const options = { signal, token: adminToken() };
    const [text, fleet, ready] = await Promise.all([
      get("/metrics", { ...options, as: "text" }),
      get("/services", options),
      get("/readyz", options).catch(() => null),
    ]);
    return { at: performance.now(), edge: edgeTotals(samples(text)), services: fleet.services, ready };
  }

  showEvents(ticker, waiting, signal);
  while (!signal.aborted) {
    try {
      draw(await ask());
    } catch (error) {
      if (aborted(error)) return;
      said = "";
      health.classList.add("bad");
      health.replaceChildren(failure(error), h("p", { class: "note" }, words.stale));
    }
    try {
      await pause(period, signal);
      if (document.visibilityState !== "visible") await seen(signal);
    } catch {
      return;
    }
  }
}

/** Resolves when the page is seen again. */
const seen = (signal) =>
  new Promise((resolve, reject) => {
    document.addEventListener("visibilitychange", resolve, { once: true, signal });
    signal.addEventListener("abort", reject, { once: true });
  });

function showEvents(ticker, waiting, signal) {
  const titles = new Map(); // by asset
  const pending = new Set();
  let timer = 0;
  async function name() {
    timer = 0;
    const ids = [...pending].slice(0, shownEvents);
    ids.forEach((id) => pending.delete(id));
    if (titles.size > 2000) titles.clear();
    const records = await recordsOf(ids, signal).catch(() => []);
    for (const record of records) titles.set(record.id, record.title || t.untitled);
    for (const item of ticker.children) if (ids.includes(item.view.asset)) write(item);
  }
  const write = (item) =>
    item.replaceChildren(
      h("time", {}, new Date(item.view.time).toLocaleTimeString()),
      foreign("span", words.event(titles.get(item.view.asset) ?? item.view.asset, item.view.assetviews)),
    );
  signal.addEventListener("abort", () => clearTimeout(timer));
  listen((message) => {
    if (message.type !== "view") return;
    waiting.hidden = true;
    const item = h("li");
    item.view = message;
    write(item);
    ticker.prepend(item);
    while (ticker.childElementCount > shownEvents) ticker.lastChild.remove();
    if (titles.has(message.asset)) return;
    if (pending.size < 200) pending.add(message.asset);
    timer ||= setTimeout(name, 300);
  }, signal);
}
