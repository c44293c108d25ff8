// What is in the packages, and that units, settings, manual pages and completions fit the programs.
import assert from "node:assert/strict";
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { before, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { blocksOfKind } from "../runner/support/pages.mjs";
import { newFolder, programs, source } from "../runner/support/runner.mjs";
import { build, filesOf, makePackages, run, runAlone } from "./support/packages.mjs";

const services = ["edge", "metadata", "cdnurl", "reporting"];
const all = ["marquee", "marquee-edge", "marquee-services", "marquee-tools"];
const root = newFolder(); // all packages unpacked
let packages;
before(async () => {
  packages = await makePackages();
  for (const deb of packages.values()) await run("dpkg-deb", ["--extract", deb, root]);
});

const unitExists = (name) => {
  const file = name.replace(/@.*$/, "@").replace(/^([^.]*)$/, "$1.service");
  assert.ok(readdirSync(join(root, "usr/lib/systemd/system")).includes(file), `no unit ${name}`);
};

const help = (program) =>
  run(program === "marquee-run" ? join(source, "run") : join(programs, program), ["--help"]);
/** The programs, without marquee-run, which is ./run and has a page and a completion written by hand. */
const shipped = () => readdirSync(join(root, "usr/bin")).filter((name) => name !== "marquee-run");

test("there are four packages, and each program has a manual page and a completion in its own", async () => {
  assert.deepEqual([...packages.keys()].sort(), all);
  const found = [];
  for (const deb of packages.values()) {
    const files = await filesOf(deb);
    for (const program of files.filter((file) => file.startsWith("/usr/bin/")).map((file) => basename(file))) {
      found.push(program);
      const section = deb.includes("tools") || program === "marquee-run" ? 1 : 8;
      assert.ok(files.includes(`/usr/share/man/man${section}/${program}.${section}.gz`), program);
      assert.ok(files.includes(`/usr/share/bash-completion/completions/${program}`), program);
    }
  }
  for (const name of services) assert.ok(found.includes(`marquee-${name}`), name);
  for (const name of ["doctor", "export", "import", "replay", "replay-zipf"])
    assert.ok(found.includes(`marquee-${name}`), name);
});

test("the tools have a dashboard and alerts with them", async () => {
  const files = await filesOf(packages.get("marquee-tools"));
  for (const name of ["grafana-dashboard.json", "prometheus-rules.yaml", "prometheus.yaml"])
    assert.ok(files.includes(`/usr/share/marquee/observability/${name}`), name);
});

test("each package has its copyright and the changes of its version", async () => {
  for (const [name, deb] of packages) {
    const folder = join(root, "usr/share/doc", name);
    assert.match(readFileSync(join(folder, "copyright"), "utf8"), /^Copyright: .*\nLicense: Expat$/m);
    const version = (await run("dpkg-deb", ["--field", deb, "Version"])).trim();
    const changes = gunzipSync(readFileSync(join(folder, "changelog.Debian.gz"))).toString();
    assert.ok(changes.startsWith(`${name} (${version}) `), changes);
  }
});

test("an upgrade keeps what is changed in /etc/marquee", async () => {
  for (const [name, deb] of packages) {
    const settings = (await filesOf(deb)).filter((file) => file.startsWith("/etc/"));
    const conffiles = await run("dpkg-deb", ["--info", deb, "conffiles"]).catch(() => "");
    assert.deepEqual(conffiles.trim().split("\n").filter(Boolean).sort(), settings.sort(), name);
  }
});

test("cmake --install puts the files of a component where its package has them", async () => {
  for (const component of ["edge", "services", "tools", "marquee"]) {
    const folder = newFolder();
    await runAlone("cmake", ["--install", build, "--component", component, "--strip"], {
      env: { ...process.env, DESTDIR: folder },
    });
    const installed = (await run("find", [folder, "-type", "f", "-printf", "/%P\n"])).trim().split("\n");
    const name = component === "marquee" ? component : `marquee-${component}`;
    const packed = (await filesOf(packages.get(name))).filter((file) => !file.endsWith("/changelog.Debian.gz"));
    assert.deepEqual(installed.sort(), packed.sort(), component);
  }
});

test("marquee-run looks where this build is installed, and nowhere else", () => {
  const [, prefix] = readFileSync(join(build, "CMakeCache.txt"), "utf8").match(/^CMAKE_INSTALL_PREFIX:PATH=(.*)$/m);
  const script = readFileSync(join(root, "usr/bin/marquee-run"), "utf8");
  assert.ok(script.includes(`MARQUEE_BIN:-${prefix}/bin}`) && script.includes(`${prefix}/share/marquee/run`), script);
  const text = readFileSync(join(source, "packaging/run/marquee-run.in"), "utf8");
  assert.doesNotMatch(text, /\/usr\//);
});

describe("each setting that a configuration file of /etc/marquee shows is one of its program", () => {
  for (const name of services)
    test(name, async () => {
      const text = readFileSync(join(root, "etc/marquee", `${name}.conf`), "utf8");
      const shown = text.replace(/^#(?=[a-z-]+ = )/gm, "");
      assert.notEqual(shown, text, "it shows none");
      const file = join(newFolder(), "a.conf");
      writeFileSync(file, shown);
      await run(join(programs, `marquee-${name}`), ["--print-config", "--config", file]);
    });
});

test("a manual page describes every option, and its name and version", async () => {
  for (const program of shipped()) {
    const folder = join(root, "usr/share/man");
    const page = ["man1", "man8"]
      .flatMap((section) => readdirSync(join(folder, section)).map((file) => join(folder, section, file)))
      .find((file) => basename(file).replace(/\.\d\.gz$/, "") === program);
    const text = gunzipSync(readFileSync(page)).toString().replaceAll("\\-", "-");
    assert.match(text, new RegExp(`^\\.SH NAME\\n${program} - \\w`, "m"));
    for (const [, option] of (await help(program)).matchAll(/^ {2}(?:-. \[ )?(--[a-z-]+)/gm))
      assert.ok(text.includes(`\\fB${option}\\fR`), `${program} ${option}`);
  }
});

test("marquee-run completes the options of ./run", async () => {
  const known = (await run(join(source, "run"), ["--help"])).matchAll(/^ {2}(--[a-z-]+)/gm);
  const completion = readFileSync(join(root, "usr/share/bash-completion/completions/marquee-run"), "utf8");
  assert.deepEqual(completion.match(/--[a-z-]+/g).sort(), [...known].map((found) => found[1]).sort());
});

describe("bash completes", () => {
  const script = (program) => join(root, "usr/share/bash-completion/completions", program);
  const complete = async (...words) => {
    const text = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _${words[0].replaceAll("-", "_")} 2>&1
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const answer = await run("bash", ["-uc", text, script(words[0]), ...words], { cwd: source });
    return answer.trim().split("\n").sort();
  };
  test("options by their beginning", async () => {
    assert.deepEqual(await complete("marquee-edge", "--tlsc"), ["--tlsca", "--tlscert"]);
    assert.deepEqual(await complete("marquee-replay", "--skip"), ["--skip-bad"]);
  });
  test("words, files and folders as values", async () => {
    assert.deepEqual(await complete("marquee-edge", "--batch-views", ""), ["auto", "off"]);
    assert.deepEqual(await complete("marquee-edge", "--log-level", "w"), ["warning"]);
    assert.deepEqual(await complete("marquee-edge", "--config", "READ"), ["README.md"]);
    assert.deepEqual(await complete("marquee-doctor", "--data", "packag"), ["packaging"]);
    assert.deepEqual(await complete("marquee-edge", "--timeout", ""), [""]);
  });
  test("every option of every program", async () => {
    for (const program of shipped()) {
      const known = [...(await help(program)).matchAll(/^ {2}(?:-. \[ )?(--[a-z-]+)/gm)].map((found) => found[1]);
      assert.deepEqual(await complete(program, "--"), known.sort(), program);
    }
  });
});

describe("a unit", () => {
  const folder = join(root, "usr/lib/systemd/system");
  const instances = () => {
    const target = newFolder();
    for (const name of services)
      copyFileSync(join(folder, `marquee-${name}@.service`), join(target, `marquee-${name}@8081.service`));
    return readdirSync(target).map((name) => join(target, name));
  };
  test("is exposed by less than 2.0, as systemd sees it", async () => {
    for (const unit of instances())
      await run("systemd-analyze", ["security", "--offline=true", "--no-pager", "--threshold=19", unit]);
  });
  test("is one that systemd takes, without a word of warning", async () => {
    for (const unit of instances()) {
      const text = readFileSync(unit, "utf8").replaceAll("=/usr/bin/", `=${programs}/`);
      writeFileSync(unit, text);
      const said = await run("bash", ["-c", 'systemd-analyze verify --man=no "$0" 2>&1 || echo refused', unit]);
      assert.equal(said, "", unit);
    }
  });
});

describe("a command of a block `sh packages` fits the packages", () => {
  const lines = blocksOfKind("sh packages").flatMap((block) => block.lines);
  assert.ok(lines.length > 0);
  for (const line of lines)
    test(line, async () => {
      const [program, ...words] = line.split(" ");
      if (program === "apt") {
        const wanted = new RegExp(`^${basename(words[1]).replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
        assert.deepEqual([...packages.values()].filter((deb) => !wanted.test(basename(deb))), []);
      } else if (program.startsWith("marquee-")) {
        const known = await help(program);
        for (const word of words) if (word.startsWith("-")) assert.match(known, new RegExp(`^  ${word} `, "m"));
      } else {
        assert.match(program, /^(systemctl|journalctl)$/);
        const units = words.filter((word) => word.startsWith("marquee"));
        assert.ok(units.length > 0, "no unit");
        units.forEach(unitExists);
      }
    });
});
