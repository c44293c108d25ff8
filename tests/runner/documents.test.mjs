// The commands of every page, word for word: a reader who copies them gets what the page shows.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { blocksOfKind, pageOf, pages, sourceFiles } from "./support/pages.mjs";
import { eventually, freePorts, newFolder, patience, programs, Runner, source } from "./support/runner.mjs";

const run = promisify(execFile);
const limit = { timeout: patience };
const help = async (path) => (await run(path, ["--help"], limit)).stdout;
const blocks = pages.flatMap((page) => page.blocks);

/** The text of each list of suites, and of the presets. */
const lists = sourceFiles("tests/*CMakeLists.txt").map((name) => readFileSync(join(source, name), "utf8"));
const presets = JSON.parse(readFileSync(join(source, "CMakePresets.json"), "utf8")).configurePresets.map(
  ({ name }) => name,
);

/** Asserts that a suite or a target has this name. Some lists add a prefix to their names. */
function assertSuite(name) {
  const short = name.replace(/^(chaos|fuzz|run)_/, "");
  assert.ok(
    lists.some((text) => new RegExp(`\\((NAME )?${name}\\b|(foreach\\(|NAME ).*\\b${short}\\b`).test(text)),
    `no suite ${name}`,
  );
}

/** Asserts that ./test, ./bench, ./run and the programs take these words. */
async function assertCommand(command) {
  const [program, ...words] = command.replace(/\s+/g, " ").split(" ");
  const path = program.includes("/") ? join(source, program) : join(programs, program);
  assert.ok(statSync(path).mode & 0o100, `${program} is no program`);
  const known = await help(path);
  for (const word of words) {
    const [option] = word.split("=");
    if (option.startsWith("-"))
      assert.match(known, new RegExp(`(^|[\\s,[])${option}[\\s,\\]]`, "m"), `${option} in\n${known}`);
    else if (program === "./run" && /^[a-z-]+:--/.test(word)) {
      const [name, passed] = option.split(":");
      assert.match(await help(join(programs, `marquee-${name}`)), new RegExp(`^  ${passed} `, "m"), word);
    } else if (program === "./test" && !["full", "list", "NAME"].includes(word)) assertSuite(word);
    else if (program === "./bench" && word !== "PART") assert.match(known, new RegExp(`\\b${word}\\b`));
  }
}

/** Asserts that a line of a block of kind `sh` is valid. */
async function assertLine(line) {
  const [program, ...words] = line.split(" ");
  const value = (option) => words[words.indexOf(option) + 1];
  if (["./run", "./test", "./bench"].includes(program)) return assertCommand(line);
  if (["cmake", "cpack", "ctest"].includes(program)) {
    assert.ok(words.includes("--preset") || words.includes("--build"), line);
    assert.ok(presets.includes(value("--preset")), `no preset ${value("--preset")}`);
    for (const option of ["--target", "-R"].filter((each) => words.includes(each))) assertSuite(value(option));
    return undefined;
  }
  const [path] = line.match(/(?:broker|tests|tools)\/[\w./-]+/) ?? assert.fail(`${line}: not known to this test`);
  assert.ok(statSync(join(source, path)).mode & 0o100, `${path} is no program`);
  if (path === "tests/foreign_client/run")
    for (const file of words) assert.ok(existsSync(join(source, "tests/foreign_client", file)), file);
  return undefined;
}

