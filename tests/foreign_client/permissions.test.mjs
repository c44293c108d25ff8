// Who may do what under broker/nats-server/secure.conf: each user tries each subject of
// permissions.json, as publisher and as subscriber, with the credentials of ./run --secure.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { patience, within } from "./support/processes.mjs";
import { SecureSystem, subjects, users } from "./support/secure_system.mjs";
import { source } from "./support/system.mjs";

let secure;
before(async () => {
  secure = await SecureSystem.create();
  // The streams, as their owners make them.
  for (const kind of ["metadata", "cdnurl", "reporting"]) await (await secure.start(kind)).stop();
});
after(() => secure.end());

/** A connection that notes each refused subject; `settled` waits until the broker has judged all. */
async function judged(user) {
  const nats = await secure.connect(user);
  const refused = { publish: new Set(), subscription: new Set() };
  const changed = [];
  (async () => {
    for await (const { type, error } of nats.status()) {
      if (type !== "error" || error?.operation === undefined) continue;
      refused[error.operation].add(error.subject + (error.queue ? ` ${error.queue}` : ""));
      changed.splice(0).forEach((wake) => wake());
    }
  })();
  let marks = 0;
  const settled = async () => {
    const mark = `refused.always.${marks++}`; // what came before is judged before
    nats.publish(mark);
    const seen = async () => {
      while (!refused.publish.has(mark)) await new Promise((wake) => changed.push(wake));
    };
    await within(seen(), () => `the broker's word on ${mark}`);
  };
  return { nats, refused, settled };
}

/** Nothing that JetStream would carry out; it answers all the same. */
const unreadable = "no JSON";
const answered = /^(\$JS\.API\.|\$KV\.|events(\.admin)?$)/;

test("the configuration and the page are what permissions.json says", () => {
  execFileSync(join(source, "tools/make-permissions"), ["--check"], { encoding: "utf8" });
});

test("the table has users and subjects enough", () => {
  assert.deepEqual(users, ["edge", "metadata", "cdnurl", "reporting", "operator", "viewer", "replay"]);
  assert.ok(subjects.length > 80);
  assert.equal(new Set(subjects.map(({ pattern }) => pattern)).size, subjects.length);
});

test("the table keeps the rules that it is for", () => {
  const owner = { EVENTS: "reporting", KV_metadata: "metadata", KV_cdnurl: "cdnurl" };
  const rules = [
    [/^\$KV\.(metadata|cdnurl)\./, (bucket) => [bucket]],
    [/^\$JS\.API\.STREAM\.CREATE\.(EVENTS|KV_\w+)$/, (stream) => [owner[stream]]],
    [/^\$JS\.API\.CONSUMER\.CREATE\.(EVENTS|KV_\w+)\.x$/, (stream) => [owner[stream]]],
    [/^\$JS\.API\.CONSUMER\.CREATE\.\w+$/, () => []], // programs name their consumers
    [/^\$JS\.API\.STREAM\.(?:UPDATE|DELETE|PURGE|SNAPSHOT|RESTORE)\.(?:EVENTS|KV_\w+)$/, () => ["operator"]],
    [/^\$JS\.API\..*\.(?:OTHER|x\.y)$/, () => []],
    [/MSG\.DELETE|DIRECT|MSG\.NEXT|DURABLE|CONSUMER\.DELETE|^\$SYS|^_INBOX\.|^_R_/, () => []],
    [/^(?:metadata|cdnurl)\.(?:put|delete)\./, () => ["edge", "operator"]],
    [/^(?:metadata|cdnurl)\.many$/, () => ["edge"]],
    [/^reporting\.many$/, () => ["edge", "operator"]],
    [/^events\.admin$/, () => ["edge", "operator"]],
    [/^reporting\.(?:user|history|views)\./, () => ["edge", "operator"]],
  ];
  for (const { pattern, example, publishers, subscribers } of subjects) {
    for (const [subject, allowed] of rules) {
      const found = example.match(subject);
      if (found) assert.deepEqual(publishers, allowed(found[1]), pattern);
    }
    const service = pattern.match(/^(?:\$SRV\.\w+\.)?(metadata|cdnurl|reporting)(?:\.|$)/)?.[1];
    const inbox = pattern.match(/^_INBOX_(\w+)\./)?.[1];
    const listeners = /^\$SRV\.\w+$/.test(pattern) ? Object.values(owner) : [service ?? inbox].filter(Boolean);
    assert.deepEqual([...subscribers].sort(), [...listeners].sort(), pattern);
    if (publishers.includes("viewer"))
      assert.match(pattern, /^(\$SRV|metadata\.(get|list|search)|reporting\.(assets?|top|series)|_INBOX_viewer)\b/);
    if (publishers.includes("replay")) assert.match(pattern, /^(events|_INBOX_replay\.>)$/);
  }
});

test("each subject of asyncapi.json is in the table, and somebody may publish to it", () => {
  const { channels } = JSON.parse(readFileSync(join(source, "schemas/asyncapi.json"), "utf8"));
  const addresses = Object.values(channels).map(({ address }) => address);
  const served = addresses.filter((address) => address && !address.startsWith("$SRV"));
  assert.ok(served.length > 10);
  for (const address of served) {
    const row = subjects.find(({ pattern }) => pattern === address.replace(/{\w+}/g, "*"));
    assert.ok(row?.publishers.length > 0, address);
    assert.deepEqual(row.subscribers, /^events\b/.test(address) ? [] : [address.split(".")[0]], address);
  }
});

