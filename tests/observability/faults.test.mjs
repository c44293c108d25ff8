// A real Prometheus scrapes a real system under faults: every query of the dashboard has data, and
// each alert, with windows of 15 s and without its `for:`, is silent before its fault and true in
// it. Three faults here; MARQUEE_FULL=1 has the others that one machine can make. alerts.test.yaml
// has all.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { patience } from "../foreign_client/support/processes.mjs";
import { System } from "../foreign_client/support/system.mjs";
import { Prometheus, freePort, shortened } from "./support/prometheus.mjs";
import { alerts, dashboardQueries } from "./support/rules.mjs";
import { SlowLink } from "./support/slow_link.mjs";

const full = { skip: !process.env.MARQUEE_FULL };
const services = ["metadata", "cdnurl", "reporting"];
const mostConnections = 20; // of the edge with a certificate

let system;
let nats;
let prometheus;
let liars;
let edge;
let secureAddress;
let rules; // {alert: expression}
const running = {}; // processes by kind
const playing = { on: true, loops: [] };

const certificate = (name, days) => {
  const [key, cert] = ["tls.key", name].map((file) => join(system.folder, file));
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", ...subject];
  execFileSync("openssl", [...args, "-days", String(days), "-keyout", key, "-out", cert], { stdio: "pipe" });
  return ["--tls-cert", cert, "--tls-key", key];
};

async function play(number) {
  for (let count = 0; playing.on; count += 1) {
    const asset = count % 2 === 0 ? 123 : 456;
    const bounded = { method: "POST", signal: AbortSignal.timeout(patience) };
    await fetch(`http://${edge}/play/asset/${asset}/user/${number}`, bounded)
      .then((answer) => answer.text())
      .catch(() => {}); // what an edge that is down answers
    await pause(25);
  }
}

async function stream(verb, name, config) {
  const reply = await nats.request(`$JS.API.STREAM.${verb}.${name}`, config ? JSON.stringify(config) : "");
  const body = reply.json();
  assert.equal(body.error, undefined, `${verb} ${name}: ${JSON.stringify(body.error)}`);
  return body;
}

async function edit(change) {
  const { config } = await stream("INFO", "EVENTS");
  return stream("UPDATE", "EVENTS", { ...config, ...change });
}

/** Replies to requests for statistics, from one that means harm: Prometheus refuses a malformed page. */
const endpoint = (name, data) => ({ name, num_requests: -1, data });
const lies = [
  "[",
  "x".repeat(200_000),
  { name: 'a"} 1\nmarquee_stream_bytes 7', id: "A" },
  { name: "liar", id: "A", version: '"}\n\\', endpoints: [endpoint("get", { in_flight: "NaN" })] },
  { name: "reporting", id: "L", version: "1", endpoints: [endpoint("top", { lag_ms: -7, lag: 1e308, alarm: null })] },
].map((lie) => (typeof lie === "string" ? lie : JSON.stringify({ type: "io.nats.micro.v1.stats_response", ...lie })));

/** Three brokers of one cluster, on free ports. */
async function cluster() {
  const ports = [await freePort(), await freePort(), await freePort()];
  const routes = ports.map((port) => `"nats://127.0.0.1:${port}"`).join(", ");
  const config = (port, name) =>
    `server_name: ${name}\ncluster { name: three, pool_size: -1, listen: "127.0.0.1:${port}", routes: [${routes}] }\n`;
  return Promise.all(ports.map((port, place) => System.create(config(port, `broker-${place}`))));
}

const expressions = (names) => names.map((name) => rules[name]);

async function startAll() {
  for (const kind of services) running[kind] = await system.start(kind);
}

before(async () => {
  system = await System.create();
  await startAll();
  nats = await system.connect();
  const callback = (_, request) => lies.forEach((lie) => request.respond(lie));
  liars = ["$SRV.STATS", "$SRV.STATS.reporting"].map((subject) => nats.subscribe(subject, { callback }));
  await edit({ max_bytes: 64 << 20, discard: "new" }); // a limit, which the dashboard shows
  const plain = await system.start("edge", { args: ["--listen", "127.0.0.1:0", "--threads", "2"] });
  running.edge = plain;
  edge = / listen=(\S+)/.exec(plain.output)[1];
  const secure = ["--listen", "127.0.0.1:0", "--max-connections", String(mostConnections)];
  running.secure = await system.start("edge", { args: [...secure, ...certificate("tls.crt", 60)] });
  secureAddress = / listen=(\S+)/.exec(running.secure.output)[1];
  const job = `
  - job_name: secure
    scheme: https
    tls_config: {insecure_skip_verify: true}
    static_configs: [{targets: ["${secureAddress}"]}]
`;
  prometheus = await Prometheus.start(system.folder, edge, job);
  rules = await prometheus.alerts();
  for (let number = 1; number <= 4; number += 1) playing.loops.push(play(number));
});

