// The broker's own tracing of messages (`Nats-Trace-Dest`, nats-server 2.11) beside Marquee's.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { headers } from "@nats-io/transport-node";
import { patience, within } from "./support/processes.mjs";
import { System } from "./support/system.mjs";

const header = "Nats-Trace-Dest";

let system;
let nats;
let edge;
before(async () => {
  system = await System.create();
  for (const kind of ["metadata", "cdnurl", "reporting"]) await system.start(kind);
  const process = await system.start("edge", { args: ["--listen", "127.0.0.1:0"] });
  edge = `http://${/ listen=(\S+)/.exec(process.output)[1]}`;
  nats = await system.connect();
});
after(() => system?.end());

/** The next message of a subscription. */
async function next(subscription) {
  const { value } = await within(subscription[Symbol.asyncIterator]().next(), () => "a message");
  return value;
}

test("a request that asks for the broker's trace is answered, and traced where the broker can", async () => {
  const traces = nats.subscribe("traces.here");
  const fields = headers();
  fields.set(header, "traces.here");
  const reply = await nats.request("metadata.get.123", "", { headers: fields, timeout: patience });
  assert.equal(reply.json().title, "It");
  const [major, minor] = nats.info.version.split(".").map(Number);
  if (major > 2 || minor >= 11) {
    const trace = (await next(traces)).json();
    assert.ok(trace.events.length > 0, JSON.stringify(trace));
  }
  traces.unsubscribe();
});

test("a client of the edge cannot have its messages traced by the broker", async () => {
  const seen = [];
  const all = nats.subscribe(">", { callback: (_, message) => seen.push(message) });
  const traces = nats.subscribe("traces.stranger", { callback: (_, message) => seen.push(message) });
  await nats.flush();
  const fields = { [header]: "traces.stranger", "Nats-Trace-Only": "true" };
  const answer = await fetch(`${edge}/play/asset/123/user/stranger`, { method: "POST", headers: fields });
  assert.equal(answer.status, 200);
  const { userviews } = await answer.json();
  assert.equal(userviews, 1);
  await nats.flush();
  assert.ok(seen.some(({ subject }) => subject === "events"));
  assert.ok(seen.some(({ subject }) => subject.startsWith("metadata.get")));
  for (const { subject, headers: sent } of seen) {
    assert.notEqual(subject, "traces.stranger");
    for (const name of sent?.keys() ?? []) assert.doesNotMatch(name, /^Nats-Trace/i, subject);
  }
  all.unsubscribe();
  traces.unsubscribe();
});
