// ./run as a user starts it: in a folder of its own, on free ports, with the programs of the build
// under test.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const source = resolve(fileURLToPath(import.meta.url), "../../../..");
export const programs = process.env.MARQUEE_BIN ?? join(source, "build/dev/bin");
export const natsServer =
  process.env.MARQUEE_NATS_SERVER ?? execFileSync(join(source, "broker/nats-server/find"), { encoding: "utf8" }).trim();

/** The limit of every wait without a limit of its own; machines are slow. */
export const patience = 60_000;

/** Polls until the result is true, and returns it; fails with a description of what was waited for. */
export async function eventually(what, poll, ms = patience) {
  const end = Date.now() + ms;
  for (;;) {
    const answer = await poll();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${ms} ms until ${typeof what === "function" ? what() : what}`);
    await pause(20);
  }
}

const folders = new Set();
process.on("exit", () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

export function newFolder() {
  const folder = mkdtempSync(join(tmpdir(), "marquee_run_"));
  folders.add(folder);
  return folder;
}

/** A server that takes a port of 127.0.0.1, or nothing if it is taken. */
export function listen(port) {
  return new Promise((done) => {
    const server = createServer();
    server.once("listening", () => done(server));
    server.once("error", () => done(undefined));
    server.listen(port, "127.0.0.1");
  });
}

const handedOut = new Set();

/** The first of so many free ports in a row: below the ephemeral ports, above those of the C++ tests. */
export async function freePorts(count = 1) {
  for (;;) {
    const first = 21_000 + Math.floor(Math.random() * 11_000);
    const all = Array.from({ length: count }, (_, i) => first + i);
    if (all.some((port) => handedOut.has(port))) continue;
    all.forEach((port) => handedOut.add(port));
    const servers = await Promise.all(all.map(listen));
    await Promise.all(servers.map((server) => server && new Promise((done) => server.close(done))));
    if (servers.every((server) => server)) return first;
  }
}

function read(...path) {
  try {
    return readFileSync(join("/proc", ...path), "utf8");
  } catch {
    return ""; // it ended meanwhile
  }
}

let count = 0;

export class Runner {
  stdout = "";
  stderr = "";
  code = undefined; // the exit code, or the signal

  /**
   * `options` go to ./run, which is not started yet. What it starts inherits a mark by which it is
   * found, whatever its parent is by then.
   */
  constructor({
    data = join(newFolder(), "data"),
    httpPort,
    natsPort,
    options = [],
    environment = {},
    bin = programs,
  } = {}) {
    Object.assign(this, { data, httpPort, natsPort, options });
    this.mark = `MARQUEE_RUN_TEST=${process.pid}-${count++}`;
    this.environment = { ...process.env, MARQUEE_BIN: bin, NATS_SERVER: natsServer, ...environment };
    this.environment.MARQUEE_RUN_TEST = this.mark.split("=")[1];
    for (const name of Object.keys(this.environment))
      if (this.environment[name] === undefined) delete this.environment[name];
  }

  /** Does not wait. The script has a process group of its own, as a shell gives it. */
  async launch() {
    this.httpPort ??= await freePorts(2);
    this.natsPort ??= await freePorts(6);
    this.stdout = this.stderr = "";
    this.code = undefined;
    const where = ["--http-port", this.httpPort, "--nats-port", this.natsPort, "--data", this.data];
    const words = [...where, ...this.options].map(String);
    this.child = spawn(join(source, "run"), words, {
      env: this.environment,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout.setEncoding("utf8").on("data", (text) => (this.stdout += text));
    this.child.stderr.setEncoding("utf8").on("data", (text) => (this.stderr += text));
    this.child.on("exit", (code, signal) => (this.code = code ?? signal));
    this.closed = once(this.child, "close"); // later than exit: a process that is left holds the pipes
    return this;
  }

  /** Waits until it prints that it is ready. */
  async start() {
    await this.launch();
    await eventually(
      () => `./run is ready:\n${this.stderr}`,
      () => this.stdout.includes("\n") || this.code !== undefined,
    );
    if (!this.stdout.includes("\n")) throw new Error(`./run ended (${this.code}):\n${this.stderr}`);
    return this;
  }

  /** The exit code, once no process that it started is left. */
  async ended() {
    await eventually(
      () => `./run ends:\n${this.stderr}`,
      () => this.code !== undefined,
    );
    await eventually(
      () => `nothing is left of ./run: ${JSON.stringify(this.processes())}`,
      () => this.processes().length === 0,
      20_000,
    );
    await this.closed;
    return this.code;
  }

  async stop(signal = "SIGTERM") {
    this.child.kill(signal);
    return this.ended();
  }

  /** Ends all processes and removes the folder, however the test ended. */
  async discard() {
    if (!this.child) return;
    for (const each of this.processes()) process.kill(each.pid, "SIGCONT");
    if (this.code === undefined) this.child.kill("SIGTERM");
    await eventually("./run ends", () => this.code !== undefined).catch(() => this.child.kill("SIGKILL"));
    for (const each of this.processes()) process.kill(each.pid, "SIGKILL");
  }

  /** The processes of this ./run, itself included: {pid, name, words} of each. */
  processes() {
    const all = [];
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      if (!read(pid, "environ").split("\0").includes(this.mark)) continue;
      const words = read(pid, "cmdline").split("\0").slice(0, -1);
      const isScript = words[1]?.endsWith("/run");
      if (words.length > 0) all.push({ pid: Number(pid), name: basename(words[isScript ? 1 : 0]), words });
    }
    return all;
  }

  /** The programs among them. */
  programs(name = "") {
    const known = /^(nats-server|marquee-.*)$/;
    return this.processes().filter((each) => known.test(each.name) && (name === "" || each.name === name));
  }

  log(name) {
    return readFileSync(join(this.data, "log", `${name}.log`), "utf8");
  }

  async call(method, path, { edge = 0, headers = {}, body } = {}) {
    const url = `http://127.0.0.1:${this.httpPort + edge}${path}`;
    const signal = AbortSignal.timeout(patience);
    const reply = await fetch(url, { method, headers: { connection: "close", ...headers }, body, signal });
    const text = await reply.text();
    return { status: reply.status, text, json: text && JSON.parse(text) };
  }

  play(asset, user, options) {
    return this.call("POST", `/play/asset/${asset}/user/${user}`, options);
  }
}

/** Runs `body` with a ./run, of which no process is left afterwards. */
export async function withRunner(settings, body) {
  const runner = new Runner(settings);
  try {
    await body(runner);
  } finally {
    await runner.discard();
  }
}