after(async () => {
  playing.on = false;
  await Promise.all(playing.loops);
  await prometheus?.stop();
  await system?.end();
});

test("every query of the dashboard has data, and no alert is true", async () => {
  assert.deepEqual(Object.keys(rules), alerts.map(({ name }) => name));
  await prometheus.until(dashboardQueries.map(shortened), "the dashboard");
  const [good] = await prometheus.query("sum(marquee_edge_objective_plays_total)");
  assert.ok(Number(good.value[1]) > 10);
  const liars = await prometheus.query('marquee_build_info{instance=~"A|L"}');
  assert.deepEqual(liars.map(({ metric }) => metric.service).sort(), ["liar", "reporting"]);
  await prometheus.until(["marquee_fleet_replies_ignored == 7"], "what the liar says");
  await prometheus.untilSilent(Object.values(rules), "a healthy system");
});

test("metadata that hangs: its circuit opens, and plays burn the budget", async () => {
  const names = ["MarqueeCircuitOpen", "MarqueePlaysBurnFast", "MarqueePlaysBurnSlow", "MarqueeServiceMissing"];
  running.metadata.child.kill("SIGSTOP");
  await prometheus.until(expressions(names), "metadata hangs");
  running.metadata.child.kill("SIGCONT");
  await prometheus.untilSilent(expressions(names), "metadata goes on");
});

test("reporting that is gone: plays have no counts, and its instance has left the page", async () => {
  for (const liar of liars) liar.unsubscribe(); // it says that it is a reporting
  await running.reporting.stop();
  await prometheus.until(expressions(["MarqueePlaysWithoutCounts", "MarqueeServiceMissing"]), "no reporting");
  assert.deepEqual(await prometheus.query('marquee_reporting_lag_seconds{service="reporting"}'), []);
  running.reporting = await system.start("reporting");
  await prometheus.untilSilent(expressions(["MarqueeServiceMissing"]), "reporting is back");
});

test("an event that is none is rejected", full, async () => {
  await prometheus.untilSilent(expressions(["MarqueeEventsRejected"]), "before");
  nats.publish("events", "{");
  await prometheus.until(expressions(["MarqueeEventsRejected"]), "rejected");
});

test("a stream that has little room left", full, async () => {
  await prometheus.untilSilent(expressions(["MarqueeStreamFull"]), "before");
  const { state } = await stream("INFO", "EVENTS");
  await edit({ max_bytes: Math.floor(state.bytes * 1.2) });
  await prometheus.until(expressions(["MarqueeStreamFull"]), "nearly full");
  await edit({ max_bytes: 64 << 20 });
  await prometheus.untilSilent(expressions(["MarqueeStreamFull"]), "enlarged");
});

test("a setting under which views could be lost raises an alarm", full, async () => {
  const names = ["MarqueeAlarmRaised", "MarqueeServiceNotServing", "MarqueeInstanceNotServing"];
  await prometheus.untilSilent(expressions(names), "before");
  await edit({ max_msgs: 1_000_000 });
  await prometheus.until(expressions(names), "refused");
  await edit({ max_msgs: -1 });
  await prometheus.untilSilent(expressions(names), "changed back");
});

test("a certificate that ends within two weeks", full, async () => {
  await prometheus.untilSilent(expressions(["MarqueeCertificateEnds"]), "before");
  certificate("tls.crt", 10);
  running.secure.child.kill("SIGHUP");
  await prometheus.until(expressions(["MarqueeCertificateEnds"]), "ten days");
});

