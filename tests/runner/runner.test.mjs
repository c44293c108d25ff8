// ./run from start to end, as a user sees it: messages, answers, and that no process is left.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  eventually,
  freePorts,
  listen,
  natsServer,
  newFolder,
  programs,
  Runner,
  withRunner,
} from "./support/runner.mjs";

const mode = (file) => (statSync(file).mode & 0o777).toString(8);
const names = ["nats-server", "marquee-metadata", "marquee-cdnurl", "marquee-reporting", "marquee-edge"];

/** Lines of every start and stop. */
const usual = /^run: (stopping|(brokers|monitoring|admin token|page): .*)\n/gm;
const complaint = (runner) => runner.stderr.replace(usual, "");

describe("a ./run that is ready", () => {
  const runner = new Runner();
  before(() => runner.start());
  after(() => runner.discard());

  test("says so in one line on stdout", () => {
    assert.equal(
      runner.stdout,
      `ready: http://127.0.0.1:${runner.httpPort} (NATS nats://127.0.0.1:${runner.natsPort})\n`,
    );
  });

  test("runs one process of each program", () => {
    assert.deepEqual(
      runner
        .programs()
        .map((each) => each.name)
        .sort(),
      [...names].sort(),
    );
  });

  test("answers the first play", async () => {
    const { status, json } = await runner.play(456, 8);
    assert.equal(status, 200);
    assert.deepEqual([json.title, json.userviews, json.assetviews], ["Terminator", 1, 1]);
  });

  test("keeps its admin token and its data private to its user", async () => {
    assert.equal(mode(runner.data), "700");
    assert.equal(mode(join(runner.data, "admin-token")), "600");
    assert.equal(mode(join(runner.data, "reporting.db")), "600");
  });

  test("prints how the admin token is used, which works, and does not print the token", async () => {
    const token = readFileSync(join(runner.data, "admin-token"), "utf8").trim();
    const hint = runner.stderr.match(/^run: admin token: (curl .*)$/m)[1];
    assert.ok(!runner.stderr.includes(token));
    const urls = JSON.parse(
      execFileSync("bash", ["-c", hint.replace("curl", "curl -sf --noproxy '*'")], { encoding: "utf8" }),
    );
    assert.deepEqual(
      urls.assets.map((each) => each.id),
      ["123", "456"],
    );
  });

  test("prints the page's address, where there is a page", async () => {
    const [, page] = runner.stderr.match(/^run: page: (http:.*)$/m);
    const answer = await fetch(page);
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /^<!doctype html>/);
  });

  test("locks its data folder", async () => {
    await withRunner({ data: runner.data }, async (second) => {
      await second.launch();
      assert.equal(await second.ended(), 1);
      assert.equal(second.stderr, `run: the data folder ${runner.data} is in use by another ./run\n`);
    });
    assert.equal((await runner.call("GET", "/events/user/8")).status, 200);
  });
});

test("with --print-server it tells which nats-server it would start, and does nothing", async () => {
  await withRunner({ options: ["--print-server"] }, async (runner) => {
    await runner.launch();
    assert.equal(await runner.ended(), 0);
    assert.equal(runner.stdout, `${natsServer}\n`);
    assert.ok(!existsSync(runner.data));
  });
});

test("with --no-demo a new store is empty", async () => {
  await withRunner({ options: ["--no-demo"] }, async (runner) => {
    await runner.start();
    const { status, json } = await runner.call("GET", "/content/assets");
    assert.equal(status, 200);
    assert.deepEqual(json.assets, []);
    assert.equal((await runner.call("GET", "/content/asset/123")).status, 404);
  });
});

test("with --rebuild the stream is counted again and the old counts are kept", async () => {
  await withRunner({}, async (runner) => {
    await runner.start();
    await runner.play(123, 7);
    assert.equal(await runner.stop(), 0);
    runner.options = ["--rebuild", "--accept-loss"];
    await runner.start();
    await eventually("the counts are swapped", () => existsSync(join(runner.data, "reporting.db.old")));
    await eventually("a play is answered with counts", async () => {
      const { json } = await runner.play(123, 7);
      return json.userviews > 1 && json.userviews === json.assetviews;
    });
  });
});

