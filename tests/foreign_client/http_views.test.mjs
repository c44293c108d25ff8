// Views by time over HTTP: a year of views as a film site has them. Every answer of the edge is
// compared with one that is counted from the stream, after kills, with two instances, after an
// erasure and after a rebuild.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { jetstream } from "@nats-io/jetstream";
import { streamInfo, readStream } from "./recount/stream.mjs";
import { compareByTime } from "./recount/compare_by_time.mjs";
import { ViewsByTime } from "./recount/views_by_time.mjs";
import { get } from "./support/requests.mjs";
import { patience } from "./support/processes.mjs";
import { drawing } from "./support/drawing.mjs";
import { System } from "./support/system.mjs";

const token = "token-of-an-administrator";
const admin = { Authorization: `Bearer ${token}` };
let system;
let nats;
let edge; // its address
const instances = [];

before(async () => {
  system = await System.create();
  const file = join(system.folder, "token");
  writeFileSync(file, `${token}\n`);
  instances.push(await system.start("reporting", { name: "one" }));
  await system.start("metadata", { args: ["--no-demo"] });
  const { output } = await system.start("edge", { args: ["--listen", "127.0.0.1:0", "--admin-token-file", file] });
  edge = `http://${/ listen=(\S+)/.exec(output)[1]}`;
  nats = await system.connect();
  await Promise.all(titled.map((id, i) => get(nats, `metadata.put.${id}`, title(i))));
});
after(() => system.end());

const { random, whole, zipf } = drawing(1664);

const titles = Array.from({ length: 250 }, (_, i) => (i % 9 === 4 ? `=${i}, "Été"; +1` : `film-${i}`));
const titled = titles.filter((id, i) => id.startsWith("film") && i % 5 !== 0);
const title = (i) => ({ title: `Title ${i}`, genre: i % 2 ? "drama" : "comedy", summary: "" });
const someUser = () => `user ${zipf(180)}@example.org`;
const begin = Date.parse("2024-01-01T00:00:00Z");
const year = 366 * 24 * 3_600_000;

/** In the evenings more than at night; a few are of now, or say so of a time that cannot be. */
function someTime() {
  const kind = random();
  if (kind < 0.03) return new Date(Date.now() - whole(100_000)).toISOString();
  if (kind < 0.05) return kind < 0.04 ? "1969-12-31T23:59:59Z" : "2999-01-01T00:00:00Z";
  const day = begin + whole(366) * 24 * 3_600_000;
  const hour = Math.max(whole(24), whole(24));
  return new Date(day + hour * 3_600_000 + whole(3_600_000)).toISOString();
}

let made = 0;
function line() {
  const kind = random();
  const [asset, user, time] = [titles[zipf(titles.length)], someUser(), someTime()];
  if (kind < 0.02) return `${asset}:${user}`;
  const id = kind < 0.06 ? `id-${1 + whole(made + 1)}` : `id-${(made += 1)}`;
  if (kind < 0.8) return JSON.stringify({ id, asset, user, time });
  return JSON.stringify({ specversion: "1.0", type: "marquee.play", source: "/tv", id, subject: asset, user, time });
}

/** Publishes views, some in messages of several; returns the last sequence. */
async function publish(messages) {
  const stream = jetstream(nats, { timeout: 30_000 });
  const acks = [];
  for (let i = 0; i < messages; i += 1) {
    const lines = Array.from({ length: random() < 0.5 ? 1 : 1 + whole(80) }, line);
    acks.push(stream.publish("events", lines.join("\n")));
    if (random() < 0.05)
      acks.push(stream.publish("events.admin", JSON.stringify({ retract: `id-${1 + whole(made)}` })));
  }
  return Math.max(...(await Promise.all(acks)).map(({ seq }) => seq));
}

/** Waits until each of so many instances serves what is counted up to `sequence`. */
async function counted(sequence, count) {
  const seen = new Set();
  for (let tries = 0; seen.size < count; tries += 1) {
    assert.ok(tries < 200, `only ${seen.size} of ${count} instances answer`);
    const found = await get(nats, "reporting.views.x.x", "", { "Marquee-After": sequence, "Marquee-Timeout": 15_000 });
    seen.add(found.instance);
  }
}

/** An answer with 200, or null for 404. An instance that has just started may be away a moment longer. */
async function call(path, headers = {}, method = "GET") {
  for (const end = Date.now() + patience; ; ) {
    const answer = await fetch(edge + path, { method, headers, signal: AbortSignal.timeout(patience) });
    const text = await answer.text();
    if (answer.status === 503 && Date.now() < end) continue;
    if (answer.status === 404) return null;
    assert.equal(answer.status, 200, `${path}: ${text}`);
    return { text, headers: answer.headers };
  }
}

const query = (parameters = {}) => {
  const text = new URLSearchParams(Object.entries(parameters)).toString();
  return text && `?${text}`;
};
const decoded = (subjectToken) =>
  encodeURIComponent(
    Buffer.from(subjectToken.replace(/=(..)|[^]/g, (each, hex) => hex ?? Buffer.from(each).toString("hex")), "hex"),
  );