for (const user of users) {
  test(`${user} may publish to its subjects and to no other`, async () => {
    const { nats, refused, settled } = await judged(user);
    const waiting = new Set();
    nats.subscribe(`_INBOX_${user}.>`, { callback: (_, { subject }) => waiting.delete(subject) });
    for (const [i, { example, publishers }] of subjects.entries()) {
      const reply = `_INBOX_${user}.answer.${i}`;
      if (publishers.includes(user) && answered.test(example)) waiting.add(reply);
      nats.publish(example, unreadable, { reply });
    }
    await settled();
    for (const { example, publishers } of subjects)
      assert.equal(!refused.publish.has(example), publishers.includes(user), example);
    const end = Date.now() + patience;
    while (waiting.size > 0 && Date.now() < end) await nats.flush();
    assert.deepEqual([...waiting], [], "JetStream answers each request that it gets");
    await nats.close();
  });

  test(`${user} may subscribe to its subjects and to no other`, async () => {
    const { nats, refused, settled } = await judged(user);
    const attempts = subjects.flatMap(({ pattern, example, subscribers, queue }) =>
      [...new Set([pattern, example])].flatMap((subject) =>
        [undefined, "q", "other"].map((group) => {
          const allowed = subscribers.includes(user) && (queue === undefined || group === queue);
          return { subject, group, allowed };
        }),
      ),
    );
    for (const subject of [">", "*", "*.>", "$JS.>", "$JS.API.>", "$KV.>", "$SRV.>", "metadata.>", "reporting.*.*"])
      attempts.push({ subject, group: undefined, allowed: false });
    for (const { subject, group } of attempts) {
      const subscription = nats.subscribe(subject, { queue: group, callback: () => {} });
      nats.flush().then(() => subscription.unsubscribe());
    }
    await settled();
    for (const { subject, group, allowed } of attempts)
      assert.equal(!refused.subscription.has(subject + (group ? ` ${group}` : "")), allowed, `${subject} ${group}`);
    await nats.close();
  });
}

test("what a user may publish arrives at whoever may subscribe to it", async () => {
  const clients = new Map();
  for (const user of users) clients.set(user, await secure.connect(user));
  const missing = new Set();
  for (const { pattern, example, publishers, subscribers, queue } of subjects) {
    for (const subscriber of subscribers) {
      const callback = (_, message) => missing.delete(`${subscriber} ${message.subject} ${message.string()}`);
      clients.get(subscriber).subscribe(pattern, { queue, callback });
      for (const publisher of publishers) missing.add(`${subscriber} ${example} ${publisher}`);
    }
  }
  assert.ok(missing.size > 80);
  for (const nats of clients.values()) await nats.flush();
  for (const { example, publishers, subscribers } of subjects)
    if (subscribers.length > 0) for (const publisher of publishers) clients.get(publisher).publish(example, publisher);
  const end = Date.now() + patience;
  while (missing.size > 0 && Date.now() < end) for (const nats of clients.values()) await nats.flush();
  assert.deepEqual([...missing], []);
});

test("nobody is anonymous", async () => {
  for (const [what, options] of [
    ["without credentials", { authenticator: undefined }],
    ["a user with a password", { authenticator: undefined, user: "operator", pass: "operator" }],
    ["a token", { authenticator: undefined, token: "operator" }],
    ["a key that the broker does not know", { authenticator: secure.stranger() }],
  ])
    await assert.rejects(secure.system.connect({ ...options, reconnect: false }), /authorization violation/i, what);
});

test("a seed is a file of its user alone", () => {
  for (const user of [...users, "system"])
    assert.equal(statSync(join(secure.data, `nkeys/${user}.nk`)).mode & 0o777, 0o600, user);
});

test("the broker has limits, which the user of the system account can read", async () => {
  const { nats, refused, settled } = await judged("system");
  const [server] = [(await nats.request("$SYS.REQ.SERVER.PING.VARZ", "", { timeout: patience })).json().data];
  assert.deepEqual(
    [server.max_payload, server.max_connections, server.max_subscriptions, server.auth_required],
    [1_048_576, 1024, 1024, true],
  );
  for (const subject of ["$SYS.REQ.SERVER.PING.PROFILEZ", `$SYS.REQ.SERVER.${server.server_id}.RELOAD`])
    nats.publish(subject, "{}");
  nats.subscribe("$SYS.>", { callback: () => {} });
  await settled();
  assert.equal(refused.publish.size, 3, "and the mark");
  assert.deepEqual([...refused.subscription], ["$SYS.>"]);

  const edge = await secure.connect("edge");
  const refusal = (async () => {
    for await (const { error } of edge.status()) if (/maximum subscriptions/.test(error?.message)) return;
  })();
  for (let i = 0; i < 1025; i++) edge.subscribe(`_INBOX_edge.${i}`, { callback: () => {} });
  await within(refusal, () => "the refusal of the last subscription");
});