describe("each block of a page is of a kind that is tested", () => {
  // tests/foreign_client has those of `sh nats`, `sh containers` and `json NAME`, tests/packaging
  // `sh packages` and `ini UNIT`, and recipes.test.mjs `sh recipe`.
  const ofSh = "sh|sh session|sh recipe|sh nats|sh packages|sh https|sh containers";
  const kinds = new RegExp(`^(${ofSh}|json|json \\w+|conf marquee-\\w+|ini marquee-\\w+@|cpp|text)$`);
  for (const page of pages)
    test(page.name, () => {
      assert.equal(
        (page.text.match(/^ *```/gm) ?? []).length,
        page.blocks.length * 2,
        "each block begins and ends at the margin",
      );
      for (const { kind, lines } of page.blocks) assert.match(kind, kinds, lines[0]);
      assert.doesNotMatch(page.prose, /^\n {4}/m, "blocks have fences");
    });
});

describe("a command of its own block exists, and takes what is shown", () => {
  for (const line of new Set(blocksOfKind("sh").flatMap(({ lines }) => lines))) test(line, () => assertLine(line));
});

describe("a command within the text exists, and takes what is shown", () => {
  const inProse = pages.flatMap(({ prose }) =>
    [...prose.matchAll(/`((?:\.\/|marquee-)[a-z-]+ [^`]+)`/g)].map((found) => found[1]),
  );
  for (const command of new Set(inProse)) test(command, () => assertCommand(command));

  test("marquee-edge --encode-id prints a token", async () => {
    const { stdout } = await run(join(programs, "marquee-edge"), ["--encode-id", "10.5240/7791"], limit);
    assert.equal(stdout, "10=2E5240=2F7791\n");
  });
});

describe("a configuration file is one that its program takes, with each line of it", () => {
  for (const { page, kind, lines } of blocksOfKind(/^conf /))
    test(`${page}: ${kind}`, async () => {
      const file = join(newFolder(), "a.conf");
      writeFileSync(file, `${lines.join("\n")}\n`);
      const words = ["--print-config", "--config", file];
      const { stdout } = await run(join(programs, kind.split(" ")[1]), words, limit);
      lines.forEach((line, i) => {
        if (line !== "" && !line.startsWith("#")) assert.ok(stdout.includes(`${line} (${file}:${i + 1})\n`), line);
      });
    });
});

describe("an excerpt of code is in a source file, word for word", () => {
  const sources = sourceFiles("*.cpp", "*.hpp").map((name) => readFileSync(join(source, name), "utf8"));
  for (const { page, lines } of blocksOfKind("cpp"))
    test(`${page}: ${lines[0].trim()}`, () => {
      const excerpt = `${lines.join("\n")}\n`;
      assert.ok(
        sources.some((text) => text.includes(excerpt)),
        `in no source file:\n${excerpt}`,
      );
    });
});

test("the tables of options are those of the programs", async () => {
  const environment = { ...process.env, MARQUEE_BIN: programs };
  await run(join(source, "tools/make-configuration-page"), ["--check"], { ...limit, env: environment });
});

test("each option that a page names is in the tables of options", () => {
  const tables = pageOf("docs/configuration.md").text;
  for (const { name, prose } of pages)
    for (const [, option] of prose.matchAll(/`(--[a-z-]+)[^`]*`/g))
      assert.match(tables, new RegExp(`^\\| \`(-\\w, )?${option}[ \`]`, "m"), `${name}: ${option}`);
});

test("each block of text is known: the picture is one, and others are tried elsewhere", () => {
  const pictures = blocks.filter(({ kind, lines }) => kind === "text" && lines[0].startsWith("player ──HTTP──▶"));
  assert.ok(pictures.length > 1);
  for (const { lines } of pictures) assert.deepEqual(lines, pictures[0].lines);
  const others = blocks.filter((block) => block.kind === "text" && !pictures.includes(block));
  assert.deepEqual(
    others.map(({ page, lines }) => [page, lines[0].split(" ")[0]]),
    [
      ["README.md", "ready:"],
      ["docs/http-api.md", "id,views,viewers,last"],
      ["docs/replay.md", "#"],
    ],
  );
});

describe("each row of the table of failures names a test that exists", () => {
  const tests = sourceFiles("tests/*.cpp").map((name) => readFileSync(join(source, name), "utf8"));
  const table = pageOf("docs/guarantees.md")
    .text.match(/^\| failure [^]*?\n\n/m)[0]
    .trimEnd()
    .split("\n")
    .slice(2);
  for (const row of table) {
    const names = [
      ...row
        .split("|")
        .at(-2)
        .matchAll(/`([^`]+)`/g),
    ].map((found) => found[1]);
    test(row.split("|")[1].trim(), () => {
      assert.ok(names.length > 0, row);
      for (const name of names) {
        const [suite, each] = name.split("/");
        const scenario = suite.replace("chaos_", "");
        const expected = each
          ? new RegExp(`BOOST_(AUTO|FIXTURE)_TEST_CASE\\(\\s*${each}\\b`)
          : new RegExp(`"${scenario}"`);
        assert.ok(
          tests.some((text) => expected.test(text)),
          `no test ${name}`,
        );
      }
    });
  }
});

/** Runs the lines of a page's sessions in a folder, with a ./run of its own; {line, body, status} of each. */
async function replay(sessions, runner, folder) {
  // curl reads the port that was free, in place of 8080, from its own configuration.
  const to = `connect-to = "localhost:8080:127.0.0.1:${runner.httpPort}"\n`;
  writeFileSync(
    join(folder, ".curlrc"),
    `${to}silent\nshow-error\nnoproxy = "*"\nmax-time = 60\nwrite-out = "\\n%{http_code}"\n`,
  );
  const nats = { PATH: `${programs}:${process.env.PATH}`, NATS_URL: `nats://127.0.0.1:${runner.natsPort}` };
  const env = { ...process.env, ...nats, HOME: folder, CURL_HOME: folder };
  const answers = [];
  for (const { lines } of sessions) {
    answers.push([]);
    for (const line of lines) {
      // Fails where the command does.
      const { stdout } = await run("bash", ["-euc", line], { cwd: folder, env, ...limit });
      const [body, status] = stdout.split(/\n(?=\d+$)/);
      answers.at(-1).push({ line, body, status });
    }
  }
  return answers;
}

for (const page of pages.filter((each) => each.blocks.some(({ kind }) => kind === "sh session"))) {
  describe(`the session of ${page.name}`, () => {
    const folder = newFolder();
    const runner = new Runner({ data: join(folder, "data") });
    const sessions = page.blocks.filter(({ kind }) => kind === "sh session");
    let answers;

    before(async () => {
      await runner.start();
      answers = await replay(sessions, runner, folder);
    });
    after(() => runner.discard());

    test("succeeds at each line, and curl is answered with 200", () => {
      for (const { line, body, status } of answers.flat())
        if (line.startsWith("curl ")) assert.equal(status, "200", `${line}\n${body}`);
    });

    test("has the answers that are shown, byte for byte", () => {
      for (const [i, block] of page.blocks.entries()) {
        if (block.kind !== "json") continue;
        const session = sessions.indexOf(page.blocks[i - 1]);
        assert.ok(session >= 0, `no session is before ${block.lines[0]}`);
        assert.deepEqual(
          block.lines,
          answers[session].map(({ body }) => body),
        );
      }
    });

    if (page.name === "README.md")
      test("starts with the ready line that is shown", () => {
        const shown = page.text.match(/^ready: .*$/m)[0];
        assert.equal(`${shown.replace("8080", runner.httpPort).replace("4222", runner.natsPort)}\n`, runner.stdout);
      });

    if (page.name === "docs/http-api.md")
      test("counts a play once that is repeated under the same key", () => {
        const [first, again] = answers[1];
        assert.equal(first.line, again.line);
        assert.equal(first.body, again.body);
      });
  });
}

describe("HTTPS as a page tries it", () => {
  const folder = newFolder();
  const [{ lines }, ...others] = blocksOfKind("sh https");
  const [openssl, edgeLine, curl, ...more] = lines;
  const runner = new Runner({ data: join(folder, "data") });
  let edge;
  let port;
  let said = "";

  // The certificate is the one that the page's line makes; another port than 8443 is free.
  before(async () => {
    await runner.start();
    port = await freePorts();
    await run("bash", ["-euc", openssl], { cwd: folder, ...limit });
    const env = {
      ...process.env,
      PATH: `${programs}:${process.env.PATH}`,
      NATS_URL: `nats://127.0.0.1:${runner.natsPort}`,
      MARQUEE_LOG: "info",
    };
    edge = spawn("bash", ["-euc", `exec ${edgeLine.replace(":8443", `:${port}`)}`], {
      cwd: folder,
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    edge.stderr.setEncoding("utf8").on("data", (text) => (said += text));
    await eventually(
      () => `the edge is ready:\n${said}`,
      () => said.includes(" ready") || edge.exitCode !== null,
    );
  });
  after(() => {
    edge?.kill("SIGKILL");
    return runner.discard();
  });

  test("takes three commands", () => {
    assert.match(openssl, /^openssl req /);
    assert.match(edgeLine, /^marquee-edge --listen 127\.0\.0\.1:8443 /);
    assert.match(curl, /^curl .*https:\/\/localhost:8443\//);
    assert.deepEqual([more, others], [[], []]);
  });

  test("answers a play to a client that trusts the certificate", async () => {
    const to = `connect-to = "localhost:8443:127.0.0.1:${port}"\n`;
    writeFileSync(
      join(folder, ".curlrc"),
      `${to}silent\nshow-error\nnoproxy = "*"\nmax-time = 60\nwrite-out = "\\n%{http_code} %{scheme}"\n`,
    );
    const { stdout } = await run("bash", ["-euc", curl], {
      cwd: folder,
      env: { ...process.env, HOME: folder, CURL_HOME: folder },
      ...limit,
    });
    const [body, status] = stdout.split(/\n(?=\d+ HTTPS$)/);
    assert.equal(status, "200 HTTPS", stdout);
    const { title, url, userviews } = JSON.parse(body);
    assert.deepEqual([title, url, userviews], ["It", "path/to/asset123.mp4", 1]);
  });

  test("refuses a client that does not", async () => {
    const untrusting = curl.replace("--cacert cert.pem ", "");
    assert.notEqual(untrusting, curl);
    const env = { ...process.env, HOME: folder, CURL_HOME: folder };
    const cannotBeAuthenticated = { code: 60 };
    await assert.rejects(run("bash", ["-euc", untrusting], { cwd: folder, env, ...limit }), cannotBeAuthenticated);
  });

  test("reads a new certificate at SIGHUP", async () => {
    await run("bash", ["-euc", openssl], { cwd: folder, ...limit });
    edge.kill("SIGHUP");
    await eventually(
      () => `it is read again:\n${said}`,
      () => said.includes("TLS certificate read again"),
    );
    const { stdout } = await run("bash", ["-euc", curl], {
      cwd: folder,
      env: { ...process.env, HOME: folder, CURL_HOME: folder },
      ...limit,
    });
    assert.match(stdout, /\n200 HTTPS$/);
  });
});
