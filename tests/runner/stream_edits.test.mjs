// An operator's edits of the stream and the buckets persist over restarts of ./run with its broker:
// it serves on, or names the edit and its cure.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { editStream, request, withBrokerAlone } from "./support/broker.mjs";
import { freePorts, Runner } from "./support/runner.mjs";

const hour = 3600e9;

/** The edit, the value that undoes it, and the last line of ./run. */
const refusals = [
  [
    "EVENTS",
    { allow_rollup_hdrs: true },
    { allow_rollup_hdrs: false },
    "marquee-reporting",
    "allow_rollup_hdrs is true",
    "nats stream edit EVENTS",
  ],
  [
    "EVENTS",
    { subjects: ["views"] },
    { subjects: ["events", "events.admin"] },
    "marquee-reporting",
    "subjects is views",
    "nats stream edit EVENTS",
  ],
  [
    "KV_cdnurl",
    { max_age: hour, duplicate_window: 60e9 },
    { max_age: 0 },
    "marquee-cdnurl",
    "max_age is 1h",
    "nats stream edit KV_cdnurl",
  ],
];

/** Asserts that ./run ends by itself, and that its last line names `setting` and has `cure`. */
async function assertRefused(runner, program, setting, cure) {
  await runner.launch();
  assert.equal(await runner.ended(), 1);
  const line = runner.stderr.split("\n").find((each) => each.startsWith(`run: ${program} ended (exit 1): `));
  assert.ok(line?.includes(setting) && line.includes(cure), `"${setting}" and "${cure}" in:\n${runner.stderr}`);
  assert.equal(runner.stdout, "");
}

describe("a ./run whose stream and buckets are edited", () => {
  const runner = new Runner();
  let views = 0;
  const playsOn = async () => {
    const { status, json } = await runner.play(123, 7);
    views++;
    assert.deepEqual([status, json.title, json.userviews, json.assetviews], [200, "It", views, views]);
  };
  before(() => runner.start());
  after(() => runner.discard());

  test("serves under harmless edits, and after its next start", async () => {
    await playsOn();
    for (const [stream, edits] of [
      ["KV_metadata", { max_msgs_per_subject: 5, description: "edited" }],
      ["KV_cdnurl", { max_bytes: 2 ** 30 }],
      ["EVENTS", { max_age: 720 * hour, description: "edited" }],
    ])
      assert.equal((await editStream(runner.natsPort, stream, edits)).error, undefined, stream);
    await playsOn();
    assert.equal(await runner.stop(), 0);
    await runner.start();
    await playsOn();
  });

  test("accepts an edited and purged stream after two more restarts of the broker", async () => {
    for (let round = 0; round < 2; round++) {
      assert.equal((await editStream(runner.natsPort, "EVENTS", { description: `edited ${round}` })).error, undefined);
      assert.equal((await request(runner.natsPort, "$JS.API.STREAM.PURGE.EVENTS")).success, true);
      assert.equal(await runner.stop(), 0);
      await runner.start();
      await playsOn();
    }
    assert.equal(await runner.stop(), 0);
  });

  for (const [stream, edits, back, ...told] of refusals)
    test(`refuses ${JSON.stringify(edits)} of ${stream} by name`, async () => {
      await withBrokerAlone(runner, async (port) =>
        assert.equal((await editStream(port, stream, edits)).error, undefined),
      );
      await assertRefused(runner, ...told);
      await withBrokerAlone(runner, async (port) =>
        assert.equal((await editStream(port, stream, back)).error, undefined),
      );
    });

  test("plays and counts again once they are undone", async () => {
    await runner.start();
    await playsOn();
    assert.equal(await runner.stop(), 0);
  });
});

test("a ./run whose stream was made with persist_mode async refuses it by name", async (t) => {
  const runner = new Runner({ natsPort: await freePorts(6) });
  try {
    const made = await withBrokerAlone(runner, (port) => {
      const config = { name: "EVENTS", subjects: ["events"], storage: "file", discard: "new", persist_mode: "async" };
      return request(port, "$JS.API.STREAM.CREATE.EVENTS", JSON.stringify(config));
    });
    if (made.config?.persist_mode !== "async") {
      t.skip("this nats-server does not know it");
      return;
    }
    await assertRefused(runner, "marquee-reporting", "persist_mode is async", "persist_mode default");
    await withBrokerAlone(runner, (port) => request(port, "$JS.API.STREAM.DELETE.EVENTS"));
    await runner.start();
    assert.equal((await runner.play(123, 1)).json.userviews, 1);
  } finally {
    await runner.discard();
  }
});
