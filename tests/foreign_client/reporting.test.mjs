// Events published directly, and the counts of reporting.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { encodeToken } from "./ids.mjs";
import { sendRequest, get } from "./support/requests.mjs";
import { complaints } from "./support/schemas.mjs";
import { System } from "./support/system.mjs";

let system;
let nats;
before(async () => {
  system = await System.create();
  await system.start("reporting");
  nats = await system.connect();
});
after(() => system.end());

/** Publishes and returns the sequence of the stream's acknowledgement. */
async function publish(payload) {
  const ack = await jetstream(nats).publish("events", typeof payload === "string" ? payload : JSON.stringify(payload));
  assert.equal(ack.stream, "EVENTS");
  return ack.seq;
}

const viewsSubject = (asset, user) => `reporting.views.${encodeToken(asset)}.${encodeToken(user)}`;

/** Both counts, once the event at `sequence` is counted. */
async function countsAfter(sequence, asset, user) {
  const { body } = await get(nats, viewsSubject(asset, user), "", { "Marquee-After": sequence });
  return [body.assetviews, body.userviews];
}

async function statistics() {
  const reply = await nats.request("$SRV.STATS.reporting", "", { timeout: 20_000 });
  return reply.json().endpoints[0].data;
}

const event = (id, asset, user) => ({ id, asset, user, time: "2026-01-31T09:30:00.123Z" });

test("nats pub events 123:42 is a view of the asset and of the user", async () => {
  assert.deepEqual(await countsAfter(0, "123", "42"), [0, 0]);
  assert.deepEqual(await sendRequest(nats, "reporting.asset.123"), {
    code: 404,
    body: { id: "123", status: "Asset not found" },
  });
  assert.deepEqual(await sendRequest(nats, "reporting.user.42"), {
    code: 404,
    body: { id: "42", status: "User not found" },
  });
  nats.publish("events", "123:42"); // as the CLI does, without asking for an acknowledgement
  assert.deepEqual(await countsAfter(await publish("123:43"), "123", "42"), [2, 1]);
  const { last: userLast, ...user } = (await get(nats, "reporting.user.42")).body;
  assert.deepEqual(user, { id: "42", views: 1, assets: 1 });
  const { last, ...asset } = (await get(nats, "reporting.asset.123")).body;
  assert.deepEqual(asset, { id: "123", views: 2, viewers: 2 });
  for (const time of [userLast, last]) assert.ok(Math.abs(Date.parse(time) - Date.now()) < 600_000, time);
});

test("a text event is split at its last colon and is never a duplicate", async () => {
  const asset = "Les Misérables: 2012";
  await publish(`${asset}:who@example.org`);
  assert.deepEqual(await countsAfter(await publish(`${asset}:who@example.org`), asset, "who@example.org"), [2, 2]);
  const { id, views, viewers } = (await get(nats, `reporting.asset.${encodeToken(asset)}`)).body;
  assert.deepEqual([id, views, viewers], [asset, 2, 1]);
});

test("a JSON event counts once per id, whatever a copy says", async () => {
  await publish(event("once", "json", "u1"));
  await publish(event("once", "json", "u1"));
  await publish(event("once", "another", "u2"));
  assert.deepEqual(await countsAfter(await publish(event("twice", "json", "u1")), "json", "u1"), [2, 2]);
  assert.deepEqual(await countsAfter(0, "another", "u2"), [0, 0]);
  assert.equal((await statistics()).duplicates, 2);
});

test("Marquee-Event detects a key that was used for another asset", async () => {
  const sequence = await publish(event("my-key", "key-asset", "key-user"));
  const asked = (asset, user, id) =>
    sendRequest(nats, viewsSubject(asset, user), "", { "Marquee-After": sequence, "Marquee-Event": id });
  assert.equal((await asked("key-asset", "key-user", "my-key")).code, 200);
  assert.equal((await asked("key-asset", "key-user", "never-used")).code, 200);
  for (const [asset, user] of [
    ["another", "key-user"],
    ["key-asset", "another"],
  ])
    assert.deepEqual(await asked(asset, user, "my-key"), { code: 422, body: { id: asset, status: "key_reused" } });
  assert.equal((await asked("key-asset", "key-user", "no id")).code, 400);
});

