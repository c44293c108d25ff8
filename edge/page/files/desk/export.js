// The catalogue and the counts as files.
import { aborted, get, query, request } from "../api.js";
import { h, save, status } from "../dom.js";
import { t } from "../strings.js";
import { adminToken } from "./admin.js";
import { csvLine } from "./rows.js";

export function exporter({ signal }) {
  const note = status();

  async function pages(path, token, take) {
    let n = 0;
    for (let after; ;) {
      const page = await get(`${path}${query({ after, limit: 1000 })}`, { signal, token });
      page.assets.forEach(take);
      note.say(t.out.reading((n += page.assets.length)));
      if (!(after = page.next)) return;
    }
  }

  async function catalogue() {
    const urls = new Map();
    const records = [];
    await pages("/url/assets", adminToken(), ({ id, url }) => urls.set(id, url));
    await pages("/content/assets", undefined, (record) => {
      const url = urls.get(record.id);
      records.push(url === undefined ? record : { ...record, url });
      urls.delete(record.id);
    });
    for (const [id, url] of urls) records.push({ id, url });
    return records;
  }

  const kinds = {
    async csv() {
      const records = await catalogue();
      const columns = new Set(["id", "title", "genre", "summary", "url"]);
      for (const record of records) Object.keys(record).forEach((name) => columns.add(name));
      return [
        csvLine([...columns]),
        ...records.map((record) => csvLine([...columns].map((name) => record[name]))),
      ].join("");
    },
    ndjson: async () => (await catalogue()).map((record) => `${JSON.stringify(record)}\n`).join(""),
    async counts() {
      const parts = [];
      let path = "/events/assets?limit=1000";
      while (path) {
        const { data, headers } = await request("GET", path, { signal, headers: { Accept: "text/csv" }, as: "text" });
        parts.push(parts.length ? data.slice(data.indexOf("\n") + 1) : data);
        path = /<([^>]*)>;\s*rel="?next"?/.exec(headers.get("Link") ?? "")?.[1];
        if (path && new URL(path, location.href).origin !== location.origin) path = "";
      }
      return parts.join("");
    },
  };

  async function write(kind) {
    try {
      const text = await kinds[kind]();
      save(t.out.file[kind], text, kind === "ndjson" ? "application/x-ndjson" : "text/csv");
      note.say(t.out.saved(t.out.file[kind]), "good");
    } catch (error) {
      if (!aborted(error)) note.say(error.words ?? String(error), "bad");
    }
  }

  return h(
    "section",
    { class: "panel", "aria-label": t.out.title },
    h("h2", {}, t.out.title),
    h("p", { class: "note" }, t.out.help),
    h(
      "div",
      { class: "tools" },
      Object.keys(kinds).map((kind) => h("button", { onclick: () => write(kind) }, t.out[kind])),
    ),
    note.element,
  );
}