// What is wrong, and the one line that ./run prints. A setting may be a function of the runner,
// called when its ports are known.
const refusals = [
  ["an unknown option", { options: ["--port", "1"] }, 2, "unknown option --port (see --help)"],
  ["a word that is no option", { options: ["now"] }, 2, "unknown option now (see --help)"],
  ["an option without its value", { options: ["--durability"] }, 2, "--durability needs a value (see --help)"],
  ["port 0", { options: ["--http-port=0"] }, 2, "--http-port: a port is a number from 1 to 65535 (see --help)"],
  [
    "port 65536",
    { options: ["--nats-port", "65536"] },
    2,
    "--nats-port: a port is a number from 1 to 65535 (see --help)",
  ],
  [
    "a port that is no number",
    { options: ["--nats-port", "x"] },
    2,
    "--nats-port: a port is a number from 1 to 65535 (see --help)",
  ],
  ["an empty data folder name", { options: ["--data="] }, 2, "--data needs a folder (see --help)"],
  ["an unknown scheduling", { options: ["--scheduling=idle"] }, 2, "--scheduling: batch or other (see --help)"],
  ["an unknown durability", { options: ["--durability=none"] }, 2, "--durability: fast or strict (see --help)"],
  [
    "one port for both",
    { options: ["--http-port=4000", "--nats-port=4000"] },
    2,
    "--http-port and --nats-port are the same (see --help)",
  ],
  [
    "strict durability of an external broker",
    { options: ["--durability", "strict"], environment: { NATS_URL: "nats://127.0.0.1:1" } },
    2,
    "--durability strict is for a broker started here, and NATS_URL names another (see --help)",
  ],
  [
    "a cluster of an external broker",
    { options: ["--cluster"], environment: { NATS_URL: "nats://127.0.0.1:1" } },
    2,
    "--cluster is for brokers started here, and NATS_URL names another (see --help)",
  ],
  [
    "a cluster without room for its edges",
    { options: ["--cluster", "--http-port=65535"] },
    2,
    "--http-port: --cluster needs the port after it too (see --help)",
  ],
  [
    "a cluster without room for its brokers",
    { options: ["--cluster", "--nats-port=65531"] },
    2,
    "--nats-port: --cluster needs the five ports after it too (see --help)",
  ],
  [
    "a cluster whose ports overlap",
    { options: ["--cluster", "--http-port=4227"], natsPort: 4222 },
    2,
    "--http-port and --nats-port are the same, or too near each other (see --help)",
  ],
  ["a data folder that cannot be made", { data: "/proc/marquee" }, 1, "cannot write in the data folder /proc/marquee"],
  [
    "no broker at NATS_URL",
    { environment: { NATS_URL: "nats://me:secret@127.0.0.1:1" } },
    1,
    "no broker answers at nats://127.0.0.1:1",
  ],
];

describe("./run refuses", { concurrency: 4 }, () => {
  for (const [what, settings, code, line] of refusals) {
    test(what, () =>
      withRunner(settings, async (runner) => {
        await runner.launch();
        assert.equal(await runner.ended(), code);
        assert.equal(runner.stderr, `run: ${line}\n`);
        assert.equal(runner.stdout, "");
      }),
    );
  }

  // Which port is taken: by its distance from the first one.
  for (const [option, distance, options] of [
    ["http", 0, []],
    ["nats", 0, []],
    ["http", 1, ["--cluster"]],
    ["nats", 5, ["--cluster"]],
  ]) {
    test(`a taken ${option} port, ${["./run", ...options].join(" ")}, ${distance} after the first`, async () => {
      const ports = { http: await freePorts(2), nats: await freePorts(6) };
      const taken = ports[option] + distance;
      const other = await listen(taken);
      try {
        await withRunner({ httpPort: ports.http, natsPort: ports.nats, options }, async (runner) => {
          await runner.launch();
          assert.equal(await runner.ended(), 1);
          assert.equal(runner.stderr, `run: port ${taken} is taken (--${option}-port chooses another)\n`);
        });
      } finally {
        other.close();
      }
    });
  }

  test("a NATS_SERVER that is no nats-server", () =>
    withRunner({ environment: { NATS_SERVER: "/bin/false" } }, async (runner) => {
      await runner.launch();
      assert.equal(await runner.ended(), 1);
      assert.equal(runner.stderr, "nats-server: NATS_SERVER is /bin/false, which is no nats-server that runs\n");
    }));

  for (const [store, options, how] of [
    ["nats", ["--cluster"], "without"],
    ["nats-1", [], "with"],
  ]) {
    test(`a data folder that was filled ${how} --cluster`, async () => {
      const data = newFolder();
      mkdirSync(join(data, store));
      await withRunner({ data, options }, async (runner) => {
        await runner.launch();
        assert.equal(await runner.ended(), 1);
        assert.equal(
          runner.stderr,
          `run: the data folder ${data} was filled ${how} --cluster (--data chooses another)\n`,
        );
      });
    });
  }
});

