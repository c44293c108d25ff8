// What an operator sees of a ./run: its brokers through the context that it writes, and who the
// connections, the streams and the consumers belong to. Sends what natscli sends.
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync, mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect } from "@nats-io/transport-node";
import { eventually, newFolder, Runner } from "../runner/support/runner.mjs";
import { assertFits } from "./support/schemas.mjs";

// ./run ignores the contexts of whoever runs it: following this one, nothing would start.
const config = newFolder();
mkdirSync(join(config, "nats/context"), { recursive: true });
writeFileSync(join(config, "nats/context/prod.json"), '{"url":"nats://127.0.0.1:1","user":"joe","password":"p"}');
writeFileSync(join(config, "nats/context.txt"), "prod");
const runner = new Runner({
  options: ["--durability", "fast"],
  environment: { NATS_CONTEXT: "prod", XDG_CONFIG_HOME: config, NATS_URL: undefined },
});
const services = ["cdnurl", "metadata", "reporting"];

let context;
let operator; // of the system account
let user; // without credentials
before(async () => {
  await runner.start();
  context = JSON.parse(readFileSync(join(runner.data, "nats-context.json"), "utf8"));
  operator = await connect({ servers: context.url, user: context.user, pass: context.password, timeout: 20_000 });
  user = await connect({ servers: context.url, timeout: 20_000 });
});
after(async () => {
  await operator?.close();
  await user?.close();
  await runner.discard();
});

const ask = async (nats, subject, payload = "") => (await nats.request(subject, payload, { timeout: 20_000 })).json();
const infoOf = (name) => ask(user, `$SRV.INFO.${name}`);
const statsOf = (name) => ask(user, `$SRV.STATS.${name}`);

test("the context is its user's alone, and is said without its password", () => {
  const file = join(runner.data, "nats-context.json");
  assert.equal((statSync(file).mode & 0o777).toString(8), "600");
  assert.equal((statSync(join(runner.data, "nats-server-fast.conf")).mode & 0o777).toString(8), "600");
  assert.ok(runner.stderr.includes(`run: brokers: nats --context '${file}' server ls\n`), runner.stderr);
  assert.ok(!runner.stderr.includes(context.password));
  assert.ok(!JSON.stringify(runner.processes()).includes(context.password));
});

test("server ls, info and report are answered", async () => {
  const ls = await ask(operator, "$SYS.REQ.SERVER.PING");
  assert.equal(ls.server.name, "marquee");
  assert.equal(ls.server.jetstream, true);
  const filter = JSON.stringify({ server_name: "marquee", exact_match: true });
  const info = await ask(operator, "$SYS.REQ.SERVER.PING.VARZ", filter);
  assert.equal(info.data.server_name, "marquee");
  assert.equal(info.data.system_account, "$SYS");
  const jetstream = await ask(operator, "$SYS.REQ.SERVER.PING.JSZ");
  assert.equal(jetstream.data.streams, 3);
});

test("the system account is for its user only", async () => {
  await assert.rejects(user.request("$SYS.REQ.SERVER.PING", "", { timeout: 20_000 }), /responders/i);
  await assert.rejects(connect({ servers: context.url, user: context.user, pass: "another" }), /authorization/i);
});

test("the monitoring port that is said answers on the loopback", async () => {
  const [, url] = runner.stderr.match(/^run: monitoring: (http:\/\/127\.0\.0\.1:\d+)$/m);
  const varz = await (await fetch(`${url}/varz`)).json();
  assert.equal(varz.server_name, "marquee");
  assert.equal(varz.http_host, "127.0.0.1");
});

test("report connections names each program and instance, as the services do", async () => {
  const named = (await ask(operator, "$SYS.REQ.SERVER.PING.CONNZ")).data.connections.map(({ name }) => name ?? "");
  for (const name of services) {
    const { id, metadata } = await infoOf(name);
    assert.equal(metadata.connection, `marquee-${name}-${id}`);
    assert.ok(named.includes(metadata.connection), `${metadata.connection} in ${named}`);
  }
  const edges = named.filter((each) => each.startsWith("marquee-edge-"));
  assert.equal(edges.length, 1);
  assert.match(edges[0], /^marquee-edge-[0-9A-Za-z]{22}$/);
});

for (const name of services) {
  test(`${name} says where it runs and what it keeps`, async () => {
    const info = await infoOf(name);
    assertFits("service_info", info);
    const { host, pid, ...rest } = info.metadata;
    assert.equal(host, hostname());
    assert.equal(Number(pid), runner.programs(`marquee-${name}`)[0].pid);
    assert.match(rest.data_version, /^\d+$/);
    if (name === "reporting") assert.equal(rest.stream, "EVENTS");
    else assert.equal(rest.bucket, name);
  });

  test(`check consumer finds the consumer of ${name}`, async () => {
    const { id, endpoints } = await statsOf(name);
    const { consumer } = endpoints[0].data;
    assert.match(consumer, new RegExp(`^${name}-${id}-\\d+$`));
    const stream = name === "reporting" ? "EVENTS" : `KV_${name}`;
    const { config, push_bound: bound } = await ask(user, `$JS.API.CONSUMER.INFO.${stream}.${consumer}`);
    assert.equal(bound, true);
    assert.equal(config.name, consumer);
    assert.ok(config.description.length > 10);
    assert.equal(config.idle_heartbeat, 2e9);
    assert.ok((await ask(user, `$JS.API.STREAM.INFO.${stream}`)).config.description.length > 10);
  });
}

test("a consumer that is removed by hand is made again under another name, and counts go on", async () => {
  const consumer = async () => (await statsOf("reporting")).endpoints[0].data.consumer;
  const before = await consumer();
  assert.equal((await ask(user, `$JS.API.CONSUMER.DELETE.EVENTS.${before}`)).success, true);
  await eventually("another consumer", async () => (await consumer()) !== before);
  await eventually("a play is answered with counts", async () => {
    const { status, json } = await runner.play(123, 1);
    return status === 200 && json.userviews !== null;
  });
});
