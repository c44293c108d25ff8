// A CSV file into the catalogue: preview, dry run, and the import itself.
import { aborted, each, get, pause, query, request } from "../api.js";
import { pathOf } from "../address.js";
import { foreign, h, save, status } from "../dom.js";
import { count, t } from "../strings.js";
import { recordsOf } from "../watch/catalogue.js";
import { adminToken } from "./admin.js";
import { csvLine, faultOf, merged, plan, readRows, titlesOf } from "./rows.js";

const maxBytes = 32 << 20; // of a file
const lanes = 6; // requests at once
const shownRows = 8;
const shownRefused = 50;
const why = t.csv.reasons;

/** The CSV parser, read when it is needed: a classic script that sets a global. */
let parser = null;
const papa = () =>
  (parser ??= new Promise((resolve, reject) => {
    const script = h("script", {
      src: new URL("papaparse.min.js", import.meta.url).pathname,
      onload: () => resolve(globalThis.Papa),
      onerror: () => {
        parser = null;
        reject(new Error("papaparse.min.js"));
      },
    });
    document.head.append(script);
  }));

export function importer({ signal, changed }) {
  const body = h("div", { class: "shelf" });
  const note = status();
  const input = h("input", {
    type: "file",
    accept: ".csv,text/csv",
    "aria-label": t.csv.choose,
    onchange: () => take(input.files[0]),
  });
  const over = (on) => (event) => {
    event.preventDefault();
    drop.classList.toggle("over", on);
  };
  const drop = h(
    "div",
    {
      class: "drop",
      ondragover: over(true),
      ondragleave: over(false),
      ondrop: (event) => {
        over(false)(event);
        take(event.dataTransfer.files[0]);
      },
    },
    h("p", {}, t.csv.drop),
    input,
    h("p", { class: "note" }, t.csv.help),
  );
  let run = new AbortController();

  async function take(file) {
    run.abort();
    run = new AbortController();
    const own = run.signal;
    body.replaceChildren();
    if (!file) return;
    try {
      if (file.size > maxBytes) return note.say(t.csv.tooLarge(file.size, maxBytes), "bad");
      let text;
      try {
        text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
      } catch {
        return note.say(t.csv.notText, "bad");
      }
      const read = readRows(text, (await papa()).parse);
      const fault = faultOf(read.header);
      if (fault) return note.say(fault, "bad");
      note.say(t.csv.parsed(file.name, read.rows.length));
      body.append(preview(read));
      await dryRun(titlesOf(read), own);
    } catch (error) {
      if (!aborted(error)) note.say(error.words ?? String(error), "bad");
    }
  }

  async function dryRun({ titles, refused }, own) {
    const wait = h("p", { class: "note" }, t.csv.reading);
    body.append(wait);
    const made = plan(titles, await standing(titles, own), await standingUrls(titles, own));
    wait.remove();
    const numbers = {
      new: made.new.length,
      changed: made.changed.length,
      equal: made.equal.length,
      refused: refused.length,
    };
    const work = [...made.new, ...made.changed];
    const button = h(
      "button",
      {
        class: "main",
        onclick: () => {
          button.remove();
          put(work, refused, list, own);
        },
      },
      t.csv.start(work.length),
    );
    const list = h("div", { class: "shelf" });
    body.append(
      h("h3", {}, t.csv.dryRun),
      h(
        "dl",
        { class: "kinds" },
        Object.entries(numbers).map(([kind, n]) =>
          h("div", { class: `kind-${kind}` }, h("dt", {}, t.csv.kinds[kind]), h("dd", {}, count(n))),
        ),
      ),
      work.length ? button : h("p", {}, t.csv.nothing),
      list,
    );
    drawRefused(list, refused);
  }

  async function put(work, refused, list, own) {
    const bar = h("progress", { max: work.length, value: 0, "aria-label": t.csv.title });
    const words = status("note");
    const stop = h("button", { onclick: () => run.abort() }, t.csv.stop);
    list.before(bar, words.element, stop);
    const brake = { until: 0 };
    let done = 0;
    let taken = 0;
    try {
      await each(work, lanes, async (title) => {
        const reason = await putTitle(title, own, brake, (s) => words.say(t.csv.waiting(s)));
        if (reason) refused.push({ line: title.line, id: title.id, reason });
        else taken++;
        bar.value = ++done;
        if (done % 25 === 0 || done === work.length) words.say(t.csv.progress(done, work.length));
      });
      words.say("");
      note.say(t.csv.done(taken, refused.length), refused.length ? "warn" : "good");
    } catch (error) {
      note.say(aborted(error) ? t.csv.stopped : `${error.words ?? error} ${t.csv.stopped}`, "warn");
      run.abort(); // the other lanes
    }
    stop.remove();
    drawRefused(list, refused);
    changed();
  }

  signal.addEventListener("abort", () => run.abort());
  return h(
    "section",
    { class: "panel", "aria-label": t.csv.title },
    h("h2", {}, t.csv.title),
    drop,
    note.element,
    body,
  );
}

