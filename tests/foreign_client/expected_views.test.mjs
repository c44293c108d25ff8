// The rules of the recount: ids, events, windows. No broker.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { parseEvent, parseEvents } from "./events.mjs";
import { encodeToken, isId } from "./ids.mjs";
import { outcomes } from "./recount/ledger.mjs";
import { ExpectedViews } from "./recount/expected_views.mjs";
import { program } from "./support/system.mjs";

const ids = {
  123: "123",
  "10.5240/7791-8534": "10=2E5240=2F7791-8534",
  "who@example.org": "who=40example=2Eorg",
  "Les Misérables": "Les=20Mis=C3=A9rables",
  "a*>=b": "a=2A=3E=3Db",
  映画: "=E6=98=A0=E7=94=BB",
  "\ufeff\u{1f3ac}": "=EF=BB=BF=F0=9F=8E=AC",
};

test("an id becomes the token that the edge prints", () => {
  for (const [id, token] of Object.entries(ids)) {
    assert.ok(isId(id), id);
    assert.equal(encodeToken(id), token);
    assert.equal(execFileSync(program("marquee-edge"), ["--encode-id", id], { encoding: "utf8" }).trim(), token);
  }
});

test("an id is 1 to 128 bytes without control characters", () => {
  for (const id of ["a".repeat(128), "é".repeat(64), "\u00a0"]) assert.ok(isId(id), id);
  for (const id of ["", "a".repeat(129), "é".repeat(65), "a\nb", "\u0000", "\u007f", "\u0085", "\ud800", 7, undefined])
    assert.ok(!isId(id), String(id));
});

const event = { id: "e-1", asset: "a", user: "u", time: "2024-02-29T23:59:60.5Z" };
const events = [
  ["123:42", { id: null, asset: "123", user: "42" }],
  ["a:b:c", { id: null, asset: "a:b", user: "c" }],
  ['"a":b', { id: null, asset: '"a"', user: "b" }],
  [" {}:1", { id: null, asset: " {}", user: "1" }],
  [JSON.stringify(event), { id: "e-1", asset: "a", user: "u" }],
  [JSON.stringify({ ...event, more: [1] }) + "\n", { id: "e-1", asset: "a", user: "u" }],
  ...["", "nothing", ":42", "123:", "a\tb:1", Buffer.from([0x61, 0xc0, 0x80, 0x3a, 0x62])].map((text) => [text, null]),
  ...["{", "{}", "{a:b}", '{"asset":"a","user":"u"}', JSON.stringify(event) + "x"].map((text) => [text, null]),
  ...[
    { id: "" },
    { id: "a b" },
    { id: "x".repeat(65) },
    { id: 1 },
    { asset: "" },
    { asset: "\u0007" },
    { user: null },
    { user: "\ud800" },
    { time: "yesterday" },
    { time: "2023-02-29T00:00:00Z" },
    { time: "2024-02-29T00:00:00+01:00" },
    { time: undefined },
  ].map((change) => [JSON.stringify({ ...event, ...change }), null]),
];

const cloud = {
  specversion: "1.0",
  type: "marquee.play",
  source: "/players/tv",
  id: "1",
  subject: "a",
  user: "u",
  time: "2024-02-29T23:59:60.5Z",
};
const cloudId = "c-bbq4hlgp7iu54w3e2jqcw5n7x5ccxlvihdsbsfas74dideaqa67q";
events.push(
  ...[{}, { time: null }, { time: undefined }, { data: { asset: "b" }, more: 1 }].map((change) => [
    JSON.stringify({ ...cloud, ...change }),
    { id: cloudId, asset: "a", user: "u", ...("time" in change && { time: null }) },
  ]),
  ...[
    { specversion: "0.3" },
    { specversion: null },
    { type: "other" },
    { source: "" },
    { source: "a b" },
    { source: "%zz" },
    { source: undefined },
    { id: "" },
    { id: "a\nb" },
    { id: 1 },
    { subject: undefined, asset: "a" },
    { subject: "" },
    { user: undefined },
    { time: "yesterday" },
  ].map((change) => [JSON.stringify({ ...cloud, ...change }), null]),
  [JSON.stringify({ ...event, specversion: "1.0" }), null],
);

