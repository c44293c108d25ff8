// Child processes of a test: their output and exit code. None outlives the test, however it ends.
import { spawn } from "node:child_process";
import { once } from "node:events";

const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** The limit of every wait without a limit of its own; machines are slow. */
export const patience = 60_000;

/** The result of a promise, or a failure that names what was waited for. */
export async function within(promise, what, ms = patience) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`waited ${ms} ms for ${what()}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export class Process {
  output = "";
  code = null; // the exit code, or the signal
  #changed = [];

  /** The kernel kills it when this process is killed. */
  constructor(program, args, environment = {}) {
    const env = { ...process.env, ...environment };
    this.name = program.slice(program.lastIndexOf("/") + 1);
    this.child = spawn("setpriv", ["--pdeathsig", "KILL", program, ...args], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(this.child);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        this.output += text;
        this.#wake();
      });
    }
    this.ended = once(this.child, "close").then(([code, signal]) => {
      running.delete(this.child);
      this.code = code ?? signal;
      this.#wake();
      return this.code;
    });
  }

  #wake() {
    this.#changed.splice(0).forEach((wake) => wake());
  }

  /** Waits until the output has `text`. */
  async says(text) {
    const found = async () => {
      while (!this.output.includes(text)) {
        if (this.code !== null) throw new Error(`${this.name} ended (${this.code}) before "${text}":\n${this.output}`);
        await new Promise((wake) => this.#changed.push(wake));
      }
    };
    await within(found(), () => `"${text}" of ${this.name}:\n${this.output}`);
  }

  /** Ends it; returns its exit code. */
  async stop(signal = "SIGTERM") {
    this.child.kill(signal);
    return within(this.ended, () => `the end of ${this.name}:\n${this.output}`);
  }
}
