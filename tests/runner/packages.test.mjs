// How ./run handles missing packages and a failed build, with fakes of apt, dpkg and cmake.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { eventually, newFolder, withRunner } from "./support/runner.mjs";

/** A folder of commands that hide the real ones. Each may log its words in the file "calls". */
function standIns(commands) {
  const folder = newFolder();
  const calls = join(folder, "calls");
  writeFileSync(calls, "");
  for (const [name, body] of Object.entries({ sudo: 'exec "$@"', ...commands }))
    writeFileSync(join(folder, name), `#!/bin/bash\nnote() { echo "$@" >>'${calls}'; }\n${body}\n`, { mode: 0o755 });
  const environment = { PATH: `${folder}:${process.env.PATH}`, MARQUEE_BIN: undefined };
  return { environment, calls: () => readFileSync(calls, "utf8") };
}

const allInstalled = "echo -n installed";
const allButLibnats = '[[ "$*" == *libnats-dev* ]] || echo -n installed';

test("a package that cannot be installed is named in one line, and nothing is built", () => {
  const { environment, calls } = standIns({
    "dpkg-query": allButLibnats,
    "apt-get":
      'note "${@: -2}"; [[ "$*" != *" install "* ]] || { echo "E: Unable to locate package libnats-dev"; exit 100; }',
    cmake: "note cmake",
  });
  return withRunner({ environment }, async (runner) => {
    await runner.launch();
    assert.equal(await runner.ended(), 1);
    assert.equal(
      runner.stderr,
      "installing libnats-dev\nE: Unable to locate package libnats-dev\n" +
        "these packages could not be installed: libnats-dev\n",
    );
    assert.match(calls(), /^\S+ update\n--no-install-recommends libnats-dev\n$/);
    assert.equal(runner.stdout, "");
  });
});

test("a package list that cannot be fetched ends ./run too", () => {
  const { environment } = standIns({ "dpkg-query": allButLibnats, "apt-get": 'echo "E: no network"; exit 100' });
  return withRunner({ environment }, async (runner) => {
    await runner.launch();
    assert.equal(await runner.ended(), 1);
    assert.ok(
      runner.stderr.endsWith("E: no network\nthese packages could not be installed: libnats-dev\n"),
      runner.stderr,
    );
  });
});

test("nothing is installed where nothing is missing, and a failed build is one line after the end of its log", () => {
  const { environment, calls } = standIns({
    "dpkg-query": allInstalled,
    "apt-get": "note apt-get",
    cmake: 'note "$@"; echo "the compiler is confused"; exit 1',
  });
  return withRunner({ environment }, async (runner) => {
    await runner.launch();
    assert.equal(await runner.ended(), 1);
    const log = join(runner.data, "log/build.log");
    assert.equal(
      runner.stderr,
      `run: building (log: ${log})\nthe compiler is confused\nrun: the build failed, see ${log}\n`,
    );
    assert.equal(calls(), "--preset release\n");
    assert.ok(!existsSync(join(runner.data, "nats")));
  });
});

test("SIGTERM during the build ends the build and ./run at once", () => {
  const { environment, calls } = standIns({ "dpkg-query": allInstalled, cmake: "note started; exec sleep 1000" });
  return withRunner({ environment }, async (runner) => {
    await runner.launch();
    await eventually("the build has started", () => calls().includes("started"));
    assert.equal(await runner.stop(), 0);
  });
});