test("Marquee-After waits until the deadline and no longer", async () => {
  const future = { "Marquee-After": 1_000_000, "Marquee-Timeout": 200 };
  const { code, body } = await sendRequest(nats, viewsSubject("123", "42"), "", future);
  assert.deepEqual([code, body.status], [504, "Deadline exceeded"]);
  for (const [name, text] of [
    ["Marquee-After", "soon"],
    ["Marquee-After", "-1"],
    ["Marquee-Timeout", "1s"],
  ]) {
    const refused = await sendRequest(nats, viewsSubject("123", "42"), "", { [name]: text });
    assert.deepEqual([refused.code, refused.body.field], [400, name]);
  }
  const { last_sequence: last } = await statistics();
  const waiting = get(nats, viewsSubject("late", "late"), "", { "Marquee-After": last + 1, "Marquee-Timeout": 20_000 });
  assert.equal(await publish("late:late"), last + 1);
  assert.deepEqual((await waiting).body, { assetviews: 1, userviews: 1 });
});

const good = event("good", "g", "g");
const garbage = [
  "",
  "nothing",
  ":42",
  "123:",
  "a\tb:1",
  "{",
  "{}",
  ...[
    { id: "a b" },
    { id: "x".repeat(65) },
    { asset: "" },
    { user: 42 },
    { user: "a\u0007" },
    { time: "yesterday" },
  ].map((change) => JSON.stringify({ ...good, ...change })),
];

test("a malformed event is rejected, counted in STATS, and stays in the stream", async () => {
  const manager = await jetstreamManager(nats);
  const before = await statistics();
  let rejected = before.rejected;
  for (const payload of garbage) {
    const sequence = await publish(payload);
    await countsAfter(sequence, "g", "g");
    const data = await statistics();
    assert.equal(data.rejected, (rejected += 1), payload);
    assert.equal(data.last_reject.sequence, sequence);
    assert.match(data.last_reject.reason, /./);
    assert.equal((await manager.streams.getMessage("EVENTS", { seq: sequence })).string(), payload);
    if (payload.startsWith('{"')) assert.notEqual(complaints("play_event", JSON.parse(payload)), "", payload);
  }
  assert.equal(complaints("play_event", good), "");
  assert.deepEqual(await countsAfter(await publish(good), "g", "g"), [1, 1]);
  const end = await statistics();
  assert.deepEqual([end.rejected, end.applied, end.lag], [rejected, before.applied + 1, 0]);
});

test("reporting.top lists the most viewed assets first", async () => {
  let sequence = 0;
  for (const [asset, views] of [
    ["top-1", 12],
    ["top-2", 11],
    ["top-3", 10],
  ])
    for (let i = 0; i < views; i += 1) sequence = await publish(`${asset}:viewer`);
  await countsAfter(sequence, "top-1", "viewer");
  const best = [
    { id: "top-1", views: 12 },
    { id: "top-2", views: 11 },
    { id: "top-3", views: 10 },
  ];
  assert.deepEqual((await get(nats, "reporting.top", { limit: 2 })).body.assets, best.slice(0, 2));
  const { assets } = (await get(nats, "reporting.top")).body;
  assert.deepEqual(assets.slice(0, 3), best);
  assert.ok(assets.length > 3 && assets.length <= 10);
  for (const payload of [{ limit: 0 }, { limit: 1001 }, { limit: "all" }, "{"])
    assert.equal((await sendRequest(nats, "reporting.top", payload)).code, 400, JSON.stringify(payload));
});

test("reporting refuses a token that is no id", async () => {
  for (const token of ["=41", "=", "=0D=0A", "a".repeat(129)])
    for (const subject of [
      `reporting.asset.${token}`,
      `reporting.user.${token}`,
      `reporting.views.${token}.1`,
      `reporting.views.1.${token}`,
    ])
      assert.equal((await sendRequest(nats, subject)).code, 400, subject);
});
