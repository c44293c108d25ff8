// The start: what is trending, what this viewer has seen, genres, and all titles.
import { aborted, get, getOr, query } from "../api.js";
import { bars } from "../chart.js";
import { choice, foreign, h, heading } from "../dom.js";
import { listen } from "../live.js";
import { failure } from "../main.js";
import { card } from "../poster.js";
import { count, t } from "../strings.js";
import { onWho, who } from "../who.js";
import { firstTitles, genresOf, newestOf, recordsOf } from "./catalogue.js";
import { pagedList } from "./list.js";

const ago = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
function since(time) {
  const minutes = (Date.parse(time) - Date.now()) / 60_000;
  if (!Number.isFinite(minutes)) return "";
  if (minutes > -60) return ago.format(Math.min(0, Math.round(minutes)), "minute");
  return minutes > -1440 ? ago.format(Math.round(minutes / 60), "hour") : ago.format(Math.round(minutes / 1440), "day");
}

/** A part of the page that is filled later, and says when it cannot be. */
function shelf(title, fill, signal, ...tools) {
  const body = h("div", { class: "shelf-body" });
  const part = h(
    "section",
    { "aria-label": title, class: "shelf" },
    h("div", { class: "shelf-head" }, h("h2", {}, title), tools),
    body,
  );
  async function load() {
    try {
      const found = await fill();
      part.hidden = found === null;
      if (found !== null) body.replaceChildren(...[found].flat());
    } catch (error) {
      if (!aborted(error)) body.replaceChildren(failure(error, load));
    }
  }
  signal.addEventListener("abort", () => body.replaceChildren());
  load();
  return { part, load };
}

const row = (cards) => h("ul", { class: "row", tabindex: cards.length > 2 ? "0" : undefined }, cards);

export function show(main, { signal, title }) {
  title("");
  const chart = bars(t.lastDayChart, { width: 480, height: 130 });
  const total = h("strong", { class: "big" });
  const hero = h(
    "section",
    { class: "hero", "aria-label": t.homeTitle },
    h("div", {}, heading(t.homeTitle), h("p", { class: "lead" }, t.explain), h("p", { class: "first" }, t.first)),
    h("div", { class: "hero-chart" }, h("p", {}, total, h("span", {}, t.lastDay)), chart.element),
  );
  const drawTotal = () => {
    total.textContent = count(chart.sum);
  };
  async function loadChart() {
    try {
      const series = await get("/events/series?step=hour", { signal });
      chart.set(series.points, "hour");
      drawTotal();
    } catch {
      /* the shelves say what is wrong */
    }
  }
  loadChart();

  let span = "24h";
  const notes = new Map(); // by asset: {element, views} of the trend
  const trending = shelf(
    t.trending,
    async () => {
      const top = await get(`/events/top${query({ window: span, content: "true", limit: 12 })}`, { signal });
      if (top.assets.length === 0) return h("p", { class: "none" }, t.nothingTrending);
      const ids = top.assets.map((one) => one.id);
      const records = new Map((await recordsOf(ids, signal)).map((one) => [one.id, one]));
      notes.clear();
      return row(
        top.assets.map((one) => {
          const made = card(records.get(one.id) ?? one, t.views(one.views));
          notes.set(one.id, { element: made.querySelector(".card-note"), views: one.views });
          return made;
        }),
      );
    },
    signal,
    choice(t.windowLabel, t.windows, span, (picked) => {
      span = picked;
      trending.load();
    }),
  );

  const goOn = shelf(
    t.goOn,
    async () => {
      const me = who();
      if (me.missing) return null;
      const path = `/events/user/${encodeURIComponent(me.user)}/history?limit=12`;
      const page = await getOr({ assets: [] }, path, { signal, token: me.token });
      if (page.assets.length === 0) return null;
      const seen = new Map(page.assets.map((one) => [one.id, one]));
      const records = await recordsOf([...seen.keys()], signal);
      return records.length === 0
        ? null
        : row(records.map((one) => card(one, t.lastSeen(since(seen.get(one.id).last)))));
    },
    signal,
  );
  goOn.part.hidden = true;
  onWho(goOn.load, signal);

  const genres = shelf(
    t.genres,
    async () => {
      const { assets, more } = await firstTitles(signal);
      const found = genresOf(assets);
      if (found.length === 0) return null;
      return [
        h(
          "ul",
          { class: "chips" },
          found.map(([name, n]) =>
            h(
              "li",
              {},
              h(
                "a",
                { href: `#/genre/${encodeURIComponent(name)}`, "aria-label": t.genreCount(name, n) },
                foreign("span", name),
                h("span", { class: "dim" }, count(n)),
              ),
            ),
          ),
        ),
        more && h("p", { class: "note" }, t.ofFirst(assets.length)),
      ].filter(Boolean);
    },
    signal,
  );
  const newest = shelf(
    t.newest,
    async () => {
      const { assets } = await firstTitles(signal);
      const found = newestOf(assets, 12);
      return found.length === 0
        ? null
        : row(found.map((one) => card(one, String(one.added ?? one.released ?? one.year).slice(0, 10))));
    },
    signal,
  );
  const all = h(
    "section",
    { class: "shelf", "aria-label": t.all },
    h("div", { class: "shelf-head" }, h("h2", {}, t.all)),
    pagedList({ sort: "title" }, { signal, none: t.noTitles }),
  );
  main.append(hero, goOn.part, trending.part, newest.part, genres.part, all);

  let stale = 0; // a timer: a title that is not in the trend may belong there now
  signal.addEventListener("abort", () => clearTimeout(stale));
  function renew() {
    const used = trending.part.matches(":focus-within"); // whoever is in it does not lose the focus
    stale = used ? setTimeout(renew, 2000) : 0;
    if (!used) trending.load();
  }
  listen((message) => {
    if (message.type === "gap") {
      loadChart();
      trending.load();
    }
    if (message.type !== "view") return;
    chart.add(message.time);
    drawTotal();
    const note = notes.get(message.asset);
    if (note) note.element.textContent = t.views(++note.views);
    else stale ||= setTimeout(renew, 2000);
  }, signal);
}