test("an event is JSON, or asset:user split at the last colon, or nothing", () => {
  for (const [payload, wanted] of events) {
    const found = parseEvent(Buffer.from(payload));
    const time = wanted && (wanted.id === null ? null : Date.parse("2024-03-01T00:00:00.500Z"));
    assert.deepEqual(found, wanted && { time, ...wanted }, payload.toString());
  }
});

const hour = 3_600_000_000_000n;
const minute = 60_000_000_000n;

// Copies of one event at these times: how often it counts, and which copies are in the stream too
// early or late.
const windows = [
  { name: "stored once counts once", at: [0n], counts: 1 },
  { name: "stored again within the stream's window is double", at: [0n, 2n * minute - 1n], counts: 1, double: 1 },
  {
    name: "stored again when the stream's window has passed is a repeat",
    at: [0n, 2n * minute],
    counts: 1,
    repeats: 1,
  },
  {
    name: "stored again a nanosecond before a day has passed counts once",
    at: [0n, 24n * hour - 1n],
    counts: 1,
    repeats: 1,
  },
  { name: "stored again after a day counts again", at: [0n, 24n * hour], counts: 2, repeats: 1 },
  { name: "starts no window with a copy that did not count", at: [0n, 23n * hour, 25n * hour], counts: 2, repeats: 2 },
  { name: "starts a window whenever it counts", at: [0n, 24n * hour, 47n * hour], counts: 2, repeats: 2 },
];

for (const { name, at, counts, double = 0, repeats = 0 } of windows) {
  test(`an event ${name}`, () => {
    const expected = new ExpectedViews(24n * hour, 2n * minute);
    expected.attempt({ event: "e-1", asset: "a", user: "u", outcome: outcomes.acknowledged });
    at.forEach((time, i) =>
      expected.store(i + 1, 1_700_000_000_000_000_000n + time, Buffer.from(JSON.stringify(event))));
    const { sums } = expected.close(false);
    assert.equal(sums.stored, 1);
    assert.deepEqual([expected.distinct, expected.double.length, expected.repeats.length], [counts, double, repeats]);
    const { distinct, acknowledged, attempted } = expected.assets.get("a");
    assert.ok(acknowledged <= distinct && distinct <= attempted);
  });
}

test("JetStream knows a message by its Nats-Msg-Id: another one under the same event id is a repeat", () => {
  for (const [first, second, double] of [
    ["m-1", "m-1", 1],
    ["m-1", "m-2", 0],
    ["e-1", "m-2", 0],
    ["", "", 1],
  ]) {
    const expected = new ExpectedViews(24n * hour, 2n * minute);
    const start = 1_700_000_000_000_000_000n;
    const data = Buffer.from(JSON.stringify(event));
    [first, second].forEach((id, i) => expected.store(i + 1, start + BigInt(i), data, id));
    assert.deepEqual([expected.distinct, expected.duplicates], [1, 1]);
    assert.deepEqual([expected.double.length, expected.repeats.length], [double, 1 - double]);
  }
});

test("the messages' own timestamps decide what is a duplicate, in either direction", () => {
  const expected = new ExpectedViews(24n * hour, 2n * minute);
  const again = Buffer.from(JSON.stringify(event));
  const start = 1_700_000_000_000_000_000n;
  expected.store(1, start + 30n * hour, again);
  expected.store(2, start + 7n * hour, again); // 23 h earlier
  expected.store(3, start + 53n * hour, again); // 23 h later
  assert.equal(expected.distinct, 1);
  assert.equal(expected.duplicates, 2);
  expected.store(4, start + 5n * hour, again); // 25 h earlier
  assert.equal(expected.distinct, 2);
});

