// The checker itself: each fault that it must find is injected and found, and nothing else.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { headers } from "@nats-io/transport-node";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Svcm } from "@nats-io/services";
import { Process } from "./support/processes.mjs";
import { System, source } from "./support/system.mjs";

let system;
let nats;
before(async () => {
  system = await System.create();
  nats = await system.connect();
});
after(() => system.end());

const time = "2026-01-31T09:30:00.123Z";
const play = (event, asset, user) => ({ event, asset, user });
const stored = ({ event, asset, user }) => JSON.stringify({ id: event, asset, user, time });
const as = (outcome, attempt) => ({ ...attempt, outcome });

const a = play("event-a", "10.5240/7791-8534-2C23-9030-8610-5", "who@example.org");
const b = play("event-b", "Les Misérables", "who@example.org");
const c = play("event-c", "123", "42");
const acknowledged = [a, b, c].map((attempt) => as("acknowledged", attempt));

const settings = { name: "EVENTS", subjects: ["events"], storage: "file", discard: "new", duplicate_window: 120e9 };

/** A new stream with these messages. */
async function fill(messages) {
  const manager = await jetstreamManager(nats);
  await manager.streams.delete("EVENTS").catch(() => {});
  await addStream(manager, 200);
  await publish(messages);
}

/** The server removes a deleted stream's folder a while later; until then its name is taken (10049). */
async function addStream(manager, attempts) {
  try {
    await manager.streams.add(settings);
  } catch (refused) {
    if (refused.code !== 10049 || attempts <= 1) throw refused;
    await new Promise((pause) => setTimeout(pause, 50));
    await addStream(manager, attempts - 1);
  }
}

/** Without a message id: the stream keeps every copy. */
async function publish(messages) {
  for (const message of messages) await jetstream(nats).publish("events", message);
}

async function recount(ledger, ...args) {
  const file = join(system.folder, "ledger.ndjson");
  const report = join(system.folder, "report.json");
  writeFileSync(file, ledger.map((attempt) => JSON.stringify(attempt) + "\n").join(""));
  writeFileSync(report, "{}");
  const program = [
    join(source, "tests/foreign_client/recount.mjs"),
    "--server",
    system.url,
    "--ledger",
    file,
    "--report",
    report,
    ...args,
  ];
  const run = new Process(process.execPath, program);
  const code = await run.ended;
  return { code, output: run.output, report: JSON.parse(readFileSync(report, "utf8")) };
}

const line = (output) => output.trim().split("\n").pop();