function preview({ header, rows }) {
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": t.csv.previewCaption },
    h(
      "table",
      {},
      h("caption", {}, t.csv.previewCaption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          header.slice(0, 12).map((name) => foreign("th", name || "–", { scope: "col" })),
        ),
      ),
      h(
        "tbody",
        {},
        rows.slice(0, shownRows).map(({ cells }) =>
          h(
            "tr",
            {},
            cells.slice(0, 12).map((cell) => foreign("td", cell.slice(0, 200), { class: "long" })),
          ),
        ),
      ),
    ),
  );
}

function drawRefused(list, refused) {
  refused.sort((a, b) => a.line - b.line);
  list.replaceChildren();
  if (refused.length === 0) return;
  const file = () =>
    csvLine(t.csv.columns) + refused.map(({ line, id, reason }) => csvLine([String(line), id, reason])).join("");
  list.append(
    h("h3", {}, t.csv.refusedTitle),
    h(
      "table",
      { class: "refused" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, t.csv.line),
          h("th", { scope: "col" }, t.table.column.id),
          h("th", { scope: "col" }, t.csv.reason),
        ),
      ),
      h(
        "tbody",
        {},
        refused
          .slice(0, shownRefused)
          .map(({ line, id, reason }) =>
            h("tr", {}, h("td", {}, count(line)), foreign("td", id, { class: "long" }), h("td", {}, reason)),
          ),
      ),
    ),
    (refused.length > shownRefused && h("p", { class: "note" }, t.csv.moreRefused(refused.length - shownRefused))) ||
      "",
    h("div", {}, h("button", { onclick: () => save(t.csv.refusedFile, file(), "text/csv") }, t.csv.saveRefused)),
  );
}

/** A Map by id of the records that stand. */
async function standing(titles, signal) {
  const ids = titles.map(({ id }) => id);
  return new Map((await recordsOf(ids, signal)).map((record) => [record.id, record]));
}

/** The same of URLs, where the file has any. */
async function standingUrls(titles, signal) {
  const urls = new Map();
  if (!titles.some((title) => title.url !== "")) return urls;
  for (let after; ;) {
    const page = await get(`/url/assets${query({ after, limit: 1000 })}`, { signal, token: adminToken() });
    for (const { id, url } of page.assets) urls.set(id, url);
    if (!(after = page.next)) return urls;
  }
}

/**
 * Puts one title as a compare-and-set on what stands, after pauses that the edge asks for; why it is
 * refused, or "".
 */
async function putTitle(title, signal, brake, waiting) {
  const steps = [];
  if (title.record) {
    const make = (now) => (title.isNew ? title.record : merged(now, title.set));
    steps.push({ path: pathOf("/content/asset/", title.id), stands: !title.isNew, make });
  }
  if (title.putUrl) {
    steps.push({ path: pathOf("/url/asset/", title.id), stands: title.hasUrl, make: () => ({ url: title.url }) });
  }
  for (const step of steps) {
    for (let attempt = 0; ; attempt++) {
      if (brake.until > performance.now()) await pause(brake.until - performance.now(), signal);
      try {
        await putStep(step, signal);
        break;
      } catch (error) {
        if (error.status === 412 && attempt > 0 && !step.stands) break; // the lost attempt had stored it
        if (error.status === 412 || error.status === 404) return step.stands ? why.changed : why.made;
        if (error.status === 400 || error.status === 413) return error.words;
        if (!error.passing || attempt === 5) throw error;
        const seconds = error.retryAfter || Math.min(2 ** attempt, 10);
        brake.until = Math.max(brake.until, performance.now() + seconds * 1000);
        waiting(seconds);
      }
    }
  }
  return "";
}

async function putStep({ path, stands, make }, signal) {
  const options = { signal, token: adminToken() };
  const now = stands ? await request("GET", path, options) : { data: {} };
  const headers = stands ? { "If-Match": now.etag } : { "If-None-Match": "*" };
  await request("POST", path, { ...options, headers, body: make(now.data) });
}
