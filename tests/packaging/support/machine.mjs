// A bare Debian of this machine's release, in which packages are installed. Needs root.
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { source } from "../../runner/support/runner.mjs";
import { run } from "./packages.mjs";

const environment = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", LANG: "C.UTF-8" };
const codename = readFileSync("/etc/os-release", "utf8").match(/^VERSION_CODENAME=(\w+)/m)[1];

// Maintainer scripts may want /proc, which not every container lets root mount; the mount ends with
// the command. A chroot has no mounts of its own to give: there it is done without.
const inside = `mount -t proc proc "$0/proc" 2>/dev/null || true; exec chroot "$0" "$@"`;

export class Machine {
  constructor() {
    const tools = join(source, ".tools");
    mkdirSync(tools, { recursive: true });
    this.root = mkdtempSync(join(tools, "machine."));
    process.on("exit", () => this.discard());
  }

  /** Fetches the bare release, where .tools has none yet, and copies it. */
  async prepare() {
    await run(join(source, "tests/runner/bare_machine"), [codename, this.root]);
    const apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child"];
    const isPossible = await run(apart[0], [...apart.slice(1), "true"]).then(() => true, () => false);
    this.enter = isPossible ? [...apart, "bash", "-c", inside, this.root] : ["chroot", this.root];
  }

  discard() {
    rmSync(this.root, { recursive: true, force: true });
  }

  path(...names) {
    return join(this.root, ...names);
  }

  has(path) {
    return existsSync(this.path(path));
  }

  text(path) {
    return readFileSync(this.path(path), "utf8");
  }

  /** What a command prints that runs in it. */
  run(...words) {
    const [command, ...before] = this.enter;
    return run(command, [...before, ...words], { env: { ...environment, DEBIAN_FRONTEND: "noninteractive" } });
  }

  apt(...words) {
    return this.run("apt-get", "-q", "-y", "--no-install-recommends", ...words);
  }

  /** Installs these packages with what they need, or upgrades to them. */
  async install(packages) {
    const names = [...packages.values()].map((deb) => {
      copyFileSync(deb, this.path("tmp", basename(deb)));
      return `/tmp/${basename(deb)}`;
    });
    await this.apt("-o", "Dpkg::Options::=--force-confold", "install", ...names);
    names.forEach((name) => rmSync(this.path(name)));
  }

  /** {uid, gid, …} of a user, or undefined. */
  user(name) {
    const line = this.text("etc/passwd").match(new RegExp(`^${name}:.*$`, "m"));
    const [, , uid, gid, , home, shell] = line?.[0].split(":") ?? [];
    return line ? { uid: Number(uid), gid: Number(gid), home, shell } : undefined;
  }

  /** A process in it, not awaited: its id is that of the last program that `words` execute. */
  spawn(words, variables) {
    const options = { env: { ...environment, ...variables }, stdio: ["ignore", "pipe", "pipe"] };
    return spawn("chroot", [this.root, ...words], options);
  }

  /** All paths in it but the package manager's own and those of logs. */
  listing() {
    const leftOut = "^/(proc|dev|tmp|run|var/(cache|log|lib/(apt|dpkg|systemd)|backups))(/|$)|^/etc/\\w+-$";
    const words = [this.root, "-xdev", "-printf", "/%P\n"];
    const all = execFileSync("find", words, { encoding: "utf8", maxBuffer: 1 << 26 }).split("\n");
    return all.filter((path) => path && !new RegExp(leftOut).test(path)).sort();
  }
}
