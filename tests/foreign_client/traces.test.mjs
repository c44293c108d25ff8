// Traces over all processes, put together by a collector of OTLP.
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { headers } from "@nats-io/transport-node";
import { Collector } from "./support/collector.mjs";
import { patience, within } from "./support/processes.mjs";
import { System } from "./support/system.mjs";

const root = "POST /play/asset/{asset}/user/{user}";
const id = (size) => Array.from({ length: size }, () => "123456789abcdef"[Math.floor(Math.random() * 15)]).join("");
const context = (flags = "01") => {
  const [traceId, spanId] = [id(32), id(16)];
  return { traceId, spanId, text: `00-${traceId}-${spanId}-${flags}` };
};

const services = {}; // processes by kind
let system;
let nats;
let collector;
let edge;
before(async () => {
  collector = await Collector.start();
  system = await System.create();
  const file = join(system.folder, "headers");
  writeFileSync(file, "# of the tenant\nx-scope=tenant=1\n");
  chmodSync(file, 0o600);
  const otlp = ["--otlp", collector.url, "--otlp-headers-file", file, "--access-log", "on"];
  for (const kind of ["metadata", "cdnurl", "reporting"]) services[kind] = await system.start(kind, { args: otlp });
  edge = await startEdge([...otlp, "--trace-ratio", "1"]);
  nats = await system.connect();
});
after(async () => {
  await system?.end();
  collector?.close();
});

async function startEdge(args) {
  const process = await system.start("edge", { args: ["--listen", "127.0.0.1:0", ...args] });
  return { process, url: `http://${/ listen="?([\d.:]+)/.exec(process.output)[1]}` };
}

async function play(at, asset, user, fields = {}) {
  const answer = await fetch(`${at.url}/play/asset/${asset}/user/${user}`, { method: "POST", headers: fields });
  assert.equal(answer.status, 200);
  return answer.json();
}

/** The span of counting that has a link to a span. */
const countingOf = ({ spanId }) =>
  collector.spans.find(
    ({ name, links }) => name === "process events" && links.some((link) => link.spanId === spanId),
  );

/** The spans of a play's trace once none is missing; `outside`: the id of a parent that is not ours. */
function wholePlay(traceId, outside) {
  const spans = collector.ofTrace(traceId);
  const known = new Set(spans.map(({ spanId }) => spanId));
  const first = spans.find(({ name }) => name === root);
  const sent = spans.find(({ name }) => name === "publish events");
  const hasParent = ({ parentSpanId }) => parentSpanId === outside || known.has(parentSpanId);
  const isAnswered = ({ spanId }) => spans.some((s) => s.parentSpanId === spanId && s.kind === 2);
  if (!first || !sent || !spans.every(hasParent)) return false;
  if (!spans.filter(({ kind }) => kind === 3).every(isAnswered)) return false;
  const counting = countingOf(sent);
  return counting && { spans, first, sent, counting };
}

test("a play is one trace over all processes, without an orphan", async () => {
  const { traceId, spanId, text } = context("00"); // a stranger's flag does not count against the ratio
  const { userviews } = await play(edge, "456", "8", { traceparent: text, tracestate: "vendor=1" });
  assert.equal(userviews, 1);
  const { spans, first, sent, counting } = await collector.until("the whole play", () => wholePlay(traceId, spanId));
  assert.equal(first.parentSpanId, spanId);
  assert.equal(first.kind, 2);
  assert.equal(first.attributes["http.response.status_code"], 200);
  assert.equal(first.attributes["http.request.method"], "POST");
  assert.equal(first.attributes["server.address"], "127.0.0.1");
  for (const span of spans) {
    assert.equal(span.traceState, "vendor=1");
    assert.equal(span.status, undefined, span.name);
  }
  const from = new Set(spans.map(({ service }) => service));
  for (const name of ["edge", "metadata", "cdnurl"]) assert.ok(from.has(`marquee-${name}`), name);
  assert.equal(sent.kind, 4);
  assert.equal(sent.attributes["messaging.destination.name"], "events");
  assert.equal(counting.service, "marquee-reporting");
  assert.equal(counting.kind, 5);
  assert.equal(counting.parentSpanId, undefined, "counting is later than the play");
  assert.notEqual(counting.traceId, traceId);
  assert.equal(counting.links[0].traceId, traceId);
  assert.ok(!JSON.stringify(spans).includes("/user/8"), "no span names a user");
  for (const { headers: fields } of collector.requests) assert.equal(fields["x-scope"], "tenant=1");
});

test("plays of one moment share messages, and each is a whole trace", async () => {
  const plays = Array.from({ length: 40 }, (_, i) => ({ ...context(), user: `u${i}` }));
  await Promise.all(plays.map(({ text, user }) => play(edge, "123", user, { traceparent: text })));
  const spanIds = () => new Set(collector.spans.map(({ spanId }) => spanId));
  for (const { traceId, spanId } of plays) {
    await collector.until("a whole play", () => {
      const spans = collector.ofTrace(traceId);
      const lookups = spans.filter(({ name }) => name === "look up asset" || name.startsWith("request metadata.get"));
      return wholePlay(traceId, spanId) && lookups.length > 0;
    });
  }
  const shared = collector.spans.filter(({ name, links }) => name === "request metadata.gets" && links);
  for (const { links } of shared) for (const { spanId } of links) assert.ok(spanIds().has(spanId));
  const counted = collector.spans.filter(({ name }) => name === "process events");
  const linked = counted.flatMap(({ links }) => links.map(({ spanId }) => spanId));
  assert.equal(new Set(linked).size, linked.length, "each event is counted once");
});

