// Views by time over a year of views: series, windows, histories, pages and corrections. They are
// recounted here from the stream, and compared with two instances, after kills, a rebuild and a
// swap.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { jetstream } from "@nats-io/jetstream";
import { compareByTime } from "./recount/compare_by_time.mjs";
import { readStream } from "./recount/stream.mjs";
import { ViewsByTime } from "./recount/views_by_time.mjs";
import { encodeToken } from "./ids.mjs";
import { drawing } from "./support/drawing.mjs";
import { sendRequest, get } from "./support/requests.mjs";
import { System } from "./support/system.mjs";

let system;
let nats;
const instances = [];
before(async () => {
  system = await System.create();
  instances.push(await system.start("reporting", { name: "one" }));
  nats = await system.connect();
});
after(() => system.end());

const { random, whole, zipf } = drawing(17);

const assets = 300;
const users = 200;
const year = 365 * 24 * 3_600_000;
const titles = Array.from({ length: assets }, (_, i) => (i % 7 === 0 ? `Título ${i}: "q"/é` : `asset-${i}`));
const someUser = () => `user ${zipf(users)}@example.org`;
let made = 0;

/** As a site has them: most are of now, an import brings a year, and some clocks are wrong. */
function someTime(now) {
  const kind = random();
  if (kind < 0.4) return now - whole(5000);
  if (kind < 0.9) return now - whole(year);
  if (kind < 0.95) return now + whole(600_000);
  return kind < 0.97 ? -whole(10 ** 12) : now + year;
}

function event(id, now) {
  return JSON.stringify({
    id,
    asset: titles[zipf(assets)],
    user: someUser(),
    time: new Date(someTime(now)).toISOString(),
  });
}

const ulid = (i) => `01ARZ3NDEKTSV4${String(i).padStart(12, "0")}`;

/** Publishes some views and corrections, and returns the stream's last sequence. */
async function publish(messages) {
  const stream = jetstream(nats, { timeout: 30_000 });
  const acks = [];
  for (let i = 0; i < messages; i += 1) {
    const now = Date.now();
    const kind = random();
    made += 1;
    if (kind < 0.02) acks.push(stream.publish("events.admin", JSON.stringify({ retract: someId() })));
    else if (kind < 0.024) acks.push(stream.publish("events.admin", JSON.stringify({ erase: someUser() })));
    else if (kind < 0.6) {
      const lines = Array.from({ length: 1 + whole(12) }, (_, line) => event(`${ulid(made)}.${line}`, now));
      acks.push(stream.publish("events", lines.join("\n")));
    } else if (kind < 0.7) acks.push(stream.publish("events", `${titles[zipf(assets)]}:${someUser()}`));
    else acks.push(stream.publish("events", event(kind < 0.75 ? someId() : `id-${made}`, now)));
  }
  return Math.max(...(await Promise.all(acks)).map(({ seq }) => seq));
}

const someId = () => {
  const of = 1 + whole(made);
  return random() < 0.6 ? `${ulid(of)}.${whole(4)}` : `id-${of}`;
};

/** Waits until each of so many instances serves what is counted up to `sequence`. */
async function counted(sequence, count) {
  const seen = new Set();
  for (let tries = 0; seen.size < count; tries += 1) {
    assert.ok(tries < 200, `only ${seen.size} of ${count} instances answer`);
    const found = await get(nats, "reporting.views.x.x", "", { "Marquee-After": sequence, "Marquee-Timeout": 15_000 });
    seen.add(found.instance);
  }
}

async function ask(subject, request) {
  const reply = await sendRequest(nats, subject, request ?? "");
  if (reply.code === 404) return null;
  assert.equal(reply.code, 200, `${subject} ${JSON.stringify(request)}: ${JSON.stringify(reply.body)}`);
  return reply.body;
}

async function recounted(window) {
  const views = new ViewsByTime(window);
  await readStream(nats, "EVENTS", (sequence, timestamp, data, messageId, subject) =>
    views.store(timestamp, subject, data));
  return views;
}

const second = 1_000_000_000n;
const day = 86_400n * second;

/** `window` is the dedupe window of the instances, in nanoseconds. */
async function compare(count, window = day) {
  const views = await recounted(window);
  const wrong = await compareByTime(ask, views, count);
  assert.deepEqual(wrong.slice(0, 3), []);
  const stats = (await nats.request("$SRV.STATS.reporting", "", { timeout: 20_000 })).json().endpoints[0].data;
  const { applied, duplicates, rejected, retracted, erased } = stats;
  assert.deepEqual(
    { applied, duplicates, rejected, retracted: retracted ?? 0, erased: erased ?? 0 },
    {
      applied: views.applied,
      duplicates: views.duplicates,
      rejected: views.rejected,
      retracted: views.retracted,
      erased: views.erased,
    },
  );
  return views;
}

test("every answer equals one that is counted from the stream", async () => {
  await counted(await publish(1500), 1);
  const views = await compare(1);
  assert.ok(views.retracted > 3 && views.erased > 3 && views.rejected > 3 && views.duplicates > 3, "a mixed stream");
});

test("so it is after kills in the middle, and with two instances", async () => {
  for (let i = 0; i < 2; i += 1) {
    const publishing = publish(600);
    await instances.pop().stop("SIGKILL");
    instances.push(await system.start("reporting", { name: "one" }));
    await counted(await publishing, 1);
  }
  instances.push(await system.start("reporting", { name: "two" }));
  await counted(await publish(300), 2);
  await compare(3);
});

test("so it is after a rebuild", async () => {
  for (const instance of instances.splice(0)) await instance.stop();
  const rebuilding = await system.start("reporting", { name: "one", args: ["--rebuild"] });
  instances.push(rebuilding);
  await rebuilding.says("counted anew");
  await compare(1);
});

test("so it is after a swap: another rule is counted beside, while views come, and replaces the counts", async () => {
  for (const instance of instances.splice(0)) await instance.stop();
  const swapping = await system.start("reporting", { name: "one", args: ["--dedupe-window", "2s"] });
  instances.push(swapping);
  const last = await publish(300);
  await swapping.says("counted anew");
  await counted(last, 1);
  const { duplicates } = await compare(1, 2n * second);
  assert.ok(duplicates < (await recounted(day)).duplicates, "ids are used again after two seconds");
  for (const instance of instances.splice(0)) await instance.stop();
  const back = await system.start("reporting", { name: "one" });
  instances.push(back);
  await back.says("counted anew");
  await compare(1);
});

test("an erased user is gone from every answer, and what comes later is a new user's", async () => {
  const user = "Zoë@example.org";
  const stream = jetstream(nats, { timeout: 30_000 });
  await stream.publish("events", `only:${user}`);
  const { seq } = await stream.publish("events.admin", JSON.stringify({ erase: user }));
  await counted(seq, 1);
  assert.equal((await sendRequest(nats, `reporting.user.${encodeToken(user)}`)).code, 404);
  assert.equal((await sendRequest(nats, `reporting.history.${encodeToken(user)}`)).code, 404);
  const { views, viewers } = (await get(nats, "reporting.asset.only")).body;
  assert.deepEqual([views, viewers], [1, 0]);
  await counted((await stream.publish("events", `only:${user}`)).seq, 1);
  assert.equal((await get(nats, `reporting.user.${encodeToken(user)}`)).body.views, 1);
  await compare(1);
});