const paths = {
  asset: (id) => `/events/asset/${id}`,
  user: (id) => `/events/user/${id}`,
  series: (id) => (id ? `/events/asset/${id}/series` : "/events/series"),
  history: (id) => `/events/user/${id}/history`,
  top: () => "/events/top",
  assets: () => "/events/assets",
};

/** What the edge says to what a NATS client would ask reporting. */
async function ask(subject, request) {
  const [, endpoint, id] = subject.split(".");
  const answer = await call(paths[endpoint](id && decoded(id)) + query(request));
  return answer && JSON.parse(answer.text);
}

/** The cells of a CSV text (RFC 4180). */
function readCsv(text) {
  assert.ok(text.endsWith("\r\n"));
  return text
    .slice(0, -2)
    .split("\r\n")
    .map((row) => {
      const cells = [...row.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)];
      assert.equal(cells.map(([all]) => all).join(""), row);
      return cells.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain);
    });
}

/** All counts, by CSV. */
async function allByCsv() {
  const rows = [];
  for (let next = "/events/assets?limit=60"; next; ) {
    const { text, headers } = await call(next, { Accept: "text/csv" });
    assert.equal(headers.get("content-type"), "text/csv; charset=utf-8; header=present");
    const [head, ...page] = readCsv(text);
    assert.deepEqual(head, ["id", "views", "viewers", "last"]);
    for (const [id] of page) assert.doesNotMatch(id, /^[=+\-@]/);
    rows.push(...page);
    next = /^<([^>]+)>; rel="next"$/.exec(headers.get("link") ?? "")?.[1];
  }
  return rows.map(([id, views, viewers, last]) => ({
    id: id.replace(/^'/, ""),
    views: Number(views),
    viewers: Number(viewers),
    last,
  }));
}

async function compare(times) {
  const views = new ViewsByTime(24n * 3_600_000_000_000n);
  await readStream(nats, "EVENTS", (sequence, timestamp, data, messageId, subject) =>
    views.store(timestamp, subject, data));
  const wrong = await compareByTime(ask, views, times);
  assert.deepEqual(wrong.slice(0, 3), []);
  assert.deepEqual(await allByCsv(), views.allAssets());
  const all = [...views.assets]
    .map(([id, sum]) => ({ id, views: sum.views }))
    .sort((one, other) => other.views - one.views || Buffer.compare(Buffer.from(one.id), Buffer.from(other.id)));
  assert.deepEqual(await ask("reporting.top", { limit: 1000 }), { assets: all.slice(0, 1000) });
  const shown = (assets, limit) =>
    assets
      .filter(({ id }) => titled.includes(id))
      .slice(0, limit)
      .map((each) => {
        const { title: name, genre } = title(titled.indexOf(each.id));
        return { ...each, title: name, genre };
      });
  for (const limit of [5, 100, 1000])
    assert.deepEqual(await ask("reporting.top", { content: "true", limit }), { assets: shown(all, limit) });
  const at = "2024-07-14T20:30:00Z";
  const top = views.top("30d", Date.parse(at), 1000);
  assert.deepEqual(await ask("reporting.top", { content: "true", window: "30d", at, limit: 20 }), {
    ...top,
    assets: shown(top.assets, 20),
  });
  return views;
}

test("every answer equals one that is counted from the stream", async () => {
  await counted(await publish(160), 1);
  const views = await compare(1);
  assert.ok(views.applied > 2000 && views.duplicates > 20 && views.retracted > 1, "a mixed stream");
  assert.ok(views.hours.size > 1000, "a year of hours");
});

test("so it is after a kill in the middle, and with two instances", async () => {
  const publishing = publish(60);
  await instances.pop().stop("SIGKILL");
  instances.push(await system.start("reporting", { name: "one" }));
  instances.push(await system.start("reporting", { name: "two", args: ["--dedupe-window", "23h"] }));
  await counted(await publishing, 2);
  await compare(2); // nothing repeats so late that the windows would tell the instances apart
});

test("instances that count by different rules are named", async () => {
  const { services, counting_rules: rules } = JSON.parse((await call("/services")).text);
  const ids = services.filter(({ name }) => name === "reporting").map(({ id }) => id);
  assert.deepEqual(rules.flatMap(({ instances: named }) => named).sort(), ids.sort());
  assert.deepEqual(
    rules.map(({ instances: named }) => named.length),
    [1, 1],
  );
  assert.notEqual(rules[0].dedupe_window, rules[1].dedupe_window);
});

test("a user who is deleted is gone from every answer", async () => {
  const path = "/events/user/user%200%40example.org";
  assert.ok(await call(path));
  assert.equal((await call(path, admin, "DELETE")).text, '{"status":"ok"}');
  await counted((await streamInfo(nats, "EVENTS")).state.last_seq, 2);
  assert.equal(await call(path), null);
  assert.equal(await call(`${path}/history`), null);
  const views = await compare(2);
  assert.ok(views.erased > 50);
});

test("so it is after a rebuild", async () => {
  for (const instance of instances.splice(0)) await instance.stop();
  instances.push(await system.start("reporting", { name: "one", args: ["--rebuild"] }));
  await instances[0].says("counted anew");
  await counted((await streamInfo(nats, "EVENTS")).state.last_seq, 1);
  await compare(1);
});
