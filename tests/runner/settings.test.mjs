// The settings that a user of ./run gives to the programs: --config DIR, NAME:--option=value.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { newFolder, withRunner } from "./support/runner.mjs";

/** A folder of configuration files: {"edge.conf": text}. */
function folderOf(files) {
  const folder = join(newFolder(), "settings");
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  return folder;
}

/** What a broker says of itself when a client connects. */
async function brokerInfo(port) {
  const socket = connect(port, "127.0.0.1");
  try {
    const [first] = await once(socket.setEncoding("utf8"), "data");
    return JSON.parse(first.match(/^INFO (.*)\r\n/)[1]);
  } finally {
    socket.destroy();
  }
}

const origin = "https://shop.example";

async function assertGranted(runner, isGranted = true) {
  const answer = await fetch(`http://127.0.0.1:${runner.httpPort}/content/assets`, { headers: { origin } });
  assert.equal(answer.headers.get("access-control-allow-origin"), isGranted ? origin : null);
  return answer;
}

test("each program uses its file of --config, and an option that is passed on comes before it", async () => {
  const folder = folderOf({
    "edge.conf": `cors-origin = https://other.example\nrate-address = 1\nlisten = 127.0.0.1:1\n`,
    "metadata.conf": "no-demo = true\n",
    "reporting.conf": "dedupe-window = 1h\n",
    "nats-server.conf": "max_payload: 2MB\nserver_name: mine\n",
  });
  const options = [`edge:--cors-origin=${origin}`, "edge:--threads=2", "cdnurl:--no-demo", "--config", folder];
  await withRunner({ options }, async (runner) => {
    await runner.start();
    const answer = await assertGranted(runner);
    assert.match(answer.headers.get("ratelimit-policy"), /q=1;/);
    if (answer.status !== 429) assert.deepEqual((await answer.json()).assets, []);
    const [edge] = runner.programs("marquee-edge");
    assert.deepEqual(edge.words.slice(-4), [
      "--config",
      join(folder, "edge.conf"),
      `--cors-origin=${origin}`,
      "--threads=2",
    ]);
    assert.deepEqual(runner.programs("marquee-cdnurl")[0].words.slice(-1), ["--no-demo"]);
    assert.deepEqual(runner.programs("marquee-reporting")[0].words.slice(-2), [
      "--config",
      join(folder, "reporting.conf"),
    ]);
    const { max_payload, server_name, jetstream } = await brokerInfo(runner.natsPort);
    assert.deepEqual([max_payload, server_name, jetstream], [2 << 20, "mine", true]);
    assert.equal(await runner.stop(), 0);
  });
});

test("the broker of NATS_URL comes before what a file says", async () => {
  await withRunner({}, async (first) => {
    await first.start();
    const folder = folderOf({ "edge.conf": "server = nats://127.0.0.1:1\n" });
    const environment = { NATS_URL: `nats://127.0.0.1:${first.natsPort}` };
    await withRunner({ options: [`--config=${folder}`], environment }, async (second) => {
      await second.start();
      assert.equal((await second.play(123, 1)).status, 200);
      assert.equal(await second.stop(), 0);
    });
  });
});

test("a file of no program is named, and the rest is used", async () => {
  const folder = folderOf({ "egde.conf": "threads = 2\n", "edge.conf": `cors-origin = ${origin}\n` });
  await withRunner({ options: ["--config", folder] }, async (runner) => {
    await runner.start();
    assert.match(runner.stderr, new RegExp(`^run: ${folder}/egde.conf is of no program$`, "m"));
    await assertGranted(runner);
  });
});

const names = "edge, metadata, cdnurl, reporting and nats-server";

// What is wrong, the exit code, and the one line that ./run prints.
const refusals = [
  ["an unknown program", ["egde:--all=2"], 2, `egde:--all=2: there is no program egde, but ${names} (see --help)`],
  ["an option without its hyphens", ["edge:-threads=2"], 2, "edge:-threads=2: an option begins with -- (see --help)"],
  [
    "what sets a port",
    ["edge:--listen=0.0.0.0:80"],
    2,
    "edge:--listen=0.0.0.0:80: is not passed on: --http-port sets the port (see --help)",
  ],
  [
    "a broker's port",
    ["nats-server:--port=1"],
    2,
    "nats-server:--port=1: is not passed on: --nats-port sets the port (see --help)",
  ],
  [
    "a file of one program",
    ["metadata:--config=a.conf"],
    2,
    "metadata:--config=a.conf: is not passed on: --config DIR with DIR/metadata.conf does this (see --help)",
  ],
  ...[
    ["metadata", "--password", "--password"],
    ["edge", "--token", "--token"],
    ["nats-server", "--pass", "-pass"],
  ].map(([name, option, shown]) => [
    `a secret, which it does not repeat: ${name}:${option}`,
    [`${name}:${option}=geheim`],
    2,
    `${name}:${shown}: is not passed on: everybody sees the arguments of ./run; ` +
      `--config DIR with DIR/${name}.conf does this (see --help)`,
  ]),
  ["what ends a program", ["cdnurl:--help"], 2, "cdnurl:--help: cdnurl would end at once (see --help)"],
  ["no folder", ["--config", "/nonexistent"], 2, "--config: /nonexistent is no folder (see --help)"],
  [
    "an option that the program does not have",
    ["edge:--cors-orign=x"],
    1,
    "marquee-edge: unrecognised option '--cors-orign' (see --help)",
  ],
];

describe("./run refuses", { concurrency: 4 }, () => {
  const refused = (settings, code, line) =>
    withRunner(settings, async (runner) => {
      await runner.launch();
      assert.equal(await runner.ended(), code);
      assert.equal(runner.stderr, `run: ${line}\n`);
      assert.equal(runner.stdout, "");
    });
  for (const [what, options, code, line] of refusals) test(what, () => refused({ options }, code, line));

  test("a folder without files of its programs", () => {
    const folder = folderOf({});
    const line = `--config: ${folder} has no NAME.conf of ${names} (see --help)`;
    return refused({ options: ["--config", folder] }, 2, line);
  });
  test("a file with a mistake, before anything starts", () => {
    const folder = folderOf({ "reporting.conf": "# mine\ndedupe_window = 1h\n" });
    const why =
      "the name before the = is not one of an option: lower-case letters, digits and hyphens, without the two " +
      "hyphens of the command line";
    const line = `marquee-reporting: ${folder}/reporting.conf:2: ${why} (see --help)`;
    return refused({ options: ["--config", folder] }, 1, line);
  });
  test("TLS of the edge, which ./run asks over plain HTTP", () => {
    const folder = folderOf({ "edge.conf": "tls-cert = a.pem\ntls-key = b.pem\n" });
    const line = "the edge's settings name a tls-cert; ./run serves plain HTTP";
    return refused({ options: ["--config", folder] }, 1, line);
  });
  test("a broker's file with a mistake", async () => {
    const folder = folderOf({ "nats-server.conf": "max_payload: many\n" });
    await withRunner({ options: ["--config", folder] }, async (runner) => {
      await runner.launch();
      assert.equal(await runner.ended(), 1);
      assert.match(runner.stderr, /^run: nats-server: .*nats-server\.conf.*\n(run: stopping\n)?$/);
    });
  });
  test("options of a broker that is not started here", () =>
    refused(
      { options: ["nats-server:-D"], environment: { NATS_URL: "nats://127.0.0.1:1" } },
      2,
      "nats-server:… is for brokers started here, and NATS_URL names another (see --help)",
    ));
});
