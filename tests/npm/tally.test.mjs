// The rules the recount stands on: ids, events, windows. No broker.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { parseEvent } from "./events.mjs";
import { encodeToken, isId } from "./ids.mjs";
import { outcomes } from "./recount/ledger.mjs";
import { Tally } from "./recount/tally.mjs";
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

test("an event is JSON, or asset:user split at the last colon, or nothing", () => {
  for (const [payload, wanted] of events) assert.deepEqual(parseEvent(Buffer.from(payload)), wanted, payload.toString());
});

const hour = 3_600_000_000_000n;
const minute = 60_000_000_000n;

// Copies of one event at these times: how often it counts, and which copies stand in the stream too early or late.
const windows = [
  { name: "stored once counts once", at: [0n], counts: 1 },
  { name: "stored again within the stream's window is double", at: [0n, 2n * minute - 1n], counts: 1, double: 1 },
  { name: "stored again when the stream's window has passed is a repeat", at: [0n, 2n * minute], counts: 1, repeats: 1 },
  { name: "stored again a nanosecond before a day has passed counts once", at: [0n, 24n * hour - 1n], counts: 1, repeats: 1 },
  { name: "stored again after a day counts again", at: [0n, 24n * hour], counts: 2, repeats: 1 },
  { name: "starts no window with a copy that did not count", at: [0n, 23n * hour, 25n * hour], counts: 2, repeats: 2 },
  { name: "starts a window whenever it counts", at: [0n, 24n * hour, 47n * hour], counts: 2, repeats: 2 },
];

for (const { name, at, counts, double = 0, repeats = 0 } of windows) {
  test(`an event ${name}`, () => {
    const tally = new Tally(24n * hour, 2n * minute);
    tally.attempt({ event: "e-1", asset: "a", user: "u", outcome: outcomes.acknowledged });
    at.forEach((time, i) => tally.store(i + 1, 1_700_000_000_000_000_000n + time, Buffer.from(JSON.stringify(event))));
    const { sums } = tally.close(false);
    assert.equal(sums.stored, 1);
    assert.deepEqual([tally.distinct, tally.double.length, tally.repeats.length], [counts, double, repeats]);
    const { distinct, acknowledged, attempted } = tally.assets.get("a");
    assert.ok(acknowledged <= distinct && distinct <= attempted);
  });
}

test("the messages' own timestamps decide what is a duplicate, in either direction", () => {
  const tally = new Tally(24n * hour, 2n * minute);
  const again = Buffer.from(JSON.stringify(event));
  const start = 1_700_000_000_000_000_000n;
  tally.store(1, start + 30n * hour, again);
  tally.store(2, start + 7n * hour, again); // 23 h earlier
  tally.store(3, start + 53n * hour, again); // 23 h later
  assert.equal(tally.distinct, 1);
  assert.equal(tally.duplicates, 2);
  tally.store(4, start + 5n * hour, again); // 25 h earlier
  assert.equal(tally.distinct, 2);
});
