// The packages that ./run, ./bench and ./test install are those whose headers and libraries their
// builds use, by this build's dependency files. So a machine with more packages installed does not
// hide one that is missing in a list.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { programs, source } from "./support/runner.mjs";

const build = resolve(programs, "..");
const run = (...words) =>
  execFileSync(words[0], words.slice(1), {
    encoding: "utf8",
    cwd: source,
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "ignore"],
  });

/** The packages of a list of tools/packages on this release. */
function listed(name) {
  return run("bash", "-c", `source tools/packages; printf '%s\\n' "\${${name}[@]}"`).trim().split("\n");
}

/** These packages and all that they depend on. */
function closure(packages) {
  const depends = new Map();
  const providers = new Map();
  for (const line of run("dpkg-query", "-W", "-f", "${Package}\t${Pre-Depends}, ${Depends}\t${Provides}\n")
    .trim()
    .split("\n")) {
    const [name, needs, provides] = line.split("\t");
    const words = (text) =>
      text
        .split(/[,|]/)
        .map((each) => each.trim().split(/[ :(]/)[0])
        .filter(Boolean);
    depends.set(name, words(needs));
    for (const other of words(provides ?? "")) providers.set(other, [...(providers.get(other) ?? []), name]);
  }
  const all = new Set();
  const queue = [...packages];
  while (queue.length > 0) {
    const name = queue.pop();
    if (all.has(name)) continue;
    all.add(name);
    queue.push(...(depends.get(name) ?? []), ...(depends.has(name) ? [] : (providers.get(name) ?? [])));
  }
  return all;
}

/** The packages that these files belong to, each with one of its files; files of no package are left out. */
function owners(files) {
  const real = [...new Set([...files].map((file) => realpathSync(file)))];
  const found = new Map();
  for (let i = 0; i < real.length; i += 1000) {
    const lines = run("bash", "-c", 'dpkg -S "$@" || true', "owners", ...real.slice(i, i + 1000))
      .trim()
      .split("\n");
    for (const line of lines) {
      const [names, file] = line.split(": ");
      if (file) found.set(names.split(",")[0].split(":")[0], file);
    }
  }
  return found;
}

/** The system's headers by the object file that includes them. */
function* headers() {
  let object;
  for (const line of run("ninja", "-C", build, "-t", "deps").split("\n"))
    if (!line.startsWith(" ")) object = line.split(":")[0];
    else {
      const file = resolve(build, line.trim()); // a cache of compilations may have made it relative
      if (file.startsWith("/usr/")) yield [object, file];
    }
}

const fromTests = (object) => object.startsWith("tests/");
const fromBench = (object) => object.startsWith("tests/bench/") || object.startsWith("tests/support/");

const rows = [
  ["./run", "build_packages", (object) => !fromTests(object) || object.startsWith("tools/replay/")],
  ["./bench", "bench_packages", (object) => !fromTests(object) || fromBench(object)],
  ["./test", "test_packages", () => true],
];

for (const [script, list, builds] of rows)
  test(`every header that ${script} builds with is of a package in its list`, () => {
    const used = new Set();
    for (const [object, header] of headers()) if (builds(object)) used.add(header);
    assert.ok(used.size > 1000, `${used.size} headers`);
    const there = closure(listed(list));
    const missing = [...owners(used)].filter(([name]) => !there.has(name));
    assert.deepEqual(missing, []);
  });

test("every library that the build found is of a package in the list of ./run", () => {
  const cache = readFileSync(resolve(build, "CMakeCache.txt"), "utf8");
  const libraries = [...cache.matchAll(/^(?:\w*LIBRARY\w*|pkgcfg_lib_\w+):FILEPATH=(\/.*)$/gm)]
    .map((match) => match[1])
    .filter(existsSync);
  assert.ok(libraries.length > 3, libraries.join(" "));
  const there = closure(listed("build_packages"));
  assert.deepEqual(
    [...owners(libraries)].filter(([name]) => !there.has(name)),
    [],
  );
});

test("each script installs from the one list and names no package itself", () => {
  for (const script of ["run", "bench", "test"]) {
    const text = readFileSync(resolve(source, script), "utf8");
    assert.match(text, /^\s*source tools\/packages$/m, script);
    assert.doesNotMatch(text, /lib\w+-dev/);
  }
});
