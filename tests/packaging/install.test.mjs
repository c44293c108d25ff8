// The packages in a bare Debian: installed under a lower version, started as their units say,
// upgraded, removed, purged. systemd does not run there; where it matters a fake one notes what it
// is told.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, copyFileSync, cpSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { statSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { blocksOfKind } from "../runner/support/pages.mjs";
import { cook, impossible, kitchen } from "../runner/support/recipe.mjs";
import { eventually, freePorts, natsServer, newFolder, patience } from "../runner/support/runner.mjs";
import { Machine } from "./support/machine.mjs";
import { makePackages } from "./support/packages.mjs";
import { Unit } from "./support/unit.mjs";

const skip = process.getuid() === 0 ? false : "needs root";
const limit = { timeout: 1_500_000 };

/** Whether somebody listens on a port of 127.0.0.1. */
const accepts = (port) =>
  new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => done(true)).once("error", () => done(false));
    socket.once("connect", () => socket.destroy());
  });

describe("packages in a bare Debian", { skip }, () => {
  const services = ["edge", "metadata", "cdnurl", "reporting"];
  const seeds = newFolder(); // of the secured system, for the units
  let machine, packages, older, listing, port, broker, units;

  const at = (path, options = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(patience), ...options });
  /** Plays, and waits until this user's plays are so many. */
  const play = async (count) => {
    assert.equal((await at("/play/asset/123/user/42", { method: "POST" })).status, 200);
    const counted = async () => (await (await at("/events/user/42")).json()).views === count;
    await eventually(`${count} views are counted`, counted);
  };
  const start = async (reporting = "reporting@1") => {
    units = [];
    for (const name of ["metadata@1", "cdnurl@1", reporting, `edge@${port}`]) {
      units.unshift(new Unit(machine, `marquee-${name}.service`));
      await units[0].start();
    }
    // reporting serves once it has caught up; the edge looks twice a second.
    await eventually("the edge is ready", async () => (await (await at("/readyz")).json()).status === "ready");
  };
  const stop = async () => {
    for (const unit of units) assert.equal(await unit.stop(), 0, unit.output);
  };
  const database = () => readFileSync(machine.path("var/lib/marquee-reporting/1/reporting.db"));

  /** What systemctl is told while something is done; it answers as the cases of sh say. */
  const underSystemd = async (answers, act) => {
    const script = `#!/bin/sh\necho "$*" >>/tmp/systemctl\ncase "$*" in ${answers} esac\n`;
    mkdirSync(machine.path("run/systemd/system"), { recursive: true });
    writeFileSync(machine.path("usr/bin/systemctl"), script, { mode: 0o755 });
    try {
      await act();
      return machine.text("tmp/systemctl").trim().split("\n");
    } finally {
      for (const path of ["run/systemd", "usr/bin/systemctl", "tmp/systemctl"])
        rmSync(machine.path(path), { recursive: true, force: true });
    }
  };
  const twoEdges = `list-units*marquee-edge@*) printf "%s loaded active running an edge\\n" \\
    marquee-edge@8080.service marquee-edge@8081.service ;; *is-enabled*) echo enabled ;;`;
  const restarted = (told) =>
    told.filter((line) => /\brestart\b/.test(line)).map((line) => line.split(" ").at(-1));

  const startBroker = async (...words) => {
    const where = ["-p", `${port + 1}`, "-sd", newFolder()];
    broker = spawn(natsServer, [...words, ...where], { stdio: "ignore" });
    await eventually("the broker listens", () => accepts(port + 1));
  };

  before(async () => {
    machine = new Machine();
    [packages, older] = [await makePackages(), await makePackages("0.0.1")];
    await machine.prepare();
    listing = machine.listing();
    await machine.apt("update");
    port = await freePorts(3);
    await startBroker("-js", "-a", "127.0.0.1");
  }, limit);

  after(() => {
    units?.forEach((unit) => unit.discard());
    broker?.kill("SIGKILL");
    machine?.discard();
  });

  test("install with apt, and bring settings, a token and a user", limit, async () => {
    await machine.install(older);
    for (const name of services) assert.ok(machine.has(`etc/marquee/${name}.conf`), name);
    const { uid, shell } = machine.user("marquee");
    assert.ok(uid < 1000 && shell.endsWith("nologin"), `${uid} ${shell}`);
    const token = statSync(machine.path("etc/marquee/secrets/admin-token"));
    assert.deepEqual([token.uid, token.mode & 0o777, token.size], [0, 0o600, 48]);
  });

  test("start as their units say, and answer plays", limit, async () => {
    for (const name of services)
      appendFileSync(machine.path(`etc/marquee/${name}.conf`), `server = nats://127.0.0.1:${port + 1}\n`);
    const own = machine.path(`etc/marquee/edge@${port}.env`);
    writeFileSync(own, `MARQUEE_ADMIN_LISTEN=127.0.0.1:${port + 2}\n`, { mode: 0o600 });
    await start();
    await play(1);
    await play(2);
  });

  test("the token of the credentials is the one that administrators need", async () => {
    const change = (token) =>
      at("/url/asset/123", { headers: { authorization: `Bearer ${token}` } }).then(({ status }) => status);
    assert.equal(await change(machine.text("etc/marquee/secrets/admin-token")), 200);
    assert.equal(await change("0".repeat(48)), 401);
  });

  test("an edge's file of its own gives it an address for administrators", async () => {
    const metrics = async (at) => (await fetch(`http://127.0.0.1:${at}/metrics`)).status;
    assert.deepEqual([await metrics(port), await metrics(port + 2)], [404, 200]);
  });

  test("an upgrade restarts what runs, one instance after another, and keeps state and settings", limit, async () => {
    await stop();
    const before = [database(), machine.text("etc/marquee/edge.conf"), machine.text("etc/marquee/secrets/admin-token")];
    const told = await underSystemd(twoEdges, () => machine.install(packages));
    assert.deepEqual(restarted(told), ["marquee-edge@8080.service", "marquee-edge@8081.service"]);
    assert.ok(told.some((line) => line.includes("daemon-reload")));
    assert.ok(!told.some((line) => /\bstop\b/.test(line)), told.join("\n"));
    const after = [database(), machine.text("etc/marquee/edge.conf"), machine.text("etc/marquee/secrets/admin-token")];
    assert.deepEqual(after, before);
    assert.match(await machine.run("dpkg-query", "-W", "-f", "${Version}", "marquee"), /^0\.[1-9]|^[1-9]/);
  });

  test("of a version that does not come up, the other instances are not restarted", limit, async () => {
    let said;
    const told = await underSystemd(`*restart*edge@8080*) exit 1 ;; ${twoEdges}`, async () => {
      said = await machine.run("sh", "-c", "/var/lib/dpkg/info/marquee-edge.postinst configure 0.0.1 2>&1");
    });
    assert.deepEqual(restarted(told), ["marquee-edge@8080.service"]);
    assert.match(said, /^marquee-edge@8080\.service is not ready/m);
  });

  test("the new version counts on from the counts of the old one", limit, async () => {
    const kept = database();
    await start();
    await play(3);
    await stop();
    assert.notDeepEqual(database(), kept); // it is the file that is counted in
  });

  test("a secured system of three brokers and two of everything runs from the packages alone", limit, async () => {
    copyFileSync(natsServer, machine.path("tmp/nats-server"));
    const ports = await freePorts(8);
    const words = ["--secure", "--cluster", "--http-port", ports, "--nats-port", ports + 2, "--data", "/tmp/first"];
    const system = machine.spawn(["marquee-run", ...words.map(String)], { NATS_SERVER: "/tmp/nats-server" });
    const [output, ended] = [[], once(system, "exit")];
    for (const stream of [system.stdout, system.stderr]) stream.on("data", (text) => output.push(text));
    try {
      const told = () => /^ready:/m.test(output.join("")) || system.exitCode !== null;
      await eventually("it is ready or has ended", told, 180_000).catch((error) =>
        assert.fail(`${error.message}:\n${output.join("")}`),
      );
      assert.equal(system.exitCode, null, output.join(""));
      const nkeys = "/tmp/first/nkeys";
      await machine.run("marquee-doctor", "--context", `${nkeys}/operator.json`, "--credentials", nkeys);
      const plays = async (edge) =>
        (await fetch(`http://127.0.0.1:${ports + edge}/play/asset/123/user/1`, { method: "POST" })).status;
      assert.deepEqual([await plays(0), await plays(1)], [200, 200]);
      const file = "tmp/first/pids/marquee-reporting-1";
      const pid = () => machine.text(file).trim();
      const first = pid();
      assert.match(first, /^\d+$/);
      process.kill(Number(first), "SIGKILL");
      assert.equal(await plays(0), 200);
      await eventually("what died is started again", () => /^\d+$/.test(pid()) && pid() !== first);
      for (const log of readdirSync(machine.path("tmp/first/log")).filter((name) => name.startsWith("marquee-")))
        assert.doesNotMatch(machine.text(`tmp/first/log/${log}`), /set no option/, log);
      cpSync(machine.path("tmp/first/nkeys"), seeds, { recursive: true });
      copyFileSync(machine.path("tmp/first/broker/nkeys.conf"), join(seeds, "nkeys.conf"));
    } finally {
      system.kill("SIGTERM");
      await ended;
      rmSync(machine.path("tmp/first"), { recursive: true });
      rmSync(machine.path("tmp/nats-server"));
    }
    assert.equal(system.exitCode, 0, output.join(""));
  });

  test("the units are users of a secured broker, with the lines that the page shows", limit, async () => {
    const [noToken, nkey] = blocksOfKind("ini marquee-edge@").map(({ lines }) => lines.join("\n"));
    const { lines } = blocksOfKind("conf marquee-metadata").find((block) => block.lines[0].startsWith("inbox-prefix"));
    const folder = newFolder();
    copyFileSync(join(seeds, "nkeys.conf"), join(folder, "nkeys.conf"));
    for (const name of ["secure", "fast", "common"])
      copyFileSync(machine.path(`usr/share/marquee/broker/nats-server/${name}.conf`), join(folder, `${name}.conf`));
    broker.kill("SIGKILL");
    await once(broker, "exit");
    await startBroker("-c", join(folder, "secure.conf"));
    const etc = machine.path("etc/marquee");
    const editOf = (name) => machine.path(`etc/systemd/system/marquee-${name}@.service.d`);
    for (const name of services) {
      const shown = (name === "edge" ? lines.slice(0, 1) : lines).join("\n");
      appendFileSync(join(etc, `${name}.conf`), `${shown.replace("_INBOX_metadata", `_INBOX_${name}`)}\n`);
      copyFileSync(join(seeds, `${name}.nk`), join(etc, `secrets/${name}.nk`));
      mkdirSync(editOf(name), { recursive: true });
      const edits = name === "edge" ? `${noToken}\n${nkey}` : nkey.replace("edge.nk", `${name}.nk`);
      writeFileSync(join(editOf(name), "override.conf"), `${edits}\n`);
    }
    rmSync(join(etc, "secrets/admin-token"));
    await start("reporting@secured"); // of another stream, so with a database of its own
    await play(1);
    assert.equal((await at("/url/asset/123")).status, 403); // there are no administrators
    await stop();
    for (const name of services) {
      rmSync(editOf(name), { recursive: true });
      rmSync(join(etc, `secrets/${name}.nk`));
    }
    writeFileSync(join(etc, "secrets/admin-token"), "0".repeat(48), { mode: 0o600 });
  });

  const full = { ...limit, skip: process.env.MARQUEE_FULL ? impossible : "in ./test full" };
  test("the first day of the recipes, to a restored backup, needs the packages and a nats-server", full, async (t) => {
    // Both have one path in the machine and outside, where the shell and the `nats` CLI run.
    const [day, server] = [newFolder(), join(newFolder(), "nats-server")];
    rmSync(day, { recursive: true });
    for (const folder of [day, dirname(server)]) mkdirSync(machine.path(folder), { recursive: true });
    symlinkSync(machine.path(day), day);
    copyFileSync(natsServer, machine.path(server));
    const inside = (program) =>
      `exec chroot '${machine.root}' env -i -C '${day}' NATS_SERVER='${server}' LANG=C.UTF-8 HOME=/root \\
        PATH=/usr/sbin:/usr/bin:/sbin:/bin '${program}' "$@"`;
    writeFileSync(server, `#!/bin/sh\n${inside(server)}\n`, { mode: 0o755 });
    const used = ["marquee-run", "marquee-doctor", "marquee-reporting"];
    const ours = Object.fromEntries(used.map((name) => [name, inside(name)]));
    try {
      const place = kitchen(["nats"], { folder: day, ours });
      await cook(t, "first-day", { place, run: "marquee-run" });
    } finally {
      for (const folder of [day, dirname(server)]) rmSync(machine.path(folder), { recursive: true });
    }
  });

  test("removed packages leave settings and state, and no program", limit, async () => {
    const told = await underSystemd("", () => machine.apt("remove", "~n^marquee"));
    for (const name of services) assert.ok(told.includes(`stop marquee-${name}@*.service`), told.join("\n"));
    assert.deepEqual(readdirSync(machine.path("usr/bin")).filter((name) => name.startsWith("marquee")), []);
    assert.ok(machine.has("etc/marquee/edge.conf"));
    assert.ok(machine.has("etc/marquee/secrets/admin-token"));
    assert.ok(database().length > 0);
  });

  test("a purge leaves nothing but secrets that people have put there", limit, async () => {
    const enabled = [`edge@${port}.service`, "reporting@1.service"].map((name) => `marquee-${name}`);
    for (const [target, names] of [
      ["multi-user", [...enabled, "marquee.target"]],
      ["marquee", enabled],
    ]) {
      const wants = machine.path(`etc/systemd/system/${target}.target.wants`);
      mkdirSync(wants, { recursive: true });
      for (const name of names) symlinkSync("/usr/lib/systemd/system/none", join(wants, name));
    }
    const settings = machine.path("etc/marquee");
    writeFileSync(join(settings, "reporting@2.env"), "MARQUEE_PASSWORD=secret\n", { mode: 0o600 });
    writeFileSync(join(settings, "secrets/edge.nk"), "a seed that the packages have not made\n", { mode: 0o600 });
    await machine.apt("purge", "~n^marquee");
    assert.equal(machine.user("marquee"), undefined);
    // Also libraries that something else would merely like to have.
    const unneeded = ["Recommends", "Suggests"].flatMap((how) => ["-o", `APT::AutoRemove::${how}Important=false`]);
    await machine.apt(...unneeded, "autoremove", "--purge");
    const known = new Set(listing);
    const left = machine.listing().filter((path) => !known.has(path));
    assert.deepEqual(left, ["/etc/marquee", "/etc/marquee/secrets", "/etc/marquee/secrets/edge.nk"]);
  });
});