/** A folder with all programs but one. */
function programsWithout(missing) {
  const folder = newFolder();
  for (const name of names.slice(1)) if (name !== missing) symlinkSync(join(programs, name), join(folder, name));
  return folder;
}

describe("./run ends with one line and leaves no process when", { concurrency: 3 }, () => {
  test("a program is missing", () =>
    withRunner({ bin: programsWithout("marquee-cdnurl") }, async (runner) => {
      await runner.launch();
      assert.equal(await runner.ended(), 1);
      assert.match(
        complaint(runner),
        /^run: marquee-cdnurl ended \(exit 127\): .*marquee-cdnurl: No such file or directory\n$/,
      );
      assert.equal(runner.stdout, "");
    }));

  test("a program does not start", () => {
    const bin = programsWithout("marquee-reporting");
    writeFileSync(join(bin, "marquee-reporting"), "#!/bin/sh\necho the disk is full >&2\nexit 3\n", { mode: 0o755 });
    return withRunner({ bin }, async (runner) => {
      await runner.launch();
      assert.equal(await runner.ended(), 1);
      assert.equal(complaint(runner), "run: marquee-reporting ended (exit 3): the disk is full\n");
    });
  });

  for (const name of names) {
    test(`${name} dies`, () =>
      withRunner({}, async (runner) => {
        await runner.start();
        process.kill(runner.programs(name)[0].pid, "SIGKILL");
        assert.equal(await runner.ended(), 1);
        assert.match(complaint(runner), new RegExp(`^run: ${name} ended \\(exit 137\\): [^\\n]*\\n$`));
      }));
  }

  test("a program does not stop: it is killed, and the exit code says so", () =>
    withRunner({}, async (runner) => {
      await runner.start();
      process.kill(runner.programs("marquee-metadata")[0].pid, "SIGSTOP");
      assert.equal(await runner.stop(), 1);
      assert.match(runner.stderr, /^run: stopping\nrun: marquee-metadata did not stop in 15 s, killed\n$/m);
    }));
});

/** When a program logged this: 2026-01-31T09:30:00.123Z, or [1234] 2026/01/31 09:30:00.123456, in milliseconds. */
function timeOf(runner, name, text) {
  const log = runner.log(name);
  const line = log.split("\n").find((each) => each.includes(text));
  const [, year, month, day, time] = line?.match(/^(?:\[\d+\] )?(\d+)[-/](\d+)[-/](\d+)[T ]([\d:]+\.\d{3})/) ?? [];
  assert.ok(time, `"${text}" in\n${log}`);
  return Date.parse(`${year}-${month}-${day}T${time}Z`);
}

describe("./run stops everything in order", { concurrency: 3 }, () => {
  const signals = {
    SIGTERM: (runner) => runner.child.kill("SIGTERM"),
    "SIGINT to all of its group, as a terminal's Ctrl-C is": (runner) => process.kill(-runner.child.pid, "SIGINT"),
    SIGHUP: (runner) => runner.child.kill("SIGHUP"),
  };
  for (const [what, send] of Object.entries(signals)) {
    test(`on ${what}`, () =>
      withRunner({ environment: { TZ: "UTC" } }, async (runner) => {
        await runner.start();
        assert.equal((await runner.play(123, 1)).status, 200);
        send(runner);
        assert.equal(await runner.ended(), 0);
        assert.ok(runner.stderr.endsWith("\nrun: stopping\n"), runner.stderr);
        const services = ["marquee-reporting", "marquee-cdnurl", "marquee-metadata"];
        const times = [
          timeOf(runner, "marquee-edge", " stopped"),
          ...services.map((name) => timeOf(runner, name, " stopping")),
        ];
        times.push(timeOf(runner, "nats-server", "Initiating Shutdown"));
        assert.deepEqual(
          times,
          [...times].sort((a, b) => a - b),
        );
      }));
  }

  for (const started of ["nats-server", "marquee-edge"]) {
    test(`on SIGTERM while it starts and ${started} runs already`, () =>
      withRunner({}, async (runner) => {
        await runner.launch();
        await eventually(`${started} runs`, () => runner.programs(started).length > 0 || runner.code !== undefined);
        assert.equal(await runner.stop(), 0, runner.stderr);
      }));
  }

  test("even when it is killed itself: no process is left", () =>
    withRunner({}, async (runner) => {
      await runner.start();
      assert.equal(await runner.stop("SIGKILL"), "SIGKILL");
    }));
});

