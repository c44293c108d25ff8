// The NATS Services protocol (ADR-32), through the service client of NATS's own library, as `nats
// micro ls|info|stats|ping` do.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createInbox } from "@nats-io/transport-node";
import { Svcm } from "@nats-io/services";
import { sendRequest, get } from "./support/requests.mjs";
import { assertFits } from "./support/schemas.mjs";
import { System } from "./support/system.mjs";

let system;
let nats;
before(async () => {
  system = await System.create();
  await Promise.all(["metadata", "cdnurl", "reporting"].map((kind) => system.start(kind)));
  nats = await system.connect();
});
after(() => system.end());

const catalogue = (name) =>
  ["get", "put", "delete"]
    .map((verb) => [verb, `${name}.${verb}.*`])
    .concat([
      ["list", `${name}.list`],
      ["gets", `${name}.gets`],
      ...(name === "metadata" ? [["search", "metadata.search"]] : []),
      ["many", `${name}.many`],
    ]);
const fleet = {
  cdnurl: catalogue("cdnurl"),
  metadata: catalogue("metadata"),
  reporting: [
    ["asset", "reporting.asset.*"],
    ["user", "reporting.user.*"],
    ["views", "reporting.views.*.*"],
    ["top", "reporting.top"],
    ["series", "reporting.series"],
    ["asset_series", "reporting.series.*"],
    ["history", "reporting.history.*"],
    ["assets", "reporting.assets"],
    ["live", "reporting.live"],
    ["many", "reporting.many"],
  ],
};
const names = Object.keys(fleet);

async function all(answers) {
  const found = [];
  for await (const answer of await answers) found.push(answer);
  return found.sort((x, y) => x.name.localeCompare(y.name));
}

/** The library's service client, which waits for a number of replies: their timing is not tested. */
const client = (count) => new Svcm(nats).client({ strategy: "count", maxMessages: count, maxWait: 20_000 });

/** Every reply to one request: the reply to a second request follows all of them. */
async function everyAnswer(subject, expected) {
  const inbox = createInbox();
  const answers = [];
  const seen = nats.subscribe(inbox, { callback: (_, message) => answers.push(message.json()) });
  for (let round = 0; round < 2; round += 1) nats.publish(subject, "", { reply: inbox });
  await nats.flush();
  for (const name of names) await client(1).ping(name).then(all);
  await nats.flush();
  seen.unsubscribe();
  assert.equal(answers.length, 2 * expected, subject);
  return answers;
}

const verbs = {
  ping: { schema: "service_ping", type: "io.nats.micro.v1.ping_response" },
  info: { schema: "service_info", type: "io.nats.micro.v1.info_response" },
  stats: { schema: "service_stats", type: "io.nats.micro.v1.stats_response" },
};

for (const [verb, { schema, type }] of Object.entries(verbs)) {
  test(`${verb} is answered by all, by those of a name, and by one instance`, async () => {
    const everyone = await all(client(names.length)[verb]());
    assert.deepEqual(
      everyone.map(({ name }) => name),
      names,
    );
    for (const one of everyone) {
      assertFits(schema, one);
      assert.equal(one.type, type);
      assert.match(one.version, /^\d+\.\d+\.\d+$/);
      const kept = one.name === "reporting" ? ["event_lines", "stream"] : ["bucket"];
      assert.deepEqual(Object.keys(one.metadata).sort(), ["connection", "data_version", "host", "pid", ...kept].sort());
      for (const answers of [await all(client(1)[verb](one.name)), await all(client(1)[verb](one.name, one.id))]) {
        assertFits(schema, answers[0]);
        assert.deepEqual([answers[0].name, answers[0].id, answers[0].version], [one.name, one.id, one.version]);
      }
    }
    assert.equal(new Set(everyone.map(({ id }) => id)).size, names.length);
  });

  test(`${verb} is answered once by each instance and by no other`, async () => {
    const subject = `$SRV.${verb.toUpperCase()}`;
    const everyone = await everyAnswer(subject, names.length);
    for (const { name, id } of everyone) {
      for (const narrower of [`${subject}.${name}`, `${subject}.${name}.${id}`]) {
        const answers = await everyAnswer(narrower, 1);
        assert.ok(answers.every((answer) => answer.id === id));
      }
    }
    for (const nobody of [`${subject}.nobody`, `${subject}.metadata.NOBODY`])
      await assert.rejects(nats.request(nobody), (error) => error.isNoResponders(), nobody);
  });
}

test("nats micro info shows every endpoint with its subject, in queue group q", async () => {
  for (const name of names) {
    const [info] = await all(client(1).info(name));
    assert.match(info.description, /./);
    assert.deepEqual(
      info.endpoints.map((e) => [e.name, e.subject]),
      fleet[name],
    );
    for (const endpoint of info.endpoints) {
      assert.equal(endpoint.queue_group, "q");
      assert.match(endpoint.metadata.description, /./);
    }
  }
});

async function endpoint(service, name, id) {
  const [stats] = await all(client(1).stats(service, id));
  assertFits("service_stats", stats);
  return stats.endpoints.find((e) => e.name === name);
}