// Stream and ledger alone. `holds`: the text of the last line.
const faults = [
  {
    name: "all that was acknowledged is stored once",
    stream: [a, b, c].map(stored),
    ledger: acknowledged,
    holds: "attempted 3 acknowledged 3 unknown 0 refused 0 stored 3 lost 0 double 0 wrong 0 refused_stored 0 foreign 0",
  },
  {
    name: "an unknown outcome may be stored or not, a refused one is not",
    stream: [a, b].map(stored),
    ledger: [as("acknowledged", a), as("unknown", b), as("unknown", c), as("refused", play("event-d", "1", "2"))],
    holds: "attempted 4 acknowledged 1 unknown 2 refused 1 stored 2 lost 0 double 0 wrong 0 refused_stored 0 foreign 0",
  },
  {
    name: "a retry that was acknowledged is one play with the attempts before it",
    stream: [stored(a)],
    ledger: [as("refused", a), as("unknown", a), as("acknowledged", a), as("acknowledged", a)],
    holds: "attempted 1 acknowledged 1 unknown 0 refused 0 stored 1 lost 0 double 0 wrong 0 refused_stored 0 foreign 0",
  },
  {
    name: "a key used for another asset too is one play, of the asset stored",
    stream: [stored(a)],
    ledger: [as("refused", { ...a, asset: "another" }), as("acknowledged", a)],
    holds: "attempted 1 acknowledged 1 unknown 0 refused 0 stored 1 lost 0 double 0 wrong 0 refused_stored 0 foreign 0",
  },
  {
    name: "garbage is no event, and a text event with its attempt is one view",
    stream: [stored(a), "garbage", "{", "", "123:42"],
    ledger: [as("acknowledged", a), { asset: "123", user: "42", outcome: "acknowledged" }],
    holds: "attempted 1 acknowledged 1 unknown 0 refused 0 stored 1 lost 0 double 0 wrong 0 refused_stored 0 foreign 0",
  },
  {
    name: "events stored as lines of one message are stored once each, and a bad line loses none",
    stream: [`${stored(a)}\r\ngarbage\n\n${stored(b)}`, stored(c)],
    ledger: acknowledged,
    holds: "attempted 3 acknowledged 3 unknown 0 refused 0 stored 3 lost 0 double 0 wrong 0 refused_stored 0 foreign 0",
  },
  {
    name: "an acknowledged event that is not stored is lost",
    stream: [a, c].map(stored),
    ledger: acknowledged,
    lost: ["event-b"],
  },
  {
    name: "everything is lost from an empty stream",
    stream: [],
    ledger: acknowledged,
    lost: ["event-a", "event-b", "event-c"],
  },
  {
    name: "an event stored twice is double",
    stream: [a, b, c, b].map(stored),
    ledger: acknowledged,
    double: ["event-b"],
  },
  {
    name: "an event that was only refused and is stored is found",
    stream: [a, b, c].map(stored),
    ledger: [as("acknowledged", a), as("acknowledged", b), as("refused", c)],
    refused_stored: ["event-c"],
  },
  {
    name: "an event stored for another asset than was played is found",
    stream: [stored(a), stored({ ...b, asset: "another" }), stored(c)],
    ledger: acknowledged,
    mismatched: ["event-b"],
  },
  {
    name: "an event without an attempt is found",
    stream: [a, b, c].map(stored),
    ledger: acknowledged.slice(0, 2),
    foreign: ["event-c"],
  },
  {
    name: "a text event without an attempt is found",
    stream: [...[a, b, c].map(stored), "456:8"],
    ledger: acknowledged,
    views: ["456", "8"],
  },
];

for (const { name, stream, ledger, holds, views, ...lists } of faults) {
  test(`recount: ${name}`, async () => {
    await fill(stream);
    const { code, output, report } = await recount(ledger);
    if (holds) {
      assert.equal(line(output), `recount: ${holds}`);
      assert.equal(code, 0);
      return;
    }
    assert.equal(code, 1, output);
    assert.equal(report.ok, false);
    for (const list of ["lost", "double", "refused_stored", "foreign", "mismatched"])
      assert.deepEqual(report[list].list, lists[list] ?? [], list);
    if (views)
      assert.deepEqual(
        report.wrong.list.map(({ id }) => id),
        views,
      );
    assert.doesNotMatch(line(output), /lost 0 double 0 wrong 0/);
  });
}

test("recount: foreign events may be allowed", async () => {
  await fill([...[a, b, c].map(stored), "456:8"]);
  const { code, report } = await recount(acknowledged.slice(0, 2), "--allow-foreign");
  assert.equal(code, 0);
  assert.deepEqual(report.foreign.list, ["event-c"]);
});

test("recount: what cannot be decided is neither right nor wrong", async () => {
  await fill([stored(a)]);
  for (const [ledger, args, why] of [
    [[{ ...a, outcome: "maybe" }], [], /ledger.ndjson:1: not an attempt/],
    [[{ event: "event-a", asset: "123", outcome: "refused" }], [], /not an attempt/],
    [acknowledged, ["--dedupe-window", "soon"], /not a time/],
  ]) {
    const { code, output } = await recount(ledger, ...args);
    assert.equal(code, 2, output);
    assert.match(output, why);
  }
  await (await jetstreamManager(nats)).streams.delete("EVENTS");
  assert.equal((await recount(acknowledged)).code, 2);
});

/** A fake reporting with scripted replies. */
async function fakeReporting({ assets, users, data }) {
  const service = await new Svcm(nats).add({ name: "reporting", version: "0.0.1", statsHandler: async () => data });
  const answer = (counts) => (error, request) => {
    const id = decodeURIComponent(request.subject.split(".")[2].replace(/=/g, "%"));
    const views = counts[id];
    if (views === undefined) request.respondError(404, "not found", "{}");
    else request.respond(JSON.stringify({ id, views }));
  };
  service.addEndpoint("asset", { subject: "reporting.asset.*", handler: answer(assets) });
  service.addEndpoint("user", { subject: "reporting.user.*", handler: answer(users) });
  await nats.flush();
  return service;
}