test("an edge that hangs is down", full, async () => {
  await prometheus.untilSilent(expressions(["MarqueeEdgeDown"]), "before");
  running.edge.child.kill("SIGSTOP");
  await prometheus.until(expressions(["MarqueeEdgeDown", "MarqueeFleetUnknown"]), "the edge hangs");
  running.edge.child.kill("SIGCONT");
  await prometheus.untilSilent(expressions(["MarqueeEdgeDown"]), "the edge goes on");
});

test("an edge that has as many connections as it may", full, async () => {
  await prometheus.untilSilent(expressions(["MarqueeConnectionsRefused"]), "before");
  const [host, port] = secureAddress.split(":");
  const sockets = Array.from({ length: 3 * mostConnections }, () => connect({ host, port: Number(port) }));
  for (const socket of sockets) socket.on("error", () => {}); // refused
  await prometheus.until(expressions(["MarqueeConnectionsRefused"]), "refused");
  for (const socket of sockets) socket.destroy();
  await prometheus.untilSilent(expressions(["MarqueeConnectionsRefused"]), "fewer");
});

test("an edge that may open few more files", full, async () => {
  await prometheus.untilSilent(expressions(["MarqueeFilesRunOut"]), "before");
  const pid = String(running.secure.child.pid);
  const open = readdirSync(`/proc/${pid}/fd`).length;
  execFileSync("prlimit", ["--pid", pid, `--nofile=${open + 2}:`]);
  await prometheus.until(expressions(["MarqueeFilesRunOut"]), "few files");
});

test("a catalogue whose bucket is gone is stale", full, async () => {
  await prometheus.untilSilent(expressions(["MarqueeCatalogueStale"]), "before");
  await stream("DELETE", "KV_cdnurl");
  await prometheus.until(expressions(["MarqueeCatalogueStale"]), "deleted");
});

test("replies that find no room to be sent", full, async () => {
  await prometheus.untilSilent(expressions(["MarqueeRepliesLost"]), "before");
  const link = await SlowLink.before(system.url);
  const slow = await system.start("metadata", { url: link.url });
  const large = JSON.stringify({ title: "Large", genre: "None", summary: "x".repeat(16_000) });
  const put = await nats.request("metadata.put.large", large, { timeout: patience });
  assert.equal(put.json().status, "ok");
  const series = 'count(marquee_service_replies_overloaded_total{service="metadata",endpoint="get"}) == 2';
  await prometheus.until([series], "the second metadata");
  link.hold();
  const inbox = nats.subscribe("_INBOX.large", { callback: () => {} });
  for (let count = 0; count < 4_000; count += 1) nats.publish("metadata.get.large", "", { reply: "_INBOX.large" });
  await nats.flush();
  await slow.says("a reply found no room to be sent"); // before the link is given up, and with it its series
  link.release();
  await prometheus.until(expressions(["MarqueeRepliesLost"]), "no room");
  inbox.unsubscribe();
  await slow.stop();
  link.end();
});

test("one broker of three dies: a copy of the stream is missing", full, async () => {
  const brokers = await cluster();
  const urls = brokers.map(({ url }) => url).join(",");
  try {
    for (const kind of services) await brokers[0].start(kind, { url: urls, args: ["--replicas", "3"] });
    const gateway = await brokers[0].start("edge", { url: urls, args: ["--listen", "127.0.0.1:0"] });
    const watching = await Prometheus.start(brokers[0].folder, / listen=(\S+)/.exec(gateway.output)[1]);
    const behind = expressions(["MarqueeReplicasBehind"]);
    await watching.until(["marquee_stream_replicas_in_sync == 3"], "three copies");
    await watching.untilSilent(behind, "before");
    await brokers[2].broker.stop("SIGKILL");
    await watching.until(behind, "two copies");
    await watching.stop();
  } finally {
    for (const one of brokers) await one.end();
  }
});

test("a stream that is gone has no leader, and what reporting knows grows old", full, async () => {
  const names = ["MarqueeStreamWithoutLeader", "MarqueeReportingLag"];
  await prometheus.untilSilent(expressions(names), "before");
  await stream("DELETE", "EVENTS");
  await prometheus.until(expressions(names), "deleted");
});

test("a broker that is killed: the links are down, and nobody says how the services are", async () => {
  const names = ["MarqueeLinkDown", "MarqueeFleetUnknown"];
  await prometheus.untilSilent(expressions(names), "before");
  await system.broker.stop("SIGKILL");
  await prometheus.until(expressions(names), "no broker");
});
