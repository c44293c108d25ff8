// The README's commands, word for word: whoever copies them gets what it says.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { eventually, freePorts, newFolder, patience, programs, Runner, source } from "./support/runner.mjs";

const text = readFileSync(join(source, "README.md"), "utf8");
const run = promisify(execFile);

/** {kind, lines} of each fenced block, in order. */
const blocks = [...text.matchAll(/^```(.*)\n([^]*?)^```$/gm)].map(([, kind, body]) => ({ kind, lines: body.trimEnd().split("\n") }));
const sessions = blocks.filter((block) => block.kind === "sh session");

/** The lines of each indented block, in order. */
const indented = [...text.replace(/^```[^]*?^```$/gm, "").matchAll(/^(?: {4}.*\n)+/gm)].map(([block]) => block.trimEnd().split("\n").map((line) => line.slice(4)));

/** Those of the first indented block after these words. */
const commandsAfter = (words) => {
  const rest = text.slice(text.indexOf(words) + words.length);
  return rest.match(/^(?: {4}.*\n)+/m)[0].trimEnd().split("\n").map((line) => line.slice(4));
};

const help = async (command) => (await run(join(source, command), ["--help"], { timeout: patience })).stdout;

test("every block of the README is of a kind that is tested here", () => {
  assert.equal(text.match(/^```/gm).length, blocks.length * 2);
  assert.deepEqual([...new Set(blocks.map((block) => block.kind))].sort(), ["json", "sh", "sh session"]);
});

test("every indented block of the README is known here; nats commands are for a foreign client, files and answers for other suites", () => {
  const kinds = { picture: "player ──HTTP──▶", ready: "ready: ", degraded: '{"status":"degraded"', expected: "# ", nats: "nats ", https: "openssl " };
  const kindOf = (block) => Object.keys(kinds).find((kind) => block[0].startsWith(kinds[kind])) ?? block[0];
  assert.deepEqual(indented.map(kindOf).sort(), Object.keys(kinds).sort());
});

describe("a command of its own block exists, and takes the options shown", () => {
  const commands = blocks.filter((block) => block.kind === "sh").flatMap((block) => block.lines);
  for (const command of commands) {
    test(command, async () => {
      const [program, ...words] = command.split(" ");
      assert.ok(["./run", "./test", "./bench"].includes(program), command);
      assert.ok(statSync(join(source, program)).mode & 0o100);
      const known = await help(program);
      for (const option of words.filter((word) => word.startsWith("-"))) assert.ok(known.includes(`  ${option} `), `${option} in\n${known}`);
    });
  }
});

describe("a command within the text exists", () => {
  for (const command of new Set([...text.matchAll(/`((?:\.\/|marquee-)[a-z]+ [^`]+)`/g)].map((found) => found[1]))) {
    test(command, async () => {
      const [program, word] = command.split(" ");
      const path = program.startsWith("./") ? join(source, program) : join(programs, program);
      if (command === "marquee-edge --encode-id ID") {
        const { stdout } = await run(join(programs, program), ["--encode-id", "10.5240/7791"]);
        assert.equal(stdout, "10=2E5240=2F7791\n");
      } else if (["./test unit_schemas", "./test replay"].includes(command)) {
        await run("grep", ["-rE", "--include=CMakeLists.txt", `\\((NAME )?${word}\\b`, join(source, "tests")]);
      } else {
        const known = (await run(path, ["--help"], { timeout: patience })).stdout;
        assert.ok(word === "--help" || word === "FILE" || known.includes(`${program} ${word} `) || known.includes(`  ${word} `), `${word} in\n${known}`);
      }
    });
  }
});

