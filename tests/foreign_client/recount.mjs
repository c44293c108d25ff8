#!/usr/bin/env node
// Recounts stream EVENTS and compares it with the ledgers of all clients, and with the counts of
// reporting.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { connect } from "@nats-io/transport-node";
import { readLedger } from "./recount/ledger.mjs";
import { compareByTime } from "./recount/compare_by_time.mjs";
import { requestAll, requestReply, currentInstances } from "./recount/reporting.mjs";
import { readStream, streamInfo } from "./recount/stream.mjs";
import { ExpectedViews } from "./recount/expected_views.mjs";
import { ViewsByTime } from "./recount/views_by_time.mjs";

const usage = `node recount.mjs --server URL --ledger FILE [--ledger FILE …] [OPTION…]

  --server URL          the broker (NATS_USER and NATS_PASSWORD count)
  --ledger FILE         NDJSON, an attempt a line: {"event","asset","user","outcome":"acknowledged|refused|unknown"};
                        without "event" it is a text event
  --reporting           compare with every running reporting too
  --counts-only         with --reporting: not its answers by time
  --instances N         wait for so many of them (default: all that reply, at least one)
  --dedupe-window TIME  reporting's (500ms, 90s, 15m, 24h, 7d; default 24h)
  --allow-foreign       events that no ledger knows are listed, but are no fault
  --report FILE         write the JSON report there instead of to standard output

Exit code: 0 all holds, 1 something does not, 2 it cannot be decided.`;

const listed = 1000; // of each list in the report
const outcome = await run().catch((error) => {
  console.error(`recount: ${error.message}`);
  return 2;
});
process.exit(outcome);

async function run() {
  const options = readOptions();
  const servers = options.server.split(",");
  const nats = await connect({
    servers,
    user: process.env.NATS_USER,
    pass: process.env.NATS_PASSWORD,
    name: "recount",
    timeout: 20_000,
    maxReconnectAttempts: -1,
  });
  const { config } = await streamInfo(nats, "EVENTS");
  const expected = new ExpectedViews(nanoseconds(options["dedupe-window"]), BigInt(config.duplicate_window));
  for (const file of options.ledger) await readLedger(file, (attempt) => expected.attempt(attempt));
  const started = Date.now();
  const byTime = new ViewsByTime(expected.dedupeWindow);
  const stream = await readStream(nats, "EVENTS", (sequence, timestamp, data, messageId, subject) => {
    if (options.reporting) byTime.store(timestamp, subject, data);
    if (subject === "events.admin") expected.pass(sequence);
    else expected.store(sequence, timestamp, data, messageId);
  });
  const seconds = (Date.now() - started) / 1000;
  const report = close(expected, stream, options["allow-foreign"]);
  report.read_seconds = seconds;
  if (options.reporting) await compare(nats, expected, byTime, report, options);
  await nats.close();
  return print(report, options.report);
}

function readOptions() {
  const text = { type: "string" };
  const flag = { type: "boolean", default: false };
  try {
    const { values } = parseArgs({
      options: {
        server: text,
        ledger: { type: "string", multiple: true },
        reporting: flag,
        "counts-only": flag,
        instances: text,
        "dedupe-window": { type: "string", default: "24h" },
        "allow-foreign": flag,
        report: text,
        help: flag,
      },
    });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    if (!values.server || !values.ledger) throw new Error("--server and --ledger are needed");
    nanoseconds(values["dedupe-window"]);
    if (values.instances !== undefined) values.instances = Number(values.instances);
    return values;
  } catch (error) {
    throw new Error(`${error.message}\n\n${usage}`);
  }
}

function nanoseconds(text) {
  const units = {
    ms: 1_000_000n,
    s: 1_000_000_000n,
    m: 60_000_000_000n,
    h: 3_600_000_000_000n,
    d: 86_400_000_000_000n,
  };
  const parts = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  if (!parts) throw new Error(`not a time: ${text}`);
  return BigInt(parts[1]) * units[parts[2]];
}

