// Adding, changing and deleting a title: each a compare-and-set on what was read.
// add(undefined, signal), edit(record, signal) and remove(record, signal) return what was done in
// words, or nothing.
import { request } from "../api.js";
import { pathOf } from "../address.js";
import { dialog, foreign, h, status } from "../dom.js";
import { t } from "../strings.js";
import { adminToken } from "./admin.js";
import { askConflict } from "./conflict.js";

const own = ["title", "genre", "summary"];
const content = (id) => pathOf("/content/asset/", id);
const urlOf = (id) => pathOf("/url/asset/", id);

/** What stands: {fields, etag, urlTag}; fields of a title that is not there are empty, and tags "". */
export async function readTitle(id, signal) {
  const absent = { data: {}, etag: "" };
  const read = (path, token) =>
    request("GET", path, { token, signal }).catch((error) => {
      if (error.status === 404) return absent;
      throw error;
    });
  const [record, url] = await Promise.all([read(content(id)), read(urlOf(id), adminToken())]);
  return { fields: fieldsOf(id, record.data, url.data.url ?? ""), etag: record.etag, urlTag: url.etag };
}

function fieldsOf(id, record, url) {
  const more = Object.fromEntries(Object.entries(record).filter(([name]) => name !== "id" && !own.includes(name)));
  return {
    id,
    title: record.title ?? "",
    genre: record.genre ?? "",
    summary: record.summary ?? "",
    url,
    more: Object.keys(more).length ? JSON.stringify(more, null, 1) : "",
  };
}

/** The record of the fields; throws words where the further members are no object. */
function recordOf({ title, genre, summary, more }) {
  let members = {};
  try {
    if (more.trim()) members = JSON.parse(more);
  } catch {
    throw t.edit.notJson;
  }
  if (typeof members !== "object" || members === null || Array.isArray(members)) throw t.edit.notJson;
  return { title, genre, summary, ...members };
}

const condition = (etag) => (etag ? { "If-Match": etag } : { "If-None-Match": "*" });
const change = (method, path, etag, signal, body) =>
  request(method, path, { body, token: adminToken(), headers: condition(etag), signal });

/** Puts what differs from `base`. Throws a Problem; one of status 412 where somebody was faster. */
async function put(fields, base, signal) {
  const record = recordOf(fields);
  const same = (name) => fields[name] === base.fields[name];
  if (base.etag === "" || !["title", "genre", "summary", "more"].every(same)) {
    const { data: _, etag } = await change("POST", content(fields.id), base.etag, signal, record);
    base.etag = etag;
  }
  if (same("url")) return;
  if (fields.url) await change("POST", urlOf(fields.id), base.urlTag, signal, { url: fields.url });
  else if (base.urlTag) await change("DELETE", urlOf(fields.id), base.urlTag, signal);
}

/** Asks for fields until they are saved, or the user gives up. */
function ask(heading, fields, base, signal) {
  const isNew = base === null;
  return dialog(heading, (close) => {
    const note = status();
    const box = (name, tag, more) => h(tag, { value: fields[name], dir: "auto", spellcheck: "false", ...more });
    const inputs = {
      id: box("id", "input", { required: true, maxlength: 128, readonly: !isNew }),
      title: box("title", "input", { required: true, autofocus: !isNew }),
      genre: box("genre", "input"),
      summary: box("summary", "textarea"),
      url: box("url", "input", { dir: "ltr" }),
      more: box("more", "textarea", { class: "code", dir: "ltr" }),
    };
    const labelled = (name, help) =>
      h("label", {}, t.edit.field[name], inputs[name], help && h("span", { class: "note" }, help));
    async function submit(event) {
      event.preventDefault();
      const mine = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.value]));
      mine.id = mine.id.trim();
      mine.url = mine.url.trim();
      try {
        const from = base ?? { fields: fieldsOf(mine.id, {}, ""), etag: "", urlTag: "" };
        if (!isNew && Object.keys(mine).every((name) => mine[name] === from.fields[name])) return note.say(t.edit.same);
        await put(mine, from, signal);
        close(t.edit.saved(mine.title || t.untitled));
      } catch (error) {
        if (error.status === 412) return close({ mine });
        note.say(typeof error === "string" ? error : (error.words ?? String(error)), "bad");
      }
    }
    return h(
      "form",
      { class: "fields", onsubmit: submit },
      labelled("id"),
      labelled("title"),
      labelled("genre"),
      labelled("summary"),
      labelled("url", t.edit.urlHelp),
      labelled("more", t.edit.moreHelp),
      note.element,
      h(
        "div",
        { class: "ends" },
        h("button", { type: "button", onclick: () => close() }, t.cancel),
        h("button", { class: "main" }, t.edit.save),
      ),
    );
  });
}

/** The dialog, and after a 412 both sides beside each other, until it is saved or left. */
async function askAndSettle(heading, fields, base, signal) {
  let answer = await ask(heading, fields, base, signal);
  while (answer?.mine) {
    const theirs = await readTitle(answer.mine.id, signal);
    const merged = await askConflict(answer.mine, theirs);
    if (!merged) return undefined;
    try {
      await put(merged, theirs, signal);
      return t.edit.saved(merged.title || t.untitled);
    } catch (error) {
      if (error.status === 412) answer = { mine: merged };
      else answer = await ask(heading, merged, theirs, signal);
    }
  }
  return answer;
}

export const add = (_, signal) => askAndSettle(t.edit.add, fieldsOf("", {}, ""), null, signal);

export async function edit(record, signal) {
  const base = await readTitle(record.id, signal);
  return askAndSettle(t.edit.edit(base.fields.title || t.untitled), base.fields, base, signal);
}

export async function remove(record, signal) {
  let base = await readTitle(record.id, signal);
  const name = base.fields.title || t.untitled;
  return dialog(t.edit.removeAsk(name), (close) => {
    const note = status();
    async function go() {
      try {
        if (base.etag) await change("DELETE", content(record.id), base.etag, signal);
        base.etag = "";
        if (base.urlTag) await change("DELETE", urlOf(record.id), base.urlTag, signal);
        close(t.edit.removed(name));
      } catch (error) {
        if (error.status !== 412) return note.say(error.words ?? String(error), "bad");
        base = await readTitle(record.id, signal);
        note.say(t.conflict.changedHelp, "warn");
        now.replaceChildren(foreign("p", `${base.fields.title} · ${base.fields.genre} · ${base.fields.summary}`));
        button.textContent = t.conflict.removeAnyway;
      }
    }
    const now = h("div");
    const button = h("button", { class: "main", onclick: go }, t.table.remove);
    return [
      h("p", {}, t.edit.removeHelp),
      note.element,
      now,
      h("div", { class: "ends" }, h("button", { onclick: () => close() }, t.cancel), button),
    ];
  });
}
