// marquee-doctor --credentials: the users of ./run --secure, each tried with its own seed.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, cpSync, copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { newFolder, patience, programs, Runner } from "./support/runner.mjs";

const users = ["edge", "metadata", "cdnurl", "reporting", "operator", "viewer", "replay", "system"];

describe("the doctor tries each user of a broker", () => {
  const secure = new Runner({ options: ["--secure"] });
  const open = new Runner();
  const seeds = join(newFolder(), "nkeys");
  before(async () => {
    await secure.start();
    await open.start();
    cpSync(join(secure.data, "nkeys"), seeds, { recursive: true });
  });
  after(async () => {
    await secure.discard();
    await open.discard();
  });

  /** {code, stdout} of an examination as the operator; what it logs is an error of this test. */
  const examine = (runner, folder, more = []) =>
    new Promise((done) => {
      const server = ["--server", `nats://127.0.0.1:${runner.natsPort}`];
      const words = [...server, "--credentials", folder, "--timeout", "5s", ...more];
      execFile(join(programs, "marquee-doctor"), words, { timeout: patience }, (error, stdout, stderr) =>
        done({ code: error?.code ?? 0, stdout, stderr }),
      );
    });
  const asOperator = ["--nkey", join(seeds, "operator.nk"), "--inbox-prefix", "_INBOX_operator"];

  test("all is well under ./run --secure, and the operator may see all of it", async () => {
    const { code, stdout, stderr } = await examine(secure, seeds, asOperator);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^ok {7}users: nobody is connected without credentials$/m);
    for (const user of users) assert.match(stdout, new RegExp(`^ok {7}user ${user}: may .*, and not ask `, "m"));
    assert.doesNotMatch(stdout, /^warning {2}permissions/m);
    assert.doesNotMatch(stderr, /violation/i);
  });

  test("a user with another one's seed, a void one, and one that others may read are named", async () => {
    copyFileSync(join(seeds, "operator.nk"), join(seeds, "edge.nk"));
    chmodSync(join(seeds, "edge.nk"), 0o600);
    chmodSync(join(seeds, "viewer.nk"), 0o644);
    rmSync(join(seeds, "replay.nk"));
    const { code, stdout } = await examine(secure, seeds, asOperator);
    assert.equal(code, 1);
    assert.match(stdout, /^problem {2}user edge: may not ask \$JS\.API\.STREAM\.INFO\.EVENTS\n {9}cure: /m);
    assert.match(stdout, /^warning {2}user viewer: .*viewer\.nk is not its owner's alone\n {9}cure: chmod 600 /m);
    assert.match(stdout, /^warning {2}user replay: .*replay\.nk is missing$/m);
    assert.match(stdout, /^ok {7}user reporting: /m);
  });

  test("a broker where everybody may do everything is named", async () => {
    const { code, stdout } = await examine(open, join(secure.data, "nkeys"));
    assert.equal(code, 1);
    assert.match(stdout, /^problem {2}users: whoever has no credentials is connected too\n {9}cure: .*--secure/m);
    assert.match(stdout, /^problem {2}user viewer: /m);
  });
});