/** The report, from ledger and stream alone. */
function close(expected, stream, allowForeign) {
  const { sums, lists } = expected.close(allowForeign);
  const report = {
    ok: true,
    attempts: expected.attempts,
    ...sums,
    distinct: expected.distinct,
    text: expected.text,
    rejected: expected.rejected,
    duplicates: expected.duplicates,
    stream: {
      created: stream.created,
      first_sequence: stream.state.first_seq,
      last_sequence: stream.state.last_seq,
      messages: expected.messages,
    },
    foreign_allowed: allowForeign,
    lost: lists.lost,
    double: expected.double,
    refused_stored: lists.refusedStored,
    foreign: lists.foreign,
    mismatched: expected.mismatched,
    repeats: expected.repeats,
    wrong: [],
  };
  for (const [kind, table] of [
    ["asset", expected.assets],
    ["user", expected.users],
  ])
    for (const [id, views] of table)
      if (views.distinct < views.acknowledged || views.distinct > views.attempted)
        report.wrong.push({ in: "stream", kind, id, ...bounds(views) });
  return report;
}

function bounds({ acknowledged, attempted, distinct }) {
  return { acknowledged, attempted, distinct };
}

/** reporting must equal the stream, in every count and in the sums. */
async function compare(nats, expected, byTime, report, { instances: wanted, "counts-only": countsOnly }) {
  const patience = 300_000; // a rebuild of millions may be running
  const found = await currentInstances(nats, { wanted, lastSequence: expected.lastSequence, patience });
  report.instances = Object.fromEntries(found);
  for (const [instance, data] of found)
    for (const [name, value] of [
      ["applied", expected.distinct],
      ["duplicates", expected.duplicates],
      ["rejected", byTime.rejected],
    ])
      if (data[name] !== value)
        report.wrong.push({ in: "statistics", instance, name, expected: value, found: data[name] });
  const times = found.size === 1 ? 1 : 4 * found.size;
  report.sums = {};
  for (const [kind, table] of [
    ["asset", expected.assets],
    ["user", expected.users],
  ]) {
    const answers = await requestAll(nats, kind, table.keys(), times);
    let sum = 0;
    for (const [id, counts] of answers) {
      const views = table.get(id);
      sum += counts[0];
      for (const count of counts) {
        if (count === views.distinct && count >= views.acknowledged && count <= views.attempted) continue;
        report.wrong.push({ in: "reporting", kind, id, count, ...bounds(views) });
        if (count > views.distinct) report.double.push({ kind, id, count, distinct: views.distinct });
      }
    }
    report.sums[kind] = sum;
    if (sum !== expected.distinct) report.wrong.push({ in: "sums", kind, expected: expected.distinct, found: sum });
  }
  if (!countsOnly)
    report.wrong.push(...(await compareByTime((...request) => requestReply(nats, ...request), byTime, times)));
}

/** Every violation that is neither "lost" nor "double" is in "wrong". */
function print(report, file) {
  const others =
    report.refused_stored.length + report.mismatched.length + (report.foreign_allowed ? 0 : report.foreign.length);
  const faults = { lost: report.lost.length, double: report.double.length, wrong: report.wrong.length + others };
  report.ok = Object.values(faults).every((count) => count === 0);
  const summary = [
    ["attempted", report.attempted],
    ["acknowledged", report.acknowledged],
    ["unknown", report.unknown],
    ["refused", report.refused],
    ["stored", report.stored],
    ...Object.entries(faults),
    ["refused_stored", report.refused_stored.length],
    ["foreign", report.foreign.length],
  ];
  for (const [name, value] of Object.entries(report))
    if (Array.isArray(value)) report[name] = { count: value.length, list: value.slice(0, listed) };
  const text = JSON.stringify(report, null, 2);
  if (file) writeFileSync(file, text + "\n");
  else console.log(text);
  console.log(`recount: ${summary.map(([name, count]) => `${name} ${count}`).join(" ")}`);
  return report.ok ? 0 : 1;
}
