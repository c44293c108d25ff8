// The page of one title: its player, its two counts, and its views by hour.
import { aborted, get, getOr } from "../api.js";
import { pathOf } from "../address.js";
import { bars } from "../chart.js";
import { foreign, h, heading } from "../dom.js";
import { listen } from "../live.js";
import { count, t } from "../strings.js";
import { onWho, who } from "../who.js";
import { player } from "./player.js";

/** A number that moves; null is not known. */
function figure(label) {
  const value = h("dd", {}, count(NaN));
  let now = null;
  return {
    element: h("div", {}, h("dt", {}, label), value),
    get value() {
      return now;
    },
    set(n) {
      if (!Number.isFinite(n) || n === now) return;
      value.classList.remove("moved");
      if (now !== null) requestAnimationFrame(() => value.classList.add("moved"));
      now = n;
      value.textContent = count(n);
    },
  };
}

const known = new Set(["id", "title", "genre", "summary", "poster", "url"]);
const plain = (value) =>
  Array.isArray(value)
    ? value.map(plain).join(", ")
    : typeof value === "object" && value !== null
      ? JSON.stringify(value)
      : String(value);

function members(record) {
  const more = Object.entries(record)
    .filter(([name]) => !known.has(name))
    .slice(0, 12);
  return h(
    "dl",
    { class: "members" },
    h("div", {}, h("dt", {}, t.id), foreign("dd", record.id)),
    more.map(([name, value]) => h("div", {}, foreign("dt", name), foreign("dd", plain(value).slice(0, 600)))),
  );
}

export async function show(main, { parts: [id], signal, title }) {
  let record;
  try {
    record = await get(pathOf("/content/asset/", id), { signal });
  } catch (error) {
    if (error.status !== 404 && error.status !== 400) throw error;
    title(t.gone);
    return main.append(heading(t.gone), h("p", {}, t.goneHelp), h("p", {}, h("a", { href: "#/" }, t.home)));
  }
  const name = record.title || t.untitled;
  title(name);
  const all = figure(t.allViews);
  const mine = figure(t.yourViews);
  const chart = bars(t.byHourChart, { width: 460, height: 150 });
  const stage = player(record, {
    signal,
    counted(answer) {
      all.set(answer.assetviews);
      mine.set(answer.userviews);
    },
  });
  main.append(
    h(
      "article",
      { class: "title-page" },
      stage,
      h(
        "div",
        { class: "about" },
        record.genre &&
          h(
            "p",
            { class: "kicker" },
            h("a", { href: `#/genre/${encodeURIComponent(record.genre)}`, dir: "auto" }, record.genre),
          ),
        heading(name),
        record.summary && foreign("p", record.summary, { class: "summary" }),
        h("dl", { class: "figures" }, all.element, mine.element),
        h("section", { class: "hours", "aria-label": t.byHour }, h("h2", {}, t.byHour), chart.element),
      ),
      h("section", { class: "facts", "aria-label": t.about }, h("h2", {}, t.about), members(record)),
    ),
  );

  async function readCounts() {
    const views = await getOr({ views: 0 }, pathOf("/events/asset/", id), { signal });
    all.set(views.views);
    const series = await getOr({ points: emptyDay() }, pathOf("/events/asset/", id, "/series?step=hour"), { signal });
    chart.set(series.points, "hour");
  }
  async function readMine() {
    const me = who();
    if (me.missing) return;
    // The history says how often each title was watched; of a long one its first page is read.
    const path = pathOf("/events/user/", me.user, "/history?limit=1000");
    const page = await getOr({ assets: [] }, path, { signal, token: me.token });
    mine.set(page.assets.find((one) => one.id === id)?.views ?? 0);
  }
  const read = (what) => what().catch((error) => aborted(error) || stage.note.say(error.words ?? "", "bad"));
  read(readCounts);
  read(readMine);
  onWho(() => read(readMine), signal);

  listen((message) => {
    if (message.type === "gap") read(readCounts);
    if (message.type !== "view" || message.asset !== id) return;
    chart.add(message.time);
    if (message.assetviews > (all.value ?? -1)) all.set(message.assetviews);
    if (message.user !== undefined && message.user === who().user && message.userviews > (mine.value ?? -1)) {
      mine.set(message.userviews);
    }
  }, signal);
}

function emptyDay() {
  const hour = Math.floor(Date.now() / 3_600_000);
  return Array.from({ length: 24 }, (_, i) => ({
    start: new Date((hour - 23 + i) * 3_600_000).toISOString(),
    views: 0,
  }));
}