test("the line of a request has its trace in the log of every program", async () => {
  const [played, counted] = [context(), context()];
  await play(edge, "123", "lines", { traceparent: played.text });
  const answer = await fetch(`${edge.url}/events/user/lines`, { headers: { traceparent: counted.text } });
  assert.equal(answer.status, 200);
  const line = (traceId, rest) => new RegExp(`: request (request=\\S+ )?trace=${traceId} ${rest}`, "m");
  const wanted = [
    [edge.process, line(played.traceId, "method=POST route=/play/")],
    [services.metadata, line(played.traceId, "subject=metadata\\.gets? ?")],
    [services.cdnurl, line(played.traceId, "subject=cdnurl\\.gets? ?")],
    [edge.process, line(counted.traceId, "method=GET route=/events/user/")],
    [services.reporting, line(counted.traceId, "subject=reporting\\.user\\.")],
  ];
  for (const [process, pattern] of wanted)
    await eventually(`${pattern} of ${process.name}`, async () => pattern.test(process.output));
});

/** The payloads on `events` while `act` runs, up to the one of a view that ends it. */
async function eventsDuring(act) {
  const seen = [];
  const subscription = nats.subscribe("events");
  await nats.flush();
  const reading = (async () => {
    for await (const message of subscription) {
      if (message.string() === "the:end") break;
      seen.push(message);
    }
  })();
  await act();
  nats.publish("events", "the:end");
  await within(reading, () => "the last event");
  return seen;
}

test("a request that is not sampled leaves nothing, whatever a stranger's flag says", async () => {
  const other = await startEdge(["--otlp", collector.url, "--trace-ratio", "0", "--access-log", "on"]);
  const { traceId, text } = context("01");
  const seen = await eventsDuring(() => play(other, "123", "unsampled", { traceparent: text }));
  assert.ok(seen.some((message) => message.string().includes('"unsampled"')));
  for (const message of seen) assert.ok(!message.string().includes("trace"), message.string());
  assert.equal(await other.process.stop(), 0); // it sends what it has
  assert.match(other.process.output, new RegExp(` trace=${traceId} method=POST `)); // and its own line names it
  for (const { name, output } of Object.values(services)) assert.ok(!output.includes(traceId), name);
  const later = context("00");
  await play(edge, "123", "a later one", { traceparent: later.text });
  await collector.until("a later play", () => collector.ofTrace(later.traceId).some(({ name }) => name === root));
  assert.deepEqual(collector.ofTrace(traceId), []);
});

test("a trusted proxy decides what is sampled", async () => {
  const other = await startEdge(["--otlp", collector.url, "--trusted-proxy", "127.0.0.1"]);
  const [yes, no] = [context("01"), context("00")];
  const seen = await eventsDuring(async () => {
    await play(other, "123", "no", { traceparent: no.text });
    await play(other, "123", "yes", { traceparent: yes.text, "Nats-Msg-Id": "x", "Nats-Rollup": "all" });
  });
  const [event] = seen.map((message) => message.string()).filter((payload) => payload.includes('"yes"'));
  assert.match(event, new RegExp(`"trace":"00-${yes.traceId}-[0-9a-f]{16}-01"`));
  for (const { headers: fields } of seen)
    for (const name of fields?.keys() ?? []) assert.match(name, /^(Nats-Msg-Id|Marquee-Counts-(To|From))$/);
  const { first } = await collector.until("the sampled play", () => wholePlay(yes.traceId, yes.spanId));
  assert.equal(first.parentSpanId, yes.spanId);
  assert.equal(await other.process.stop(), 0);
  assert.deepEqual(collector.ofTrace(no.traceId), []);
});

function traced(text, state) {
  const fields = headers();
  fields.set("traceparent", text);
  if (state) fields.set("tracestate", state);
  return fields;
}

test("the request of another client is the parent of the service's span", async () => {
  const [valid, unsampled] = [context(), context("00")];
  const ask = (text, state) =>
    nats.request("metadata.get.123", "", { headers: traced(text, state), timeout: patience });
  for (const text of ["x", unsampled.text, `ff${valid.text.slice(2)}`, valid.text.toUpperCase()])
    assert.equal((await ask(text)).json().title, "It");
  assert.equal((await ask(valid.text, "a=1,not valid")).json().title, "It");
  const span = await collector.until("the span", () => collector.ofTrace(valid.traceId)[0]);
  assert.equal(span.parentSpanId, valid.spanId);
  assert.equal(span.service, "marquee-metadata");
  assert.equal(span.name, "process metadata.get.*");
  assert.equal(span.kind, 2);
  assert.equal(span.traceState, undefined);
  assert.deepEqual(collector.ofTrace(unsampled.traceId), []);
});