/** By endpoint: requests that succeed, requests that fail, and the name of the last failure. */
const errors = {
  badId: "400:Bad id",
  body: "400:Bad request",
  asset: "404:Asset not found",
  user: "404:User not found",
};
const traffic = [
  ["metadata", "get", ["metadata.get.123"], ["metadata.get.unknown"], errors.asset],
  [
    "metadata",
    "put",
    ["metadata.put.1", '{"title":"","genre":"","summary":""}'],
    ["metadata.put.1", "{}"],
    errors.body,
  ],
  ["metadata", "list", ["metadata.list"], ["metadata.list", '{"limit":0}'], errors.body],
  ["metadata", "search", ["metadata.search", '{"q":"ter"}'], ["metadata.search", '{"limit":0}'], errors.body],
  ["metadata", "delete", null, ["metadata.delete.=41"], errors.badId],
  ["cdnurl", "get", ["cdnurl.get.456"], ["cdnurl.get.=41"], errors.badId],
  ["cdnurl", "put", ["cdnurl.put.1", '{"url":"a"}'], ["cdnurl.put.1", '{"url":""}'], errors.body],
  ["reporting", "asset", null, ["reporting.asset.unknown"], errors.asset],
  ["reporting", "user", null, ["reporting.user.unknown"], errors.user],
  ["reporting", "views", ["reporting.views.1.2"], ["reporting.views.=.2"], errors.badId],
  ["reporting", "top", ["reporting.top"], ["reporting.top", "{"], errors.body],
  ["reporting", "live", ["reporting.live", '{"after":"another-1"}'], ["reporting.live", "{"], errors.body],
];

for (const [service, name, good, bad, lastError] of traffic) {
  test(`nats micro stats counts every request and error of ${service}'s ${name}`, async () => {
    const before = await endpoint(service, name);
    assert.deepEqual([before.num_requests, before.num_errors, before.last_error], [0, 0, ""]);
    assert.deepEqual([before.processing_time, before.average_processing_time], [0, 0]);
    const [rights, wrongs] = [good ? 25 : 0, 7];
    const replies = await Promise.all([
      ...Array.from({ length: rights }, () => sendRequest(nats, ...good)),
      ...Array.from({ length: wrongs }, () => sendRequest(nats, ...bad)),
    ]);
    assert.deepEqual(
      replies.map(({ code }) => code === 200),
      [...Array(rights).fill(true), ...Array(wrongs).fill(false)],
    );
    const stats = await endpoint(service, name);
    assert.deepEqual([stats.num_requests, stats.num_errors, stats.last_error], [rights + wrongs, wrongs, lastError]);
    assert.ok(stats.processing_time > 0);
    assert.equal(stats.average_processing_time, Math.floor(stats.processing_time / stats.num_requests));
  });
}

test("nats micro stats shows the start time and the data of the service", async () => {
  for (const stats of await all(client(names.length).stats())) {
    const started = Date.parse(stats.started);
    assert.ok(started > Date.now() - 600_000 && started <= Date.now(), stats.started);
    const data = stats.endpoints.map((e) => e.data);
    if (stats.name === "reporting")
      assert.deepEqual(
        [data[0].applied, data[0].duplicates, data[0].rejected, data[0].lag, data[0].serving],
        [0, 0, 0, 0, true],
      );
    else assert.deepEqual([data[0].records, data[0].stale_for_ms], [3, 0]);
  }
});

test("two instances share the queue group, and one is enough", async () => {
  const second = await system.start("metadata", { name: "metadata-2" });
  const both = await all(client(2).ping("metadata"));
  assert.notEqual(both[0].id, both[1].id);
  const count = async () =>
    Promise.all(both.map(async ({ id }) => (await endpoint("metadata", "get", id)).num_requests));
  const start = await count();
  const requests = 200;
  await Promise.all(Array.from({ length: requests }, () => get(nats, "metadata.get.123")));
  const shares = (await count()).map((end, i) => end - start[i]);
  assert.equal(shares[0] + shares[1], requests, "each request is served once");
  assert.ok(Math.min(...shares) > 0, `both served: ${shares}`);
  assert.equal(await second.stop(), 0);
  await Promise.all(Array.from({ length: requests }, () => get(nats, "metadata.get.123")));
  assert.equal((await all(client(1).ping("metadata"))).length, 1);
});

test("a stopped service has no responders at once, and replies when started again", async () => {
  const probes = { metadata: "metadata.get.123", cdnurl: "cdnurl.get.123", reporting: "reporting.top" };
  for (const [kind, subject] of Object.entries(probes)) {
    const process = system.processes.find(({ name, code }) => name === `marquee-${kind}` && code === null);
    assert.equal(await process.stop(), 0);
    for (const unheard of [subject, `$SRV.PING.${kind}`])
      await assert.rejects(nats.request(unheard, "", { timeout: 20_000 }), (error) => error.isNoResponders(), unheard);
    await system.start(kind);
    await get(nats, subject);
  }
});