describe("each row of the table of failures names a test that exists", () => {
  const table = text.match(/^\| failure [^]*?\n\n/m)[0].trimEnd().split("\n").slice(2);
  for (const row of table) {
    const names = [...row.split("|").at(-2).matchAll(/`([^`]+)`/g)].map((found) => found[1]);
    test(row.split("|")[1].trim(), async () => {
      assert.ok(names.length > 0, row);
      for (const name of names) {
        const [suite, each] = name.split("/");
        const scenario = suite.replace("chaos_", "");
        const expected = each ? `BOOST_AUTO_TEST_CASE(${each})` : `"${scenario}"`;
        await run("grep", ["-rF", "--include=*.cpp", expected, join(source, "tests")]);
      }
    });
  }
});

describe("a session of the README", () => {
  const folder = newFolder();
  const runner = new Runner({ data: join(folder, "data") });
  const answers = []; // of each line of each session

  // curl reads the port that was free, in place of 8080, from its own configuration.
  before(async () => {
    await runner.start();
    const to = `connect-to = "localhost:8080:127.0.0.1:${runner.httpPort}"\n`;
    writeFileSync(join(folder, ".curlrc"), `${to}silent\nshow-error\nnoproxy = "*"\nmax-time = 60\nwrite-out = "\\n%{http_code}"\n`);
    for (const { lines } of sessions) {
      answers.push([]);
      for (const line of lines) {
        const env = { ...process.env, HOME: folder, CURL_HOME: folder };
        const { stdout } = await run("bash", ["-euc", line], { cwd: folder, env, timeout: patience });
        const [body, status] = stdout.split(/\n(?=\d+$)/);
        answers.at(-1).push({ line, body, status });
      }
    }
  });
  after(() => runner.discard());

  test("is answered with 200 at each line", () => {
    for (const { line, body, status } of answers.flat()) assert.equal(status, "200", `${line}\n${body}`);
  });

  test("shows the answer of its first line, byte for byte", () => {
    const shown = blocks.map((block, i) => [block, blocks[i - 1]]).filter(([block]) => block.kind === "json");
    assert.ok(shown.length > 0);
    for (const [block, session] of shown) assert.deepEqual(block.lines, [answers[sessions.indexOf(session)][0].body]);
  });

  test("starts with the ready line that is shown", () => {
    const shown = text.match(/^ {4}(ready: .*)$/m)[1];
    assert.equal(shown.replace("8080", runner.httpPort).replace("4222", runner.natsPort) + "\n", runner.stdout);
  });

  test("counts two at the third line, as the text says", () => {
    assert.match(text, /and the third counts two/);
    const { userviews, assetviews } = JSON.parse(answers[0][2].body);
    assert.deepEqual([userviews, assetviews], [2, 2]);
  });

  test("counts a play once that is retried under the same key", () => {
    const [first, retried] = answers[1];
    assert.equal(first.line, retried.line);
    assert.equal(first.body, retried.body);
  });
});

describe("HTTPS as the README tries it", () => {
  const folder = newFolder();
  const [openssl, edgeLine, curl, ...more] = commandsAfter("To try it:");
  const runner = new Runner({ data: join(folder, "data") });
  let edge;
  let port;
  let said = "";

  // The certificate is the one that the README's line makes; another port than 8443 is free.
  before(async () => {
    await runner.start();
    port = await freePorts();
    await run("bash", ["-euc", openssl], { cwd: folder, timeout: patience });
    const env = { ...process.env, PATH: `${programs}:${process.env.PATH}`, NATS_URL: `nats://127.0.0.1:${runner.natsPort}`, MARQUEE_LOG: "info" };
    edge = spawn("bash", ["-euc", `exec ${edgeLine.replace(":8443", `:${port}`)}`], { cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] });
    edge.stderr.setEncoding("utf8").on("data", (text) => (said += text));
    await eventually(() => `the edge is ready:\n${said}`, () => said.includes(" ready") || edge.exitCode !== null);
  });
  after(() => {
    edge?.kill("SIGKILL");
    return runner.discard();
  });

  test("takes three commands", () => {
    assert.match(openssl, /^openssl req /);
    assert.match(edgeLine, /^marquee-edge --listen 127\.0\.0\.1:8443 /);
    assert.match(curl, /^curl .*https:\/\/localhost:8443\//);
    assert.deepEqual(more, []);
  });

  test("answers a play to a client that trusts the certificate", async () => {
    const to = `connect-to = "localhost:8443:127.0.0.1:${port}"\n`;
    writeFileSync(join(folder, ".curlrc"), `${to}silent\nshow-error\nnoproxy = "*"\nmax-time = 60\nwrite-out = "\\n%{http_code} %{scheme}"\n`);
    const { stdout } = await run("bash", ["-euc", curl], { cwd: folder, env: { ...process.env, HOME: folder, CURL_HOME: folder }, timeout: patience });
    const [body, status] = stdout.split(/\n(?=\d+ HTTPS$)/);
    assert.equal(status, "200 HTTPS", stdout);
    const { title, url, userviews } = JSON.parse(body);
    assert.deepEqual([title, url, userviews], ["It", "path/to/asset123.mp4", 1]);
  });

  test("gives nothing to a client that does not", async () => {
    const untrusting = curl.replace("--cacert cert.pem ", "");
    assert.notEqual(untrusting, curl);
    const env = { ...process.env, HOME: folder, CURL_HOME: folder };
    await assert.rejects(run("bash", ["-euc", untrusting], { cwd: folder, env, timeout: patience }), { code: 60 }); // "cannot be authenticated"
  });

  test("reads a new certificate at SIGHUP", async () => {
    await run("bash", ["-euc", openssl], { cwd: folder, timeout: patience });
    edge.kill("SIGHUP");
    await eventually(() => `it is read again:\n${said}`, () => said.includes("TLS certificate read again"));
    const { stdout } = await run("bash", ["-euc", curl], { cwd: folder, env: { ...process.env, HOME: folder, CURL_HOME: folder }, timeout: patience });
    assert.match(stdout, /\n200 HTTPS$/);
  });
});
