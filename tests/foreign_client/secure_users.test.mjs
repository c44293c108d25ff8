// The work of people under broker/nats-server/secure.conf, as the `nats` CLI does it; and TLS with
// client certificates.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { Svcm } from "@nats-io/services";
import { patience, within } from "./support/processes.mjs";
import { get } from "./support/requests.mjs";
import { SecureSystem } from "./support/secure_system.mjs";
import { source } from "./support/system.mjs";

let secure;
let operator;
let viewer;
before(async () => {
  secure = await SecureSystem.create();
  for (const kind of ["metadata", "cdnurl", "reporting"]) await secure.start(kind);
  [operator, viewer] = [await secure.connect("operator"), await secure.connect("viewer")];
});
after(() => secure.end());

/** The result of `attempt`, which may fail while a consumer is made anew. */
async function succeeds(attempt) {
  for (const end = Date.now() + patience; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

/** The counts of 123 and 42, once reporting serves them up to this sequence. */
function counted(seq) {
  const fields = { "Marquee-After": seq };
  return succeeds(async () => (await get(operator, "reporting.views.123.42", "", fields)).body);
}

test("an operator changes records and adds views", async () => {
  await get(operator, "metadata.put.789", { title: "Alien", genre: "horror", summary: "In space" });
  await get(operator, "cdnurl.put.789", { url: "path" });
  assert.equal((await get(operator, "metadata.list")).body.assets.length, 3);
  assert.equal((await get(operator, "cdnurl.get.789")).body.url, "path");
  await get(operator, "metadata.delete.789");
  const { seq } = (await operator.request("events", "123:42", { timeout: patience })).json();
  assert.deepEqual(await counted(seq), { assetviews: 1, userviews: 1 });
});

test("a viewer reads what the edge shows to everybody", async () => {
  assert.equal((await get(viewer, "metadata.get.123")).body.title, "It");
  assert.deepEqual((await get(viewer, "reporting.top")).body, { assets: [{ id: "123", views: 1 }] });
  await assert.rejects(viewer.request("cdnurl.get.123"), /Permissions Violation/);
  await assert.rejects(viewer.request("reporting.user.42"), /Permissions Violation/);
});

for (const user of ["operator", "viewer"])
  test(`nats micro works for the ${user}`, async () => {
    const all = { strategy: "count", maxMessages: 3, maxWait: patience };
    const client = new Svcm(await secure.connect(user)).client(all);
    for (const verb of ["ping", "info", "stats"]) {
      const found = [];
      for await (const { name } of await client[verb]()) found.push(name);
      assert.deepEqual(found.sort(), ["cdnurl", "metadata", "reporting"], verb);
    }
    const one = new Svcm(await secure.connect(user)).client({ ...all, maxMessages: 1 });
    for await (const { id } of await one.info("metadata"))
      for await (const stats of await one.stats("metadata", id)) assert.equal(stats.id, id);
  });

test("an operator lists, looks at and edits the streams", async () => {
  const manager = await jetstreamManager(operator);
  const names = [];
  for await (const name of manager.streams.names()) names.push(name);
  assert.deepEqual(names.sort(), ["EVENTS", "KV_cdnurl", "KV_metadata"]);
  await succeeds(async () => {
    const [{ name }] = await manager.consumers.list("EVENTS").next();
    assert.equal((await manager.consumers.info("EVENTS", name)).name, name);
  });
  const { config } = await manager.streams.update("KV_metadata", { max_msgs_per_subject: 5 });
  assert.equal(config.max_msgs_per_subject, 5);
  assert.equal((await manager.streams.getMessage("EVENTS", { seq: 1 })).string(), "123:42");
});

/** The parts of `nats stream backup`. */
async function backUp(stream) {
  const inbox = "_INBOX_operator.backup";
  const chunks = [];
  const whole = new Promise((done) => {
    operator.subscribe(inbox, {
      callback: (_, message) => {
        if (message.data.length === 0) return done();
        chunks.push(message.data.slice());
        message.respond();
      },
    });
  });
  const request = JSON.stringify({ deliver_subject: inbox, no_consumers: true });
  const reply = await operator.request(`$JS.API.STREAM.SNAPSHOT.${stream}`, request, { timeout: patience });
  await within(whole, () => `a backup of ${stream}`);
  return { ...reply.json(), chunks };
}

test("an operator backs up a stream, removes it and restores it; the counts go on", async () => {
  const { config, state, chunks } = await backUp("EVENTS");
  const manager = await jetstreamManager(operator);
  await manager.streams.delete("EVENTS");
  const request = JSON.stringify({ config, state });
  const restoring = await operator.request("$JS.API.STREAM.RESTORE.EVENTS", request, { timeout: patience });
  const { deliver_subject: to } = restoring.json();
  for (const chunk of chunks) await operator.request(to, chunk, { timeout: patience });
  const restored = (await operator.request(to, "", { timeout: patience })).json();
  assert.equal(restored.error, undefined, JSON.stringify(restored));
  assert.equal((await manager.streams.info("EVENTS")).state.messages, 1);
  const { seq } = (await operator.request("events", "123:42", { timeout: patience })).json();
  assert.equal(seq, 2);
  assert.deepEqual(await counted(2), { assetviews: 2, userviews: 2 });
  await manager.streams.purge("EVENTS", { seq: 2 });
  assert.equal((await manager.streams.info("EVENTS")).state.messages, 1);
});

test("reporting serves a stream without events.admin, which it may not edit, and says so", async () => {
  const old = await SecureSystem.create();
  try {
    const owner = await old.connect("reporting");
    const config = { name: "EVENTS", subjects: ["events"], storage: "file", retention: "limits", discard: "new" };
    await owner.request("$JS.API.STREAM.CREATE.EVENTS", JSON.stringify(config), { timeout: patience });
    const reporting = await old.start("reporting");
    assert.match(reporting.output, /warning .*the stream lacks a subject, which could not be added/);
  } finally {
    await old.end();
  }
});

function openssl(folder, ...words) {
  execFileSync("openssl", words, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
}

/** ca.pem, and NAME.pem and NAME.key of certificates that it signed. */
function makeCertificates(folder) {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  openssl(folder, "req", "-x509", ...key, "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem");
  writeFileSync(join(folder, "names"), "subjectAltName=DNS:localhost,IP:127.0.0.1");
  for (const name of ["server", "client"]) {
    openssl(folder, "req", ...key, "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.csr`);
    const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"];
    openssl(folder, "x509", "-req", "-in", `${name}.csr`, ...signed, "-out", `${name}.pem`);
  }
}

test("secure-tls.conf asks for a client certificate and for the nkey", async () => {
  const paths = {};
  const tls = await SecureSystem.create((folder) => {
    makeCertificates(folder);
    for (const name of ["ca.pem", "server.pem", "server.key", "client.pem", "client.key"])
      paths[name] = join(folder, name);
    process.env.BROKER_TLS_CERT = paths["server.pem"];
    process.env.BROKER_TLS_KEY = paths["server.key"];
    process.env.BROKER_TLS_CA = paths["ca.pem"];
    copyFileSync(join(source, "broker/nats-server/secure-tls.conf"), join(folder, "broker/secure-tls.conf"));
    return "secure-tls.conf";
  });
  try {
    const caFile = paths["ca.pem"];
    const whole = { caFile, certFile: paths["client.pem"], keyFile: paths["client.key"] };
    tls.system.url = tls.system.url.replace("nats://", "tls://");
    const options = ["--tlsca", caFile, "--tlscert", whole.certFile, "--tlskey", whole.keyFile];
    await tls.start("metadata", options);
    const nats = await tls.connect("viewer", { tls: whole });
    assert.equal((await get(nats, "metadata.get.123")).body.title, "It");
    await assert.rejects(tls.connect("viewer", { tls: { caFile }, reconnect: false }));
    await assert.rejects(tls.system.connect({ tls: whole, authenticator: undefined }), /authorization violation/i);
  } finally {
    await tls.end();
  }
});
