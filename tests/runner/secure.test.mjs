// ./run --secure: the whole system with a user for each program, and nobody else.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { eventually, newFolder, patience, programs, withRunner } from "./support/runner.mjs";

const run = promisify(execFile);

/** The options of marquee-replay as its user, or as another. */
const as = (runner, user, inbox = user) => [
  ...["--server", `nats://127.0.0.1:${runner.natsPort}`],
  ...["--nkey", join(runner.data, `nkeys/${user}.nk`), "--inbox-prefix", `_INBOX_${inbox}`],
];

function replay(runner, options, lines) {
  const file = join(runner.data, "events.ndjson");
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return run(join(programs, "marquee-replay"), [file, "--restart", ...options], { timeout: patience });
}

/** A play that is answered; a machine that is slow may leave its counts out. */
async function plays(runner, asset, user, options) {
  const { status, json } = await runner.play(asset, user, options);
  assert.equal(status, 200, JSON.stringify(json));
  return json;
}

function counts(runner, asset, views, options) {
  return eventually(`${asset} has ${views} views`, async () => {
    const { json } = await runner.call("GET", `/events/asset/${encodeURIComponent(asset)}`, options);
    return json.views === views;
  });
}

/** Asserts that no program of a ./run attempted what its user may not do. */
function assertNoViolation(runner) {
  const logs = readdirSync(join(runner.data, "log")).filter((name) => /^(nats-server|marquee).*\.log$/.test(name));
  assert.ok(logs.length > 4);
  for (const name of logs)
    assert.doesNotMatch(readFileSync(join(runner.data, "log", name), "utf8"), /violation|not permitted/i, name);
}

/** What a connection that sends `text` gets until it is closed. */
async function conversation(port, text) {
  const socket = connect(port, "127.0.0.1");
  let seen = "";
  socket.setEncoding("latin1").on("data", (more) => (seen += more));
  socket.write(text);
  await Promise.race([once(socket, "close"), once(socket, "error")]);
  return seen;
}

const anonymous = 'CONNECT {"verbose":false,"lang":"test","version":"0"}\r\nPING\r\n';

test("./run --secure: plays, changes, lists, a replay and a rebuild, each as its user", async () => {
  await withRunner({ options: ["--secure"] }, async (runner) => {
    await runner.start();
    assert.equal(
      runner.stdout,
      `ready: http://127.0.0.1:${runner.httpPort} (NATS nats://127.0.0.1:${runner.natsPort})\n`,
    );
    const nkeys = join(runner.data, "nkeys");
    assert.ok(runner.stderr.includes(`run: seeds: ${nkeys}; nats --context '${nkeys}/operator.json' micro ls\n`));
    for (const user of ["operator", "viewer", "replay", "system"]) {
      const context = JSON.parse(readFileSync(join(nkeys, `${user}.json`), "utf8"));
      const [nkey, url] = [join(nkeys, `${user}.nk`), `nats://127.0.0.1:${runner.natsPort}`];
      assert.deepEqual(context, { url, nkey, inbox_prefix: `_INBOX_${user}` });
    }
    assert.match(await conversation(runner.natsPort, anonymous), /-ERR 'Authorization Violation'/);

    await plays(runner, 456, 8);
    const key = { headers: { "idempotency-key": '"my-first-click"' } };
    for (let i = 0; i < 2; i++) await plays(runner, 123, 1, key);
    await counts(runner, 456, 1);
    await counts(runner, 123, 1);

    const token = readFileSync(join(runner.data, "admin-token"), "utf8").trim();
    const admin = (body) => ({
      headers: { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) },
      body: body && JSON.stringify(body),
    });
    const record = { title: "Alien", genre: "horror", summary: "In space" };
    assert.equal((await runner.call("POST", "/content/asset/789", admin(record))).status, 200);
    assert.equal((await runner.call("POST", "/url/asset/789", admin({ url: "path" }))).status, 200);
    assert.equal((await plays(runner, 789, 1)).title, "Alien");
    for (const [path, options] of [
      ["/content/assets", {}],
      ["/url/assets", admin()],
    ])
      assert.deepEqual(
        (await runner.call("GET", path, options)).json.assets.map(({ id }) => id),
        ["123", "456", "789"],
      );
    for (const path of ["/content/asset/789", "/url/asset/789"])
      assert.equal((await runner.call("DELETE", path, admin())).status, 200);
    assert.equal((await runner.play(789, 1)).status, 404);
    await eventually("it is ready", async () => (await runner.call("GET", "/readyz")).status === 200);
    await eventually("the edge sees the services", async () => {
      const { services } = (await runner.call("GET", "/services")).json;
      return services.length === 3;
    });

    const titles = join(runner.data, "titles.ndjson");
    const imported = ["--ignore", "views", "--delete-missing", "--yes"];
    for (const [program, options] of Object.entries({ export: ["--views"], import: imported }))
      await run(join(programs, `marquee-${program}`), [titles, ...options, ...as(runner, "operator")], {
        timeout: patience,
      });
    const { stdout } = await replay(runner, as(runner, "replay"), ["123:1", "123:2"]);
    assert.match(stdout, /^acknowledged 2, /);
    await counts(runner, 123, 3);
    // So many that JetStream waits for the reader's word that it keeps up.
    const zipf = await run(join(programs, "marquee-replay-zipf"), ["--plays", "20000", "--assets", "1"], {
      maxBuffer: 1 << 24,
    });
    const many = zipf.stdout.trimEnd().split("\n").map(JSON.parse);
    const replayed = await replay(runner, [...as(runner, "replay"), "--batch", "200"], many);
    assert.match(replayed.stdout, /^acknowledged 20000, /);
    await counts(runner, many[0].asset, 20_000);
    assertNoViolation(runner);
    await assert.rejects(replay(runner, [...as(runner, "viewer"), "--timeout", "3"], ["123:1"]), ({ code, stderr }) => {
      return code === 1 && stderr.includes('Permissions Violation for Publish to \\"events\\"');
    });

    assert.equal(await runner.stop(), 0);
    const seeds = readFileSync(join(runner.data, "nkeys/edge.nk"), "utf8");
    runner.options = ["--secure", "--rebuild"];
    await runner.start();
    await eventually("the counts are swapped", () => existsSync(join(runner.data, "reporting.db.old")));
    await counts(runner, 123, 3);
    await counts(runner, many[0].asset, 20_000);
    assert.equal(readFileSync(join(runner.data, "nkeys/edge.nk"), "utf8"), seeds);
    assertNoViolation(runner);
  });
});

