// Messages that the broker or a service sends where another message says: to a reply subject, a
// consumer's deliver subject, a stream's republish destination, from a stream's source. Permissions
// do not bind these, so this is what is left to a user of broker/nats-server/secure.conf.
// docs/security.md says the same.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { patience } from "./support/processes.mjs";
import { SecureSystem, subjects, users } from "./support/secure_system.mjs";

const services = ["metadata", "cdnurl", "reporting"];
const owners = { EVENTS: "reporting", KV_metadata: "metadata", KV_cdnurl: "cdnurl" };
const clients = {};
let secure;
before(async () => {
  secure = await SecureSystem.create();
  for (const kind of services) await secure.start(kind);
  for (const user of users) clients[user] = await secure.connect(user);
  await ask("operator", "events", "123:42");
});
after(() => secure.end());

async function ask(user, subject, payload = "") {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  return (await clients[user].request(subject, text, { timeout: patience })).json();
}

async function eventually(what, poll) {
  const end = Date.now() + patience;
  while (!(await poll())) if (Date.now() > end) assert.fail(`waited in vain until ${what}`);
}

const info = (stream) => ask("operator", `$JS.API.STREAM.INFO.${stream}`);

/** What the streams hold, and how they are set. */
async function contents() {
  const found = {};
  for (const stream of Object.keys(owners)) {
    const { state, config } = await info(stream);
    found[stream] = { messages: state.messages, first: state.first_seq, last: state.last_seq, config };
  }
  return found;
}

/** How many messages a service has refused for their reply subject. */
async function refusedBy(service) {
  const { endpoints } = await ask("viewer", `$SRV.STATS.${service}`);
  const refused = endpoints.map(({ data }) => data.requests_refused);
  return refused.reduce((sum, one) => sum + one, endpoints[0].data.discovery_refused);
}

// Nobody's replies belong there. ($JS.ACK.… as a reply subject is refused by the broker itself.)
const noInboxes = [
  "$JS.API.STREAM.PURGE.EVENTS",
  "$JS.API.STREAM.DELETE.KV_metadata",
  "$KV.metadata.123",
  "$SRV.PING",
  "events",
  "metadata.delete.123",
  "cdnurl.put.123",
  "_INBOX.x",
  "_INBOX_replay.x",
];

test("no user gets a service to publish anywhere but to an inbox of those who may ask", async () => {
  const before = await contents();
  const sent = Object.fromEntries(services.map((name) => [name, 0]));
  const counted = {};
  for (const service of services) counted[service] = await refusedBy(service);
  const instance = /^\$SRV\..*\*$/; // of an id that nobody has here
  const served = subjects.filter(({ pattern }) => !pattern.startsWith("_INBOX") && !instance.test(pattern));
  for (const { example, publishers, subscribers } of served)
    for (const user of publishers)
      for (const reply of subscribers.length > 0 ? noInboxes : []) {
        clients[user].publish(example, '{"title":"t","genre":"g","summary":"s","url":"u"}', { reply });
        for (const service of subscribers) sent[service] += 1;
      }
  for (const client of Object.values(clients)) await client.flush();
  assert.ok(Object.values(sent).every((count) => count > 200));
  for (const service of services)
    await eventually(
      `${service} has refused ${sent[service]}`,
      async () => (await refusedBy(service)) - counted[service] >= sent[service],
    );
  for (const service of services) assert.equal((await refusedBy(service)) - counted[service], sent[service]);
  assert.deepEqual(await contents(), before);
});

test("who may create a stream or a consumer may do so under that name only", async () => {
  const before = await contents();
  for (const [stream, user] of Object.entries(owners)) {
    const other = stream === "EVENTS" ? "KV_metadata" : "EVENTS";
    for (const [subject, body] of [
      [`$JS.API.STREAM.CREATE.${stream}`, { name: "OTHER", subjects: ["other"] }],
      [`$JS.API.STREAM.CREATE.${stream}`, { ...before[stream].config, republish: { src: ">", dest: "copy.>" } }],
      [`$JS.API.STREAM.CREATE.${stream}`, { ...before[stream].config, sources: [{ name: other }] }],
      [`$JS.API.STREAM.CREATE.${stream}`, { name: stream, mirror: { name: other } }],
      [`$JS.API.CONSUMER.CREATE.${stream}.x`, { stream_name: other, config: { name: "x", deliver_subject: "_I.x" } }],
    ])
      assert.ok((await ask(user, subject, body)).error, `${subject} ${JSON.stringify(body)}`);
  }
  assert.deepEqual(await contents(), before);
});

let consumers = 0;

/** Makes a consumer on its owner's stream, and waits until another has delivered the whole stream. */
async function deliver(stream, settings) {
  const config = { ack_policy: "none", deliver_policy: "all", ...settings };
  const create = (wanted) => {
    const name = `forwarding-${++consumers}`;
    const body = { stream_name: stream, config: { name, ...wanted } };
    return ask(owners[stream], `$JS.API.CONSUMER.CREATE.${stream}.${name}`, body);
  };
  const made = await create(config);
  assert.equal(made.error, undefined, JSON.stringify(made));
  const inbox = `_INBOX_${owners[stream]}.delivered`;
  let arrived = 0;
  const subscription = clients[owners[stream]].subscribe(inbox, { callback: () => (arrived += 1) });
  await create({ ack_policy: "none", deliver_subject: inbox });
  const { state } = await info(stream);
  await eventually("the stream is delivered", async () => {
    await clients[owners[stream]].flush();
    return arrived >= state.messages;
  });
  subscription.unsubscribe();
}

