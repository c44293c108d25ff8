// A container without an engine: its image as the root folder, its user, no privileges, exactly its
// environment and its words. The network is this machine's: each port that a container listens on
// is mapped to a free one, in its files and in its words, and names lead to 127.0.0.1.
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Process } from "../support/processes.mjs";
import { freePorts, newFolder } from "../../runner/support/runner.mjs";
import { addFile, writable } from "./image.mjs";

// Kills what is left when this process is gone, however it ended: whoever changes its user is not
// told any more that its parent is gone.
const script = `while read -r pid; do [[ $pid != done ]] || exit 0; pids+=("$pid"); done; kill -KILL "\${pids[@]}"`;
const reaper = spawn("bash", ["-c", script], { stdio: ["pipe", "ignore", "ignore"], detached: true });
reaper.unref();
reaper.stdin.unref?.();

/** Nothing is left to be killed. */
export const allEnded = () => reaper.stdin.end("done\n");

export class Network {
  #ports = new Map(); // "host:port" as containers say it → the free one
  #hosts = new Set(["localhost"]);

  /** A container listens on this port, and is known to others by these names. */
  async open(container, port, names) {
    const free = String(await freePorts());
    for (const name of [container, ...names]) {
      this.#ports.set(`${name}:${port}`, free);
      this.#hosts.add(name);
    }
  }

  /** One more name for a container's port. */
  alias(name, port, container) {
    this.#ports.set(`${name}:${port}`, this.#ports.get(`${container}:${port}`));
    this.#hosts.add(name);
  }

  port(container, port) {
    return this.#ports.get(`${container}:${port}`) ?? `no port ${port} of ${container}`;
  }

  /** A text with the ports mapped, as this container has it. */
  mapped(text, container) {
    const own = (host) => (["0.0.0.0", "127.0.0.1"].includes(host) ? container : host);
    const free = (host, port) => this.#ports.get(`${own(host)}:${port}`) ?? port;
    return text
      .replace(/([\w.-]+):(\d{2,5})\b/g, (_, host, port) => `${host}:${free(host, port)}`)
      .replace(/^(\s*port: )(\d+)$/gm, (_, before, port) => before + free(container, port));
  }

  get hosts() {
    return `127.0.0.1 ${[...this.#hosts].join(" ")}\n`;
  }
}

export class Container {
  /**
   * files: {path: {text, mode, group}}. volumes: {path: {user, group, mode}}, or nothing where a new
   * volume gets what the image has there.
   */
  constructor(network, name, image, { words, user, environment = {}, files = {}, volumes = {}, groups = "" }) {
    Object.assign(this, { network, name, image, user: user.split(":").map(Number), groups });
    this.root = join(newFolder(), "root");
    execFileSync("cp", ["-al", image.root, this.root]); // links: the image's files stay as they are
    addFile(this.root, "/etc/hosts", network.hosts);
    if (existsSync(join(this.root, "/etc/marquee"))) this.#mapOwn("/etc/marquee");
    for (const [path, { text, mode, group = 0 }] of Object.entries(files)) {
      addFile(this.root, path, network.mapped(text, name), mode);
      chownSync(join(this.root, path), 0, group);
    }
    for (const [path, owner] of Object.entries(volumes)) {
      const folder = join(this.root, path);
      if (!owner) continue; // as the image has it
      mkdirSync(folder, { recursive: true });
      chownSync(folder, owner.user, owner.group);
      chmodSync(folder, owner.mode);
    }
    this.volumes = Object.keys(volumes);
    this.words = [...image.entrypoint, ...(words ?? image.command)];
    this.environment = { ...image.environment, HOSTNAME: name, ...environment };
  }

  /** The configuration that its image has. */
  #mapOwn(path) {
    for (const each of readdirSync(join(this.root, path), { withFileTypes: true })) {
      const below = join(path, each.name);
      if (each.isDirectory()) this.#mapOwn(below);
      else addFile(this.root, below, this.network.mapped(readFileSync(join(this.root, below), "utf8"), this.name));
    }
  }

  /** The paths that its user may write and that are in no volume. */
  get writable() {
    return writable(this.root, ...this.user).filter(
      (path) => !this.volumes.some((volume) => path === volume || path.startsWith(`${volume}/`)),
    );
  }

  /** Runs words in it, as `docker exec` and an exec probe do. */
  run(words) {
    const variables = Object.entries(this.environment).map(([name, value]) => `${name}=${value}`);
    const user = [`--userspec=${this.user.join(":")}`, `--groups=${this.groups}`];
    const mapped = words.map((word) => this.network.mapped(word, this.name));
    const command = ["--no-new-privs", "env", "-i", ...variables, "/usr/sbin/chroot", ...user, this.root, ...mapped];
    const started = new Process("setpriv", command);
    reaper.stdin.write(`${started.child.pid}\n`);
    started.name = this.name;
    return started;
  }

  start() {
    this.process = this.run(this.words);
    return this.process;
  }

  /** What the kernel says of its process. */
  get status() {
    const text = readFileSync(`/proc/${this.process.child.pid}/status`, "utf8");
    const of = (name) => text.match(new RegExp(`^${name}:\\s*(.*)$`, "m"))[1].replaceAll("\t", " ");
    return { user: of("Uid"), group: of("Gid"), capabilities: [of("CapPrm"), of("CapEff")], closed: of("NoNewPrivs") };
  }
}
