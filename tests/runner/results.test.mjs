// How ./test adds up what its suites have reported.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { newFolder, source } from "./support/runner.mjs";

/** The last lines of ./test after suites that have written this. */
function endOf(report) {
  const log = join(newFolder(), "log");
  writeFileSync(log, report);
  const script = `source tools/test/parts; log_folder=/nonexistent; trap finish EXIT; count "$0"`;
  const { stdout, status } = spawnSync("bash", ["-euc", script, log], { cwd: source, encoding: "utf8" });
  return { lines: stdout.trim().split("\n"), status };
}

const suite = (...lines) => [...lines, "Test Passed.", ""].join("\n");

test("what passed and what failed is the last line", () => {
  const passed = suite("# pass 3", "# fail 0") + suite("  2 test cases out of 2 passed");
  assert.deepEqual(endOf(passed), { lines: ["5 passed, 0 failed"], status: 0 });
  assert.deepEqual(endOf("# pass 3\n# fail 1\nTest Failed.\n"), { lines: ["3 passed, 1 failed"], status: 1 });
});

test("what a machine cannot run is said before it, and what ./test full is for is not", () => {
  const reports = [
    "ok 1 - recipes # SKIP a network namespace is not permitted here",
    "    ok 2 - first-day # SKIP in ./test full",
    "ok 3 - each fault # SKIP",
    "    ok 4 - a setting # SKIP this nats-server does not know it",
    "# pass 1",
    "# fail 0",
  ];
  const lines = ["left out, for what this machine lacks or may not do: 2", "1 passed, 0 failed"];
  assert.deepEqual(endOf(suite(...reports)), { lines, status: 0 });
});
