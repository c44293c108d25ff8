// A system for one test: nats-server on a free port, Marquee's programs, and a connection of NATS's
// own library.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "@nats-io/transport-node";
import { Process, patience, within } from "./processes.mjs";

export const source = resolve(fileURLToPath(import.meta.url), "../../../..");
const programs = process.env.MARQUEE_BIN ?? join(source, "build/dev/bin");

export const program = (name) => join(programs, name);

function serverPath() {
  return (
    process.env.MARQUEE_NATS_SERVER ??
    execFileSync(join(source, "broker/nats-server/find"), { encoding: "utf8" }).trim()
  );
}

export class System {
  processes = [];
  connections = [];
  as = {}; // options of each connection: who it is

  /**
   * A broker; `start` adds programs. `config` is more configuration, in the server's own language, or
   * a function of the system's folder that returns it.
   */
  static async create(config = "") {
    const system = new System();
    system.config = config;
    process.on("exit", () => system.#removeFolder());
    try {
      system.folder = mkdtempSync(join(tmpdir(), "marquee_npm_"));
      await system.#startBroker();
    } catch (error) {
      await system.end();
      throw error;
    }
    return system;
  }

  async #startBroker() {
    const ports = join(this.folder, "ports");
    mkdirSync(ports);
    const watcher = watch(ports);
    const written = new Promise((done) => watcher.on("change", () => this.#readPort(ports) && done()));
    const file = join(this.folder, "server.conf");
    writeFileSync(file, typeof this.config === "function" ? this.config(this.folder) : this.config);
    const where = ["-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", ports];
    const args = ["-c", file, ...where, "-js", "-sd", join(this.folder, "store")];
    this.broker = this.#add(new Process(serverPath(), args));
    try {
      const ended = this.broker.ended.then(() =>
        Promise.reject(new Error(`nats-server ended:\n${this.broker.output}`)),
      );
      await within(Promise.race([written, ended]), () => `nats-server:\n${this.broker.output}`);
    } finally {
      watcher.close();
    }
  }

  /** The file appears when the server listens; its text may come a moment later. */
  #readPort(folder) {
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".ports"))) {
      try {
        this.url = JSON.parse(readFileSync(join(folder, file), "utf8")).nats[0];
        return true;
      } catch {
        // not whole yet
      }
    }
    return false;
  }

  #add(process) {
    this.processes.push(process);
    return process;
  }

  /**
   * Starts `metadata`, `cdnurl` or `reporting` and waits until it serves; the name is of reporting's
   * database. `url` is of the broker, or of what is between.
   */
  async start(kind, { name = kind, args = [], url = this.url } = {}) {
    const database = kind === "reporting" ? ["--db", join(this.folder, `${name}.db`)] : [];
    const started = this.#add(new Process(program(`marquee-${kind}`), ["--server", url, ...database, ...args]));
    await started.says(kind === "reporting" ? "caught up" : " ready");
    if (kind === "reporting") await this.#pinged(started.name);
    return started;
  }

  /** reporting has caught up before the broker knows its subscriptions; its answer to a ping comes after them. */
  async #pinged(name) {
    const running = this.processes.filter((process) => process.name === name && process.code === null).length;
    const connection = await this.connect();
    const strategy = { strategy: "count", maxMessages: running, maxWait: patience };
    for await (const answer of await connection.requestMany(`$SRV.PING.${name.replace("marquee-", "")}`, "", strategy))
      answer.json();
  }

  async connect(options = {}) {
    const connection = await connect({ servers: this.url, timeout: 20_000, ...this.as, ...options });
    this.connections.push(connection);
    return connection;
  }

  async end() {
    for (const connection of this.connections) await connection.close();
    for (const process of this.processes.reverse()) await process.stop("SIGKILL");
    this.#removeFolder();
  }

  #removeFolder() {
    if (this.folder) rmSync(this.folder, { recursive: true, force: true });
  }
}