test("./run --secure makes a new seed where one was removed, and strict durability is kept", async () => {
  await withRunner({ options: ["--secure", "--durability", "strict"] }, async (runner) => {
    await runner.start();
    await plays(runner, 123, 1);
    assert.equal(await runner.stop(), 0);
    const file = join(runner.data, "nkeys/edge.nk");
    const old = readFileSync(file, "utf8");
    rmSync(file);
    await runner.start();
    assert.notEqual(readFileSync(file, "utf8"), old);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    await plays(runner, 123, 1);
    await counts(runner, 123, 2);
    assert.match(readFileSync(join(runner.data, "broker/nats-server.conf"), "utf8"), /sync_interval: always/);
    assertNoViolation(runner);
    assert.equal(await runner.stop(), 0);

    writeFileSync(file, "SUAM\n");
    await runner.launch();
    assert.equal(await runner.ended(), 1);
    assert.equal(runner.stderr, `run: ${file} holds no user seed; where it is removed, a new one is made\n`);
  });
});

test("./run --cluster --secure: two of each, and no server joins without the password", async () => {
  await withRunner({ options: ["--cluster", "--secure"] }, async (runner) => {
    await runner.start();
    for (const edge of [0, 1]) await plays(runner, 456, "who@example.org", { edge });
    for (const edge of [0, 1]) await counts(runner, 456, 2, { edge });
    for (const port of [3, 4, 5].map((n) => runner.natsPort + n))
      assert.match(await conversation(port, anonymous), /-ERR 'Authorization Violation'/);
    const words = runner.processes().flatMap((each) => each.words);
    const password = readFileSync(join(runner.data, "broker/nats-server-1.conf"), "utf8").match(/password: "(\w+)"/)[1];
    assert.ok(!words.some((word) => word.includes(password)));
    assertNoViolation(runner);
  });
});

describe("./run --secure refuses", () => {
  for (const [what, folder, options, how] of [
    ["a data folder that was filled without it", "nats", ["--secure"], "without"],
    ["to go on without it", "nkeys", [], "with"],
  ])
    test(what, async () => {
      const data = newFolder();
      mkdirSync(join(data, folder));
      await withRunner({ data, options }, async (runner) => {
        await runner.launch();
        assert.equal(await runner.ended(), 1);
        assert.equal(
          runner.stderr,
          `run: the data folder ${data} was filled ${how} --secure (--data chooses another)\n`,
        );
      });
    });

  test("a broker that NATS_URL names", () =>
    withRunner({ options: ["--secure"], environment: { NATS_URL: "nats://127.0.0.1:1" } }, async (runner) => {
      await runner.launch();
      assert.equal(await runner.ended(), 2);
      assert.equal(
        runner.stderr,
        "run: --secure is for brokers started here, and NATS_URL names another (see --help)\n",
      );
    }));

  test("settings of the broker, which could allow what it does not", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "nats-server.conf"), "no_auth_user: somebody\n");
    for (const [options, what] of [
      [["--config", folder], `${folder}/nats-server.conf`],
      [["nats-server:--user=somebody"], "nats-server:…"],
    ])
      await withRunner({ options: ["--secure", ...options] }, async (runner) => {
        await runner.launch();
        assert.equal(await runner.ended(), 2);
        assert.equal(runner.stderr, `run: ${what} is not for --secure, which decides who may do what (see --help)\n`);
      });
  });
});
