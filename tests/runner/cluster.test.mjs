// ./run --cluster: any process may be killed at any time, and plays are still answered and counted.
import assert from "node:assert/strict";
import { readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { request, storedLines, streamInfo } from "./support/broker.mjs";
import { eventually, newFolder, programs, Runner, withRunner } from "./support/runner.mjs";
import { Audience } from "./support/viewer.mjs";

const kinds = {
  "nats-server": 3,
  "marquee-metadata": 2,
  "marquee-cdnurl": 2,
  "marquee-reporting": 2,
  "marquee-edge": 2,
};
const brokerPorts = (runner) => [0, 1, 2].map((i) => runner.natsPort + i);

/** The value of an option on the command line of a process. */
const option = (each, name) => each.words[each.words.indexOf(name) + 1];
const edgeOf = (runner, each) =>
  each.name === "marquee-edge" ? Number(option(each, "--listen").split(":")[1]) - runner.httpPort : undefined;

async function isHealthy(runner) {
  for (const stream of ["EVENTS", "KV_metadata", "KV_cdnurl"]) {
    const info = await streamInfo(brokerPorts(runner), stream);
    if (info?.cluster.replicas?.length !== 2) return false;
    if (!info.cluster.replicas.every((each) => each.current && !each.offline)) return false;
  }
  return true;
}

/** Sends a play, which may be counted whatever the answer says. */
async function isAnswered(runner, edge, audience) {
  audience.assets[123].attempted++;
  const answer = await runner.play(123, "somebody", { edge }).catch(() => undefined);
  return answer?.status === 200 && !answer.json.degraded;
}

describe("./run --cluster", () => {
  const runner = new Runner({ options: ["--cluster"] });
  before(() => runner.start());
  after(() => runner.discard());

  test("names both edges and all brokers in its one line", () => {
    const edges = [0, 1].map((i) => ` http://127.0.0.1:${runner.httpPort + i}`).join("");
    const brokers = brokerPorts(runner)
      .map((port) => `nats://127.0.0.1:${port}`)
      .join(",");
    assert.equal(runner.stdout, `ready:${edges} (NATS ${brokers})\n`);
  });

  test("runs three brokers, and two of each service and of the edge", () => {
    const running = {};
    for (const { name } of runner.programs()) running[name] = (running[name] ?? 0) + 1;
    assert.deepEqual(running, kinds);
  });

  test("keeps three copies of all state", async () => {
    for (const stream of ["EVENTS", "KV_metadata", "KV_cdnurl"]) {
      const info = await eventually(`${stream} has a leader`, () => streamInfo(brokerPorts(runner), stream));
      assert.equal(info.config.num_replicas, 3);
    }
  });

  test("says a monitoring port of each broker, and writes one context for all", async () => {
    const [, monitors] = runner.stderr.match(/^run: monitoring: (.*)$/m);
    const varz = async (url) => (await fetch(`${url}/varz`)).json();
    const all = await Promise.all(monitors.split(" ").map(varz));
    assert.deepEqual(
      all.map(({ server_name: name }) => name),
      ["nats-1", "nats-2", "nats-3"],
    );
    const { url, user, password } = JSON.parse(readFileSync(join(runner.data, "nats-context.json"), "utf8"));
    assert.deepEqual(
      url.split(",").map((each) => Number(new URL(each.replace("nats:", "http:")).port)),
      brokerPorts(runner),
    );
    const answer = await request(brokerPorts(runner)[0], "$SYS.REQ.SERVER.PING", "", 20_000, { user, pass: password });
    assert.match(answer.server.name, /^nats-[123]$/);
  });

  test(
    "answers plays and counts them exactly while each process in turn is killed",
    { timeout: 300_000 },
    async (t) => {
      await eventually("all copies are current", () => isHealthy(runner));
      const dead = new Set();
      const audience = new Audience(runner, (edge) => dead.has(edge));
      try {
        for (const victim of await inTurn(runner)) {
          const edge = edgeOf(runner, victim);
          if (edge !== undefined) dead.add(edge);
          const started = Date.now();
          process.kill(victim.pid, "SIGKILL");
          await eventually(`the other edge answers without ${victim.name}`, () =>
            isAnswered(runner, edge === 0 ? 1 : 0, audience),
          );
          const answered = Date.now() - started;
          await eventually(`${victim.name} runs again`, () => {
            const now = runner.programs(victim.name);
            return now.length === kinds[victim.name] && now.every((each) => each.pid !== victim.pid);
          });
          for (const each of [0, 1]) await eventually(`edge ${each} answers`, () => isAnswered(runner, each, audience));
          await eventually("all copies are current", () => isHealthy(runner));
          dead.clear();
          t.diagnostic(
            `${victim.name}${victim.role ?? ""} killed: answered after ${answered} ms, ` +
              `whole after ${Date.now() - started} ms`,
          );
          assert.equal(runner.code, undefined, runner.stderr);
          assert.deepEqual(audience.wrong, []);
        }
      } finally {
        await audience.leave();
      }
      t.diagnostic(`in place of full answers: ${JSON.stringify(audience.outages)}`);
      assert.deepEqual(audience.wrong, []);
      await countsAreExact(runner, audience, t);
    },
  );

  test("logs each restart", () => {
    for (const [name, count] of Object.entries(kinds))
      for (let i = 1; i <= count; i++)
        assert.match(runner.stderr, new RegExp(`^run: ${name}-${i} ended \\(exit 137\\), it is started again: `, "m"));
  });

  test("keeps its counts over a restart, and stops in order", async () => {
    const views = async () => (await runner.call("GET", "/events/top")).text;
    const before = await views();
    assert.equal(await runner.stop(), 0);
    await runner.start();
    for (const edge of [0, 1]) assert.equal((await runner.call("GET", "/events/top", { edge })).text, before);
    assert.equal(await runner.stop("SIGINT"), 0);
  });
});

/** All programs, first the broker that leads EVENTS. */
async function inTurn(runner) {
  const info = await eventually("EVENTS has a leader", () => streamInfo(brokerPorts(runner), "EVENTS"));
  const isLeader = (each) => each.name === "nats-server" && option(each, "--name") === info.cluster.leader;
  const all = runner.programs();
  const leader = all.find(isLeader);
  assert.ok(leader, `${info.cluster.leader} is one of ours`);
  leader.role = ", leader of EVENTS,";
  return [leader, ...all.filter((each) => each !== leader)];
}

async function viewsOf(runner, kind, id, edge) {
  const { status, json } = await runner.call("GET", `/events/${kind}/${id}`, { edge });
  assert.ok(status === 200 || status === 404, `${status} ${JSON.stringify(json)}`);
  return status === 200 ? json.views : 0;
}

/** Compares with the stream: its number of events, one a line, is the sum of the counts. */
async function countsAreExact(runner, audience, t) {
  const { state } = await streamInfo(brokerPorts(runner), "EVENTS");
  const events = await storedLines(brokerPorts(runner)[0], "EVENTS", state.messages);
  const { users } = audience;
  const probes = { somebody: await viewsOf(runner, "user", "somebody", 0) };
  let acknowledged = 0;
  for (const edge of [0, 1]) {
    let sum = 0;
    for (const [user, counter] of Object.entries(users)) {
      const views = await viewsOf(runner, "user", user, edge);
      assert.ok(
        counter.acknowledged <= views && views <= counter.attempted,
        `${user}: ${counter.acknowledged} <= ${views} <= ${counter.attempted}`,
      );
      sum += views;
    }
    const assets = (await viewsOf(runner, "asset", 123, edge)) + (await viewsOf(runner, "asset", 456, edge));
    assert.equal(sum + probes.somebody, assets);
    assert.equal(assets, events);
    acknowledged = Object.values(users).reduce((all, counter) => all + counter.acknowledged, 0);
    t.diagnostic(`edge ${edge}: ${sum} counted, ${acknowledged} acknowledged`);
  }
  assert.ok(acknowledged > 0);
}

test("with --cluster, a step-down of EVENTS' leader loses no view, and leaves hardly one unconfirmed", async (t) => {
  const viewers = 16;
  const stepDowns = 3;
  await withRunner({ options: ["--cluster"] }, async (runner) => {
    await runner.start();
    const audience = new Audience(runner, () => false, viewers / 2);
    const seeMore = async () => {
      const enough = audience.acknowledged + 300;
      await eventually("300 more plays are stored", () => audience.acknowledged >= enough);
    };
    try {
      for (let i = 0; i < stepDowns; i++) {
        await seeMore();
        await eventually("all copies are current", () => isHealthy(runner));
        await eventually("the leader steps down", async () => {
          const answer = await request(brokerPorts(runner)[0], "$JS.API.STREAM.LEADER.STEPDOWN.EVENTS");
          return answer?.success;
        });
      }
      await seeMore();
    } finally {
      await audience.leave();
    }
    t.diagnostic(
      `${audience.acknowledged} plays stored; in place of full answers: ${JSON.stringify(audience.outages)}`,
    );
    assert.deepEqual(audience.wrong, []);
    // A play waits for a leader for half a second. Where that is too short, it fails once for each
    // viewer.
    const unconfirmed = Object.entries(audience.outages).filter(([kind]) => kind !== "reporting");
    const count = unconfirmed.reduce((all, [, each]) => all + each, 0);
    assert.ok(count <= viewers * stepDowns, `${count} views are not known to be stored`);
    const top = await eventually("all is counted", async () => {
      const { json } = await runner.call("GET", "/events/top");
      const views = json.assets.reduce((all, each) => all + each.views, 0);
      return views >= audience.acknowledged && views;
    });
    assert.ok(top <= audience.assets[123].attempted + audience.assets[456].attempted);
  });
});

test("with --cluster, a program that ends repeatedly is given up: one line, no process left", async () => {
  const bin = newFolder();
  for (const name of Object.keys(kinds).slice(1)) symlinkSync(join(programs, name), join(bin, name));
  await withRunner({ options: ["--cluster"], bin }, async (runner) => {
    await runner.start();
    rmSync(join(bin, "marquee-cdnurl"));
    process.kill(runner.programs("marquee-cdnurl")[0].pid, "SIGKILL");
    assert.equal(await runner.ended(), 1);
    assert.match(
      runner.stderr,
      /\nrun: marquee-cdnurl-1 ended five times in a row \(exit 127\): .*No such file or directory\nrun: stopping\n$/,
    );
  });
});