test("a consumer's deliver subject reaches no service, no bucket and not JetStream", async () => {
  for (const stream of Object.keys(owners)) {
    const before = await contents();
    for (const subject of ["metadata.delete.123", "metadata.list", "cdnurl.list", "reporting.top", "$SRV.PING"])
      await deliver(stream, { deliver_subject: subject });
    for (const other of Object.keys(owners)) {
      for (const verb of ["PURGE", "DELETE"])
        await deliver(stream, { deliver_subject: `$JS.API.STREAM.${verb}.${other}`, headers_only: true });
      if (other !== "EVENTS" && other !== stream)
        await deliver(stream, { deliver_subject: `$KV.${other.slice("KV_".length)}.123` });
    }
    assert.deepEqual(await contents(), before, stream);
  }
  assert.equal((await ask("operator", "metadata.get.123")).title, "It");
});

test("not prevented: a catalogue may have what its bucket holds delivered to events", async () => {
  const before = await contents();
  await deliver("KV_metadata", { deliver_subject: "events" });
  await eventually(
    "the records are stored as events",
    async () => (await info("EVENTS")).state.messages >= before.EVENTS.messages + before.KV_metadata.messages,
  );
});

/** Edits a stream as the operator, lets `body` run, and takes the edit back. */
async function edited(stream, settings, body) {
  const { config } = await info(stream);
  const update = `$JS.API.STREAM.UPDATE.${stream}`;
  const made = await ask("operator", update, { ...config, ...settings });
  assert.equal(made.error, undefined, JSON.stringify(made.error));
  await body();
  const undone = await ask("operator", update, config);
  assert.equal(undone.error, undefined, JSON.stringify(undone.error));
}

test("what an operator has a stream republish reaches no service", async () => {
  for (const dest of ["metadata.delete.123", "cdnurl.delete.123"])
    await edited("EVENTS", { republish: { src: "events", dest, headers_only: true } }, async () => {
      const service = dest.split(".")[0];
      const counted = await refusedBy(service);
      await ask("operator", "events", "123:42");
      await eventually("the service refuses it", async () => (await refusedBy(service)) > counted);
      assert.equal((await ask("operator", `${service}.get.123`)).id, "123");
    });
});

test("not prevented: an operator may have a stream republish into a bucket, and copy another", async () => {
  const { state } = await info("KV_cdnurl");
  await edited("EVENTS", { republish: { src: "events", dest: "$KV.cdnurl.republished" } }, async () => {
    await ask("operator", "events", "123:42");
    await eventually("it is stored", async () => (await info("KV_cdnurl")).state.last_seq > state.last_seq);
  });
  const { state: events } = await info("EVENTS");
  await edited("EVENTS", { sources: [{ name: "KV_cdnurl" }] }, () =>
    eventually("the bucket is copied", async () => (await info("EVENTS")).state.last_seq > events.last_seq),
  );
});

test("not prevented: whoever JetStream answers may name the subject of the answer", async () => {
  for (const [user, subject] of [
    ["edge", "events"],
    ["operator", "events"],
    ["replay", "events"],
    ["metadata", "$KV.metadata.x"],
    ["reporting", "$JS.API.STREAM.INFO.EVENTS"],
  ]) {
    const { state } = await info("KV_cdnurl");
    clients[user].publish(subject, "", { reply: "$KV.cdnurl.answered" });
    await eventually("it is stored", async () => (await info("KV_cdnurl")).state.last_seq > state.last_seq);
  }
  // Last: nats-server 2.10 takes this acknowledgement for a request to purge, newer ones do not.
  const isOld = /^2\.10\./.test(clients.edge.info.version);
  clients.edge.publish("events", "123:42", { reply: "$JS.API.STREAM.PURGE.KV_cdnurl" });
  const { seq } = await ask("edge", "events", "123:42");
  assert.ok(seq > 0);
  if (isOld)
    await eventually("the bucket is purged", async () => (await info("KV_cdnurl")).state.messages === 0);
  else assert.ok((await info("KV_cdnurl")).state.messages > 0);
});

test("a stream that denies purging and deleting keeps its messages from such an acknowledgement", async () => {
  const { config, state } = await info("EVENTS");
  const update = { ...config, deny_purge: true, deny_delete: true };
  assert.equal((await ask("operator", "$JS.API.STREAM.UPDATE.EVENTS", update)).error, undefined);
  for (const verb of ["PURGE", "MSG.DELETE"])
    clients.edge.publish("events", "123:42", { reply: `$JS.API.STREAM.${verb}.EVENTS` });
  const { seq } = await ask("edge", "events", "123:42");
  assert.equal(seq, state.last_seq + 3);
  assert.equal((await info("EVENTS")).state.messages, state.messages + 3);
});
