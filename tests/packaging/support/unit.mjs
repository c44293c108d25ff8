// Starts a program as its systemd unit says, where no systemd runs: user, environment, credentials,
// folders of state, and a socket for notifications. What the kernel alone enforces (system calls,
// namespaces) is left out.
import { spawn } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { once } from "node:events";
import { dirname } from "node:path";
import { eventually } from "../../runner/support/runner.mjs";

/** {Unit: {Name: [value, …]}, Service: …}; an empty value drops those before it, as in systemd. */
export function parseUnit(text) {
  const sections = {};
  let section;
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const header = line.match(/^\[(\w+)\]$/);
    if (header) {
      section = sections[header[1]] ??= {};
      continue;
    }
    const [, name, value] = line.match(/^(\w+)=(.*)$/) ?? [];
    if (!section || !name) throw new Error(`no line of a unit: ${line}`);
    section[name] = value === "" ? [] : [...(section[name] ?? []), value];
  }
  return sections;
}

let count = 0;
const dynamicUsers = []; // their names: systemd takes the unit's, without the instance

export class Unit {
  output = "";
  notified = "";
  code = undefined;

  /** `name` is that of an instance, such as marquee-edge@8081.service. */
  constructor(machine, name) {
    const [, template, instance] = name.match(/^([^@]+@)(.+)\.service$/);
    Object.assign(this, { machine, name, template, instance, number: count++ });
    const more = `etc/systemd/system/${template}.service.d`; // as `systemctl edit` writes them
    const dropIns = machine.has(more) ? readdirSync(machine.path(more)).sort() : [];
    const files = [`usr/lib/systemd/system/${template}.service`, ...dropIns.map((file) => `${more}/${file}`)];
    this.service = parseUnit(files.map((file) => machine.text(file)).join("\n")).Service;
    this.credentials = `/run/credentials/${name}`;
  }

  one(name) {
    const values = this.service[name] ?? [];
    if (values.length > 1) throw new Error(`${this.name}: ${name} more than once`);
    return values[0] === undefined ? undefined : this.expand(values[0]);
  }

  all(name) {
    return (this.service[name] ?? []).map((value) => this.expand(value));
  }

  expand(value) {
    const specifiers = { i: this.instance, S: "/var/lib", d: this.credentials, "%": "%" };
    return value.replace(/%(.)/g, (_, letter) => {
      if (!(letter in specifiers)) throw new Error(`${this.name}: %${letter}`);
      return specifiers[letter];
    });
  }

  /** The user of the process: the machine's, or one that is in no list. */
  owner() {
    if (this.one("DynamicUser") === "yes") {
      if (!dynamicUsers.includes(this.template)) dynamicUsers.push(this.template);
      const id = 61_184 + dynamicUsers.indexOf(this.template);
      return { uid: id, gid: id };
    }
    const user = this.machine.user(this.one("User"));
    if (!user || user.uid === 0) throw new Error(`${this.name}: no user ${this.one("User")}`);
    return user;
  }

  makeState({ uid, gid }) {
    for (const name of this.all("StateDirectory")) {
      const folder = this.machine.path("var/lib", name);
      mkdirSync(dirname(folder), { recursive: true });
      mkdirSync(folder, { recursive: true });
      chmodSync(folder, parseInt(this.one("StateDirectoryMode") ?? "0755", 8));
      chownSync(folder, uid, gid);
    }
  }

  giveCredentials({ uid, gid }) {
    const folder = this.machine.path(this.credentials);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const [id, file] of this.all("LoadCredential").map((text) => text.split(":"))) {
      copyFileSync(this.machine.path(file), `${folder}/${id}`);
      chmodSync(`${folder}/${id}`, 0o400);
      chownSync(`${folder}/${id}`, uid, gid);
    }
    chmodSync(folder, 0o500);
    chownSync(folder, uid, gid);
  }

  variables() {
    const lines = this.all("Environment");
    for (const file of this.all("EnvironmentFile").map((name) => name.replace(/^-/, "")))
      if (this.machine.has(file)) lines.push(...this.machine.text(file).trim().split("\n"));
    const given = Object.fromEntries(lines.map((line) => line.match(/^([^=]+)=(.*)$/).slice(1)));
    return { ...given, NOTIFY_SOCKET: `/run/${this.socket}`, CREDENTIALS_DIRECTORY: this.credentials };
  }

  /** Waits until it has notified that it is ready. */
  async start() {
    if (this.one("Type") !== "notify") throw new Error(`${this.name} does not notify`);
    const owner = this.owner();
    this.makeState(owner);
    this.giveCredentials(owner);
    this.socket = `notify.${this.number}`;
    const supervisor = ["-u", `UNIX-RECV:${this.socket},mode=666,unlink-early`, "STDOUT"];
    const folder = this.machine.path("run"); // the whole path may be too long for a socket
    this.supervisor = spawn("socat", supervisor, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
    this.supervisor.stdout.setEncoding("utf8").on("data", (text) => (this.notified += text));
    await eventually("the socket for notifications", () => this.machine.has(`run/${this.socket}`));
    const rights = [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, "--clear-groups", "--no-new-privs"];
    const umask = `umask ${this.one("UMask")}; exec "$@"`;
    const command = ["sh", "-c", umask, "sh", ...this.one("ExecStart").split(" ")];
    this.child = this.machine.spawn(["setpriv", ...rights, "--inh-caps=-all", ...command], this.variables());
    for (const stream of [this.child.stdout, this.child.stderr])
      stream.setEncoding("utf8").on("data", (text) => (this.output += text));
    this.child.on("exit", (code, signal) => (this.code = code ?? signal));
    const about = () => `${this.name} is ready (${this.code}):\n${this.output}`;
    await eventually(about, () => this.notified.includes("READY=1") || this.code !== undefined);
    if (this.code !== undefined) throw new Error(`${this.name} ended (${this.code}):\n${this.output}`);
    return this;
  }

  /** Its exit code, once it has ended in order. */
  async stop() {
    if (this.code === undefined) {
      this.child.kill("SIGTERM");
      await once(this.child, "close");
    }
    await eventually(`${this.name} says that it stops`, () => this.notified.includes("STOPPING=1"));
    this.discard();
    return this.code;
  }

  discard() {
    this.child?.kill("SIGKILL");
    this.supervisor?.kill("SIGKILL");
  }
}