test("each request of a bundle has its own context", async () => {
  const items = [context(), context(), null];
  const bundle = items
    .map((item) => {
      const fields = item ? `traceparent: ${item.text}\r\n` : "";
      return `metadata.get.456 ${fields.length} 0\r\n${fields}\r\n`;
    })
    .join("");
  const reply = await nats.request("metadata.many", bundle, { timeout: patience });
  assert.equal(reply.string().match(/"Terminator"/g).length, 3);
  for (const { traceId, spanId } of items.filter(Boolean)) {
    await collector.until("the span of an item", () => collector.ofTrace(traceId).length === 1);
    assert.equal(collector.ofTrace(traceId)[0].parentSpanId, spanId);
  }
});

test("a stranger's member `trace` is data", async () => {
  const valid = context();
  const event = (name, trace) =>
    JSON.stringify({ id: `stranger-${name}`, asset: "strange", user: name, time: new Date().toISOString(), trace });
  const members = ["x", { deep: [] }, 7, "0".repeat(5000), valid.text];
  for (const [i, member] of members.entries())
    await nats.request("events", event("abcde"[i], member), { timeout: patience });
  const fields = headers();
  const { seq } = (await nats.request("events", "strange:f", { timeout: patience })).json();
  fields.set("Marquee-After", String(seq));
  const reply = await nats.request("reporting.views.strange.f", "", { headers: fields, timeout: patience });
  assert.equal(reply.json().assetviews, 6);
  await collector.until("the link", () => countingOf(valid));
});

async function statistics(service) {
  const { endpoints } = (await nats.request(`$SRV.STATS.${service}`, "", { timeout: patience })).json();
  return endpoints[0].data;
}

/** metadata with another collector in front of a broker of its own; `act` asks for spans. */
async function withCollector(answer, act) {
  const other = await Collector.start(answer);
  const own = await System.create();
  try {
    const process = await own.start("metadata", { args: ["--otlp", other.url] });
    const client = await own.connect();
    const ask = async (times = 1) => {
      const all = Array.from({ length: times }, () =>
        client.request("metadata.get.123", "", { headers: traced(context().text), timeout: patience }),
      );
      for (const reply of await Promise.all(all)) assert.equal(reply.json().title, "It");
    };
    const counts = async () => (await client.request("$SRV.STATS", "", { timeout: patience })).json().endpoints[0].data;
    await act({ other, process, ask, counts });
  } finally {
    await own.end();
    other.close();
  }
}

async function eventually(what, poll) {
  const end = Date.now() + patience;
  for (;;) {
    const found = await poll();
    if (found) return found;
    if (Date.now() > end) assert.fail(`waited in vain for ${what}`);
    await pause(20);
  }
}

test("what a collector refuses is dropped and counted; what it puts off is sent again", async () => {
  const answers = [
    { status: 400 },
    { status: 200, body: "x".repeat(1 << 20) }, // more than anybody would read
    { status: 429, headers: { "Retry-After": "1" } },
    { status: 200, body: '{"partialSuccess":{"rejectedSpans":"1"}}' },
  ];
  await withCollector((number) => answers[number] ?? { status: 200 }, async ({ other, process, ask, counts }) => {
    await ask(3);
    await eventually("the refusal", async () => (await counts()).spans_dropped === 3);
    await ask(2);
    await eventually("the huge answer", async () => (await counts()).spans_dropped === 5);
    await ask(4);
    const { spans_exported, spans_dropped } = await eventually("the second attempt", async () => {
      const now = await counts();
      return now.spans_exported > 0 && now;
    });
    assert.deepEqual([spans_exported, spans_dropped], [3, 6]);
    assert.equal(other.requests[2].spans.length, 4);
    assert.deepEqual(other.requests[3].spans, other.requests[2].spans);
    assert.equal(await process.stop(), 0);
  });
});

test("a collector that never answers costs no request anything, and the end of a process a second", async () => {
  await withCollector(() => null, async ({ other, process, ask, counts }) => {
    for (let i = 0; i < 10; i += 1) await ask(1000); // 8,192 and a batch have room
    await other.until("a batch", () => other.requests.length > 0);
    const { spans_dropped, spans_exported } = await counts();
    assert.ok(spans_dropped >= 10_000 - 8192 - 512, String(spans_dropped));
    assert.equal(spans_exported, 0);
    await ask();
    const began = Date.now();
    assert.equal(await process.stop(), 0);
    assert.ok(Date.now() - began < 8000, "the end is bounded");
  });
});

test("without a collector a play works", async () => {
  const gone = await Collector.start();
  gone.close();
  const other = await startEdge(["--otlp", gone.url, "--trace-ratio", "1"]);
  await play(other, "123", "alone");
  const metrics = await (await fetch(`${other.url}/metrics`)).text();
  assert.match(metrics, /^marquee_edge_spans_dropped_total 0$/m);
  assert.equal(await other.process.stop(), 0);
  assert.match(other.process.output, /spans were dropped/);
  assert.ok((await statistics("metadata")).spans_exported > 0);
});