const right = {
  assets: { [a.asset]: 1, [b.asset]: 1, 123: 1 },
  users: { "who@example.org": 2, 42: 1 },
  data: { applied: 3, duplicates: 0, rejected: 1, last_sequence: 4, serving: true },
};

const lies = [
  { name: "the truth", change: () => {}, wrong: [] },
  {
    name: "an asset counted once too often",
    change: (r) => (r.assets[b.asset] = 2),
    wrong: [
      ["asset", b.asset, 2],
      ["sums", "asset", 4],
    ],
    double: true,
  },
  {
    name: "an asset not counted",
    change: (r) => delete r.assets["123"],
    wrong: [
      ["asset", "123", 0],
      ["sums", "asset", 2],
    ],
  },
  {
    name: "a user counted too little",
    change: (r) => (r.users["who@example.org"] = 1),
    wrong: [
      ["user", "who@example.org", 1],
      ["sums", "user", 2],
    ],
  },
  {
    name: "two users' views swapped",
    change: (r) => (r.users = { "who@example.org": 1, 42: 2 }),
    wrong: [
      ["user", "who@example.org", 1],
      ["user", "42", 2],
    ],
    double: true,
  },
  { name: "a total of its own", change: (r) => (r.data.applied = 4), wrong: [["statistics", "applied", 4]] },
  { name: "a rejected event taken", change: (r) => (r.data.rejected = 0), wrong: [["statistics", "rejected", 0]] },
];

for (const { name, change, wrong, double = false } of lies) {
  test(`recount --reporting: ${name}`, async () => {
    await fill([...[a, b, c].map(stored), "garbage"]);
    const told = structuredClone(right);
    change(told);
    const fake = await fakeReporting(told);
    const { code, output, report } = await recount(acknowledged, "--reporting", "--counts-only");
    await fake.stop();
    assert.equal(code, wrong.length === 0 ? 0 : 1, output);
    const found = report.wrong.list.map((w) =>
      w.in === "sums"
        ? ["sums", w.kind, w.found]
        : w.in === "statistics"
          ? ["statistics", w.name, w.found]
          : [w.kind, w.id, w.count],
    );
    assert.deepEqual(found.sort(), wrong.sort());
    assert.equal(report.double.count > 0, double);
    assert.equal(report.lost.count, 0);
  });
}

test("recount --reporting: two real instances agree with the stream, and a doubled event is found", async () => {
  await (await jetstreamManager(nats)).streams.delete("EVENTS").catch(() => {});
  const instances = [await system.start("reporting"), await system.start("reporting", { name: "reporting-2" })];
  await publish([
    ...[a, b, c].map(stored),
    "garbage",
    "{}",
    "123:42",
    stored({ event: "event-d", asset: "\u0007", user: "1" }),
  ]);
  const ledger = [...acknowledged, { asset: "123", user: "42", outcome: "acknowledged" }];
  const clean = await recount(ledger, "--reporting", "--instances", "2");
  assert.equal(clean.code, 0, clean.output);
  assert.deepEqual(clean.report.sums, { asset: 4, user: 4 });
  assert.equal(clean.report.rejected, 3);

  await publish([stored(b)]);
  const doubled = await recount(ledger, "--reporting", "--instances", "2");
  assert.equal(doubled.code, 1);
  assert.deepEqual(doubled.report.double.list, ["event-b"]);
  assert.equal(doubled.report.wrong.count, 0, doubled.output);
  for (const instance of instances) assert.equal(await instance.stop(), 0);
});

test("recount --reporting: an event the stream itself refused as a duplicate is no fault", async () => {
  await fill([]);
  const reporting = await system.start("reporting", { name: "reporting-3" });
  const id = headers();
  id.set("Nats-Msg-Id", a.event);
  for (const duplicate of [false, true]) {
    const ack = await jetstream(nats).publish("events", stored(a), { headers: id });
    assert.equal(ack.duplicate, duplicate);
  }
  const { code, output } = await recount([as("acknowledged", a), as("acknowledged", a)], "--reporting");
  assert.equal(code, 0, output);
  assert.equal(await reporting.stop(), 0);
});