describe("./run starts all programs", () => {
  for (const [options, policy] of [
    [[], "3"], // SCHED_BATCH
    [["--scheduling", "other"], "0"],
  ])
    test(`with scheduling policy ${policy} (${options.join(" ") || "no option"})`, () =>
      withRunner({ options }, async (runner) => {
        await runner.start();
        const stats = runner.programs().map(({ pid }) => readFileSync(`/proc/${pid}/stat`, "utf8"));
        // Field 41 of proc(5); what follows the name in parentheses begins with field 3.
        const policies = stats.map((text) => text.slice(text.lastIndexOf(")") + 2).split(" ")[41 - 3]);
        assert.deepEqual(policies, Array(5).fill(policy));
      }));
});

describe("./run keeps", { concurrency: 2 }, () => {
  for (const durability of ["fast", "strict"]) {
    test(`views, changes and its admin token over a restart (--durability ${durability})`, async () => {
      await withRunner({ options: ["--durability", durability] }, async (runner) => {
        await runner.start();
        const sync = durability === "strict" ? "strict.conf" : "fast.conf";
        assert.ok(runner.programs("nats-server")[0].words.some((word) => word.endsWith(sync)));
        const token = readFileSync(join(runner.data, "admin-token"), "utf8");
        const headers = { authorization: `Bearer ${token.trim()}` };
        assert.equal((await runner.call("DELETE", "/content/asset/456", { headers })).status, 200);
        assert.equal((await runner.play(123, "who@example.org")).json.assetviews, 1);
        assert.equal(await runner.stop(), 0);

        await runner.start();
        assert.equal(readFileSync(join(runner.data, "admin-token"), "utf8"), token);
        assert.equal((await runner.call("GET", "/content/asset/456")).status, 404);
        const { json } = await runner.play(123, "who@example.org");
        assert.deepEqual([json.userviews, json.assetviews], [2, 2]);
      });
    });
  }
});

describe("with NATS_URL set", () => {
  const folder = newFolder();
  let broker;
  let port;
  before(async () => {
    port = await freePorts();
    writeFileSync(
      join(folder, "conf"),
      `host: 127.0.0.1\nport: ${port}\njetstream { store_dir: "${folder}/store" }\n` +
        `authorization { users: [{ user: me, password: "top-secret" }] }\n`,
    );
    broker = spawn("setpriv", ["--pdeathsig", "KILL", natsServer, "-c", join(folder, "conf")], { stdio: "ignore" });
  });
  after(() => broker.kill("SIGKILL"));

  test("./run uses that broker, starts and stops none, and shows no secret", () =>
    withRunner({ environment: { NATS_URL: `nats://me:top-secret@127.0.0.1:${port}` } }, async (runner) => {
      await runner.start();
      assert.equal(runner.stdout, `ready: http://127.0.0.1:${runner.httpPort} (NATS nats://127.0.0.1:${port})\n`);
      assert.deepEqual(runner.programs("nats-server"), []);
      assert.equal((await runner.play(123, 1)).json.userviews, 1);
      const seen = runner.stdout + runner.stderr + JSON.stringify(runner.processes());
      const logs = names
        .slice(1)
        .map((name) => runner.log(name))
        .join("");
      assert.doesNotMatch(seen + logs, /top-secret/);
      assert.equal(await runner.stop(), 0);
      assert.equal(broker.exitCode, null);
    }));
});
