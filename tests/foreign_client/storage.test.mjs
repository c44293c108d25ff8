// The contents of JetStream: the catalogues' buckets and stream EVENTS, read with NATS's own
// libraries.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { encodeToken } from "./ids.mjs";
import { sendRequest, get } from "./support/requests.mjs";
import { System } from "./support/system.mjs";

let system;
let nats;
let streams;
before(async () => {
  system = await System.create();
  nats = await system.connect();
  streams = (await jetstreamManager(nats)).streams;
});
after(() => system.end());

const value = {
  metadata: { title: "Alien", genre: "horror", summary: "In space" },
  cdnurl: { url: "path/to/asset789.mp4" },
};

for (const service of ["metadata", "cdnurl"]) {
  test(`bucket ${service} holds what ${service} answers`, async () => {
    await system.start(service);
    const bucket = await new Kvm(nats).open(service);
    const id = "10.5240/7791-8534-2C23-9030-8610-5";
    const key = encodeToken(id);
    const same = async (of) => {
      const entry = await bucket.get(encodeToken(of));
      const { text, revision } = await get(nats, `${service}.get.${encodeToken(of)}`);
      assert.deepEqual([entry.operation, entry.string(), entry.revision], ["PUT", text, revision]);
    };
    await same("123");
    await same("456");
    assert.equal(await bucket.get(key), null);
    const { body } = await get(nats, `${service}.put.${key}`, value[service]);
    await same(id);
    assert.equal((await bucket.get(key)).revision, body.revision);

    await get(nats, `${service}.delete.${key}`);
    const marker = await bucket.get(key);
    assert.deepEqual([marker.operation, marker.string()], ["DEL", ""]);
    assert.ok(marker.revision > body.revision);
    assert.equal((await sendRequest(nats, `${service}.get.${key}`)).code, 404);
    const keys = [];
    for await (const one of await bucket.keys()) keys.push(one);
    assert.deepEqual(keys.sort(), ["123", "456"]);
  });

  test(`${service} serves what another client writes into its bucket`, async () => {
    const bucket = await new Kvm(nats).open(service);
    const revision = await bucket.put("foreign", JSON.stringify({ id: "foreign", ...value[service] }));
    await get(nats, `${service}.put.after`, value[service]); // so all earlier records are served
    const served = await get(nats, `${service}.get.foreign`);
    assert.equal(served.revision, revision);
    assert.match(served.tag, new RegExp(`^${revision}-[0-9a-f]+$`));
    await bucket.delete("foreign");
    await get(nats, `${service}.delete.after`);
    assert.equal((await sendRequest(nats, `${service}.get.foreign`)).code, 404);
  });

  test(`bucket ${service} keeps one value a key on disk and refuses when it is full`, async () => {
    const { config } = await streams.info(`KV_${service}`);
    assert.deepEqual(config.subjects, [`$KV.${service}.>`]);
    const { storage, discard, retention, max_msgs_per_subject: history, max_age: age, num_replicas: replicas } = config;
    assert.deepEqual(
      { storage, discard, retention, history, age, replicas },
      {
        storage: "file",
        discard: "new",
        retention: "limits",
        history: 1,
        age: 0,
        replicas: 1,
      },
    );
    assert.deepEqual([config.allow_rollup_hdrs, config.deny_delete, config.allow_direct], [true, true, true]);
  });
}

// The fields of the stream that contract §3 decides, by the options of the reporting that makes it.
const plain = {
  subjects: ["events", "events.admin"],
  storage: "file",
  discard: "new",
  retention: "limits",
  num_replicas: 1,
  max_age: 0,
  max_bytes: -1,
  max_msgs: -1,
  max_msgs_per_subject: -1,
  max_msg_size: -1,
  duplicate_window: 120e9,
};
const made = [
  { name: "without limits", args: [], fields: {} },
  {
    name: "with the limits asked for",
    args: ["--max-age", "30d", "--max-bytes", "4K"],
    fields: { max_age: 30 * 86400e9, max_bytes: 4096 },
  },
];

for (const { name, args, fields } of made) {
  test(`reporting makes stream EVENTS ${name}`, async () => {
    await streams.delete("EVENTS").catch(() => {});
    const reporting = await system.start("reporting", { name: `reporting ${name}`, args });
    const { config } = await streams.info("EVENTS");
    for (const [field, wanted] of Object.entries({ ...plain, ...fields }))
      assert.deepEqual(config[field], wanted, field);
    assert.equal(await reporting.stop(), 0);
  });
}

test("a full stream refuses the newest event and keeps the oldest", async (t) => {
  // This server counts an event without its subject and framing: it accepts one too many, and drops
  // the oldest for it.
  if (/^2\.[0-9]\./.test(nats.info.version)) return t.skip("nats-server 2.9 does not");
  const { config } = await streams.info("EVENTS");
  assert.equal(config.max_bytes, 4096);
  const publish = () => jetstream(nats).publish("events", "123:42");
  const first = await publish();
  await assert.rejects(async () => {
    for (let i = 0; i < 1000; i += 1) await publish();
  }, /maximum bytes exceeded/);
  const { state } = await streams.info("EVENTS");
  assert.equal(state.first_seq, first.seq);
  assert.ok(state.messages > 1 && state.bytes <= 4096);
  assert.equal((await streams.getMessage("EVENTS", { seq: first.seq })).string(), "123:42");
});

test("streams and buckets of an operator keep their own descriptions, and none where they have none", async () => {
  const own = await System.create();
  try {
    const { streams: made } = await jetstreamManager(await own.connect());
    await made.add({ name: "EVENTS", subjects: ["events", "events.admin"], discard: "new" });
    await made.add({
      name: "KV_metadata",
      subjects: ["$KV.metadata.>"],
      description: "ours",
      max_msgs_per_subject: 1,
      discard: "new",
      deny_delete: true,
      allow_rollup_hdrs: true,
      allow_direct: true,
    });
    const before = await Promise.all(["EVENTS", "KV_metadata"].map(async (name) => (await made.info(name)).config));
    await own.start("metadata");
    await own.start("reporting");
    const after = await Promise.all(["EVENTS", "KV_metadata"].map(async (name) => (await made.info(name)).config));
    assert.deepEqual(after, before);
    assert.deepEqual(
      after.map(({ description }) => description),
      [undefined, "ours"],
    );
  } finally {
    await own.end();
  }
});
