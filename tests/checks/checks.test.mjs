// The checks of this folder see what they are there for: made-up trees in a folder of their own.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const folders = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A folder with these files, by path. */
function tree(files) {
  const root = mkdtempSync(join(tmpdir(), "marquee_checks_"));
  folders.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** The lines that a check prints, but for the last, which counts the others; {status, lines}. */
function run(check, words, cwd = here) {
  const { status, stdout, stderr } = spawnSync(join(here, check), words, { encoding: "utf8", cwd });
  assert.equal(stderr, "");
  return { status, lines: stdout.trim().split("\n").slice(0, -1) };
}

const layout = (files) => run("layout", [tree(files)]);
const include = (...names) => names.map((name) => `#include ${name}\n`).join("");

const allowed = {
  "schemas/ids.hpp": include("<string>"),
  "broker/base/log.hpp": include("<string>"),
  "broker/nats/connection.hpp": include('"broker/base/log.hpp"', '"schemas/ids.hpp"', "<nats/nats.h>"),
  "broker/nats/connect_interceptor.cpp": include("<openssl/ssl.h>"),
  "broker/program/options.hpp": include('"broker/nats/connection.hpp"'),
  "edge/http/status.hpp": include('"schemas/ids.hpp"'),
  "edge/server/session.cpp": include("<boost/beast/http.hpp>", "<boost/asio/ssl.hpp>", '"edge/http/status.hpp"'),
  "edge/auth/jwt.cpp": include("<cjose/jws.h>", "<openssl/evp.h>"),
  "edge/main.cpp": include('"edge/routes/routes.hpp"', '"broker/program/options.hpp"'),
  "edge/routes/routes.hpp": include('"edge/http/status.hpp"'),
  "services/catalogue/table.hpp": include('"broker/base/log.hpp"'),
  "services/metadata/main.cpp": include('"services/catalogue/table.hpp"'),
  "services/reporting/projection/database.hpp": include("<sqlite3.h>", "<SQLiteCpp/Database.h>"),
  "services/reporting/main.cpp": include('"services/reporting/projection/database.hpp"'),
  "tools/replay/main.cpp": include('"broker/base/log.hpp"', '"event_file.hpp"'),
  "tools/replay/event_file.hpp": "",
  "tests/support/all.hpp": include('"edge/http/status.hpp"', '"services/catalogue/table.hpp"', "<nats/nats.h>"),
};

test("a tree that keeps to its rooms passes the check of the layout", () => {
  assert.deepEqual(layout(allowed), { status: 0, lines: [] });
});

const wrong = [
  ["a lower room includes an upper one", "broker/nats/a.cpp",
    '"broker/program/options.hpp"', "does not know broker/program"],
  ["rooms on one floor know each other", "broker/jetstream/a.cpp",
    '"broker/micro/a.hpp"', "does not know broker/micro"],
  ["a lower house includes an upper one", "schemas/a.cpp", '"broker/base/log.hpp"', "does not know broker/base"],
  ["a room of the edge includes what only wires it", "edge/server/a.cpp", '"edge/worker.hpp"', "does not know edge "],
  ["a name without its folder finds the file, too", "edge/http/a.cpp",
    '"../routes/routes.hpp"', "does not know edge/routes"],
  ["a service includes the edge", "services/metadata/a.cpp", '"edge/http/status.hpp"', "does not know edge/http"],
  ["the edge includes a service", "edge/routes/a.cpp",
    '"services/catalogue/table.hpp"', "not know services/catalogue"],
  ["a service includes another", "services/reporting/a.cpp", '"services/catalogue/table.hpp"', "services/catalogue"],
  ["the projection includes its service", "services/reporting/projection/a.cpp",
    '"services/reporting/a.hpp"', "not know"],
  ["Beast outside its room", "edge/routes/a.cpp", "<boost/beast/http.hpp>", "Beast is not for this room"],
  ["Beast outside the edge", "broker/base/a.cpp", "<boost/beast.hpp>", "Beast is not for this room"],
  ["OpenSSL's SSL outside its room", "edge/auth/a.cpp", "<openssl/ssl.h>", "OpenSSL's SSL is not for this room"],
  ["Asio's SSL outside its room", "edge/a.cpp", "<boost/asio/ssl/context.hpp>", "Asio's SSL is not for this room"],
  ["nats.c outside its room", "broker/micro/a.cpp", "<nats/nats.h>", "nats.c is not for this room"],
  ["the wrapper of nats.c outside its room", "broker/micro/a.cpp",
    '"broker/nats/nats_c.hpp"', "nats.c is not for this room"],
  ["SQLite outside its room", "services/reporting/a.cpp", "<sqlite3.h>", "SQLite is not for this room"],
  ["SQLiteCpp outside its room", "services/reporting/a.hpp", "<SQLiteCpp/Database.h>", "SQLite is not for this room"],
  ["cjose in a header", "edge/auth/a.hpp", "<cjose/jwk.h>", "cjose is not for this room"],
  ["a product that includes a test", "edge/http/a.cpp", '"tests/support/all.hpp"', "product code includes a test"],
];

const targets = {
  ...allowed,
  "broker/micro/a.hpp": "",
  "edge/worker.hpp": "",
  "services/reporting/a.hpp": "",
};

for (const [what, path, header, message] of wrong)
  test(`the check of the layout names the line: ${what}`, () => {
    const { status, lines } = layout({ ...targets, [path]: `#include <string>\n  # include ${header}\n` });
    assert.equal(status, 1);
    assert.equal(lines.length, 1, lines.join("\n"));
    assert.ok(lines[0].startsWith(`${path}:2: ${header.slice(1, -1)}: `) && lines[0].includes(message), lines[0]);
  });

test("the check of the layout names files that include each other, also through others and in tests", () => {
  const { status, lines } = layout({
    "schemas/a.hpp": include('"schemas/b.hpp"'),
    "schemas/b.hpp": include("<string>", '"schemas/c.hpp"'),
    "schemas/c.hpp": include('"a.hpp"'),
    "tests/support/x.hpp": include('"y.hpp"'),
    "tests/support/y.hpp": include('"x.hpp"'),
  });
  assert.equal(status, 1);
  assert.deepEqual(lines, [
    "schemas/a.hpp:1: files include each other: schemas/a.hpp → schemas/b.hpp → schemas/c.hpp → schemas/a.hpp",
    "tests/support/x.hpp:1: files include each other: tests/support/x.hpp → tests/support/y.hpp → tests/support/x.hpp",
  ]);
});

test("the check of the layout names a file that is in no room", () => {
  const { status, lines } = layout({ "broker/new/a.cpp": "" });
  assert.deepEqual([status, lines], [1, ["broker/new/a.cpp:1: belongs to no room"]]);
});

/** `words` of ten columns, each with the space before it. */
const words = (count) => " ninechars".repeat(count);

const columns = (files) => {
  const root = tree(files);
  return run("columns", Object.keys(files), root);
};

test("the check of columns takes lines up to the limits", () => {
  const files = {
    "a.cpp": `// ${"x ".repeat(48)}x\nint a;${" ".repeat(112)}//\n`,
    "b.md": `${"x ".repeat(49)}xx\n`,
    "c.txt": `${words(30)}\n`,
  };
  assert.deepEqual(columns(files), { status: 0, lines: [] });
});

test("the check of columns names lines of code, comments and prose that are longer", () => {
  const files = {
    "a.cpp": `\n// ${words(10)}\nint a;${words(12)}\n    /// ${words(10)}\n#include "${"a".repeat(120)}"\n`,
    "b.md": `short\n${words(10)} x\n- item${words(10)}\n`,
    "CMakeLists.txt": `# ${words(10)}\n`,
    "script": `#!/usr/bin/env bash\n# ${words(10)}\necho${words(12)}\n`,
  };
  const { status, lines } = columns(files);
  assert.equal(status, 1);
  assert.deepEqual(lines.map((line) => line.replace(/ columns.*/, "")), [
    "a.cpp:2: comment of 103",
    "a.cpp:3: code of 126",
    "a.cpp:4: comment of 108",
    "a.cpp:5: code of 131",
    "b.md:2: prose of 102",
    "b.md:3: prose of 106",
    "CMakeLists.txt:1: comment of 102",
    "script:2: comment of 102",
    "script:3: code of 124",
  ]);
});

test("the check of columns frees tables, code blocks and lines that cannot be broken", () => {
  const long = "x".repeat(101);
  const blocks = [`|${words(12)} |`, `\`\`\`\n${words(20)}\n\`\`\``, `    code${words(12)}`];
  const unbreakable = [`- <https://${long}>`, `[a]: ${long} "t"`];
  const files = {
    "a.md": `${[...blocks, ...unbreakable].join("\n\n")}\n`,
    "b.cpp": `// https://${long}\n/// - ${long} after\n`,
  };
  assert.deepEqual(columns(files), { status: 0, lines: [] });
});

test("the check of columns counts characters, not bytes", () => {
  assert.deepEqual(columns({ "a.cpp": `// ${"→ ".repeat(48)}x\n` }), { status: 0, lines: [] });
});

test("a paragraph of Markdown that is indented is prose, and so is text after an item of a list", () => {
  const { lines } = columns({ "a.md": `text\n    more${words(10)}\n\n- item\n\n    more${words(10)}\n` });
  assert.deepEqual(lines.map((line) => line.split(" ")[0]), ["a.md:2:", "a.md:6:"]);
});
