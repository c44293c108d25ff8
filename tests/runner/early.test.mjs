// Programs that start while their cluster has no leader yet: requests to JetStream are refused or
// lost.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, test } from "node:test";
import { request } from "./support/broker.mjs";
import { eventually, freePorts, natsServer, newFolder, programs, source } from "./support/runner.mjs";

describe("a program that starts before its cluster has a leader", { concurrency: 2 }, () => {
  for (const name of ["metadata", "cdnurl"]) {
    test(`marquee-${name} serves once there is one`, async () => {
      const folder = newFolder();
      const first = await freePorts(6);
      const running = [];
      const launch = (program, ...words) => {
        const child = spawn("setpriv", ["--pdeathsig", "KILL", program, ...words], {
          stdio: ["ignore", "ignore", "pipe"],
        });
        child.stderr.setEncoding("utf8").on("data", (text) => (child.log = (child.log ?? "") + text));
        running.push(child);
        return child;
      };
      const broker = (i) => {
        const routes = [3, 4, 5].map((route) => `nats://127.0.0.1:${first + route}`);
        const cluster = ["--cluster_name", "test", "--cluster", routes[i], "--routes", routes.join(",")];
        const conf = join(source, "broker/nats-server/fast.conf");
        return launch(
          natsServer,
          "-c",
          conf,
          "-p",
          String(first + i),
          "-sd",
          join(folder, `${i}`),
          "--name",
          `nats-${i}`,
          ...cluster,
        );
      };
      try {
        const alone = broker(0);
        await eventually("the first broker listens", () => alone.log?.includes("Server is ready"));
        const service = launch(
          join(programs, `marquee-${name}`),
          "--server",
          `nats://127.0.0.1:${first}`,
          "--replicas",
          "3",
        );
        await eventually("the service has connected", () => service.log?.includes("broker link up"));
        for (const i of [1, 2]) {
          const joins = broker(i);
          await eventually(`broker ${i} listens`, () => joins.log?.includes("Listening for route connections"));
        }
        // Once in a while a server that was first alone hears nothing of the leader, for good.
        const knowsLeader = () => /new (JetStream cluster )?metadata leader/.test(alone.log);
        await eventually("the first broker has a leader", knowsLeader, 8_000).catch(async () => {
          alone.kill("SIGKILL");
          await once(alone, "exit");
          broker(0);
        });
        await eventually(
          () => `the service is ready:\n${service.log}`,
          () => service.log.includes(": ready") || service.exitCode !== null,
          40_000,
        );
        const logs = () =>
          running.map((each) =>
            each.log
              .split("\n")
              .filter((line) => !/Rout/.test(line))
              .slice(-20)
              .join("\n"),
          );
        assert.equal(service.exitCode, null, logs().join("\n\n"));
        const listed = await eventually(`${name} lists`, () => request(first, `${name}.list`));
        assert.deepEqual(
          listed.assets.map((each) => each.id),
          ["123", "456"],
        );
      } finally {
        running.forEach((child) => child.kill("SIGKILL"));
      }
    });
  }
});