const json = (id, change) => JSON.stringify({ ...event, id, ...change });
const batch = "01JDVX3Q4M5N6P7R8S9T0V1W2X";
const keyed = "k-" + "a".repeat(52);

// Payloads, and the ids of their events in order: "text" for one without an id, null for a reject.
const messages = [
  { name: "one event over several lines", data: JSON.stringify(event, null, 2), ids: ["e-1"] },
  { name: "one event before a line break", data: json("x") + "\r\n", ids: ["x"] },
  { name: "a text event before a line break", data: "a:u\n", ids: ["text"] },
  {
    name: "a batch with a keyed line",
    data: [json(`${batch}.0`), json(keyed), json(`${batch}.2`)].join("\n"),
    ids: [`${batch}.0`, keyed, `${batch}.2`],
  },
  { name: "CRLF and empty lines", data: `\r\n${json("x")}\r\n\n\r\na:u\r\n`, ids: ["x", "text"] },
  { name: "a second CR", data: "a:u\r\r\nb:u", ids: [null, "text"] },
  { name: "a CR without an LF", data: "b:u\na:u\r", ids: ["text", null] },
  { name: "bad lines among good ones", data: `a:u\nnothing\n{a:b}\n${json("x")}`, ids: ["text", null, null, "x"] },
  { name: "a broken event over several lines", data: '{\n"id"\n}', ids: [null, null, null] },
  { name: "a bad payload without a line break", data: "nothing", ids: [null] },
  { name: "nothing but line breaks", data: "\n\r\n", ids: [null] },
  { name: "a cut-off event over several lines", data: '{\n "id": "x",\n "asset": "a"\n', ids: [null, null, null] },
  { name: "text after a line of JSON that is no event", data: '{"id":"x"}\na:u', ids: [null, "text"] },
  {
    name: "bytes that are no text in one line",
    data: Buffer.concat([Buffer.from([0xc0, 0x80, 0x0a]), Buffer.from("a:u")]),
    ids: [null, "text"],
  },
];

for (const { name, data, ids } of messages) {
  test(`a message: ${name}`, () => {
    const found = parseEvents(Buffer.from(data)).events;
    assert.deepEqual(found.map((e) => e && (e.id ?? "text")), ids);
  });
}

const counted = (payloads, step = 1n) => {
  const expected = new ExpectedViews(24n * hour, 2n * minute);
  payloads.forEach((data, i) => expected.store(i + 1, BigInt(i) * step, Buffer.from(data)));
  const { distinct, duplicates, rejected, text, double, repeats } = expected;
  return [expected.messages, distinct, duplicates, rejected, text, double.length, repeats.length];
};

test("an id counts once, whatever message or line it came in", () => {
  const two = `${json(`${batch}.0`)}\n${json(`${batch}.1`)}`;
  assert.deepEqual(counted([two, json(`${batch}.1`)]), [2, 2, 1, 0, 0, 0, 1]);
  assert.deepEqual(counted([json(`${batch}.1`), two]), [2, 2, 1, 0, 0, 0, 1]);
  assert.deepEqual(counted([two, two], 24n * hour), [2, 4, 0, 0, 0, 0, 2]);
  assert.deepEqual(counted([`${json("order.1")}\n${json("order.1")}\na:u\na:u\nbad`]), [1, 3, 1, 1, 2, 0, 1]);
  assert.deepEqual(counted([`${json(`${batch}.0`)}\n${json(`${batch}.0`)}`]), [1, 1, 1, 0, 0, 0, 1]);
});

test("JetStream keeps out a batch stored again, not a keyed line of another batch", () => {
  const lines = `${json(`${batch}.0`)}\n${json(keyed)}`;
  assert.deepEqual(counted([lines, lines]), [2, 2, 2, 0, 0, 1, 1]);
  assert.deepEqual(counted([json(keyed), json(keyed)]), [2, 1, 1, 0, 0, 1, 0]);
});
