// A Prometheus on a free port, with the rules of packaging/observability, that scrapes once a
// second.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Process, patience } from "../../foreign_client/support/processes.mjs";
import { read } from "./rules.mjs";

const window = "15s";

export async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** The expression with each of its windows as short as a test is. */
export const shortened = (expression) =>
  expression
    .replace(/\[\d+[smhd]\]/g, `[${window}]`)
    .replace(/\boffset \d+[smhd]/g, `offset ${window}`)
    .replaceAll("$__rate_interval", window);

export class Prometheus {
  /** `configuration` is that of packaging/observability with the edge's address in it. */
  static async start(folder, edge, more = "") {
    const made = new Prometheus();
    const configuration = read("packaging/observability/prometheus.yaml")
      .replace("scrape_interval: 15s", "scrape_interval: 1s\n  evaluation_interval: 1s")
      .replaceAll("localhost:8080", edge);
    writeFileSync(join(folder, "prometheus.yaml"), configuration + more);
    writeFileSync(join(folder, "prometheus-rules.yaml"), read("packaging/observability/prometheus-rules.yaml"));
    const port = await freePort();
    made.url = `http://127.0.0.1:${port}`;
    made.process = new Process("prometheus", [
      `--config.file=${join(folder, "prometheus.yaml")}`,
      `--storage.tsdb.path=${join(folder, "prometheus")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    await made.process.says("Server is ready to receive web requests");
    return made;
  }

  async get(path) {
    const answer = await fetch(this.url + path, { signal: AbortSignal.timeout(patience) });
    const { status, data, error } = await answer.json();
    assert.equal(status, "success", `${path}: ${error}`);
    return data;
  }

  /** The series of an expression now, without those that are no number. */
  async query(expression) {
    const { result } = await this.get(`/api/v1/query?query=${encodeURIComponent(expression)}`);
    return result.filter(({ value }) => value[1] !== "NaN");
  }

  /** {name: expression with short windows} of all alerts. */
  async alerts() {
    const { groups } = await this.get("/api/v1/rules?type=alert");
    const all = groups.flatMap(({ rules }) => rules);
    return Object.fromEntries(all.map(({ name, query }) => [name, shortened(query)]));
  }

  /** Waits until each of these expressions has had a series; fails with those that had none. */
  async until(expressions, what) {
    let left = [...expressions];
    await this.#each(async () => {
      const empty = [];
      for (const one of left) if ((await this.query(one)).length === 0) empty.push(one);
      left = empty;
      return left.length === 0;
    });
    assert.deepEqual(left, [], `${what}: no data`);
  }

  /** Waits until none of these expressions has a series at one moment. */
  async untilSilent(expressions, what) {
    let loud;
    await this.#each(async () => {
      loud = [];
      for (const one of expressions) if ((await this.query(one)).length > 0) loud.push(one);
      return loud.length === 0;
    });
    assert.deepEqual(loud, [], `${what}: still true`);
  }

  /** Asks once a scrape, until the answer is yes or the patience is over. */
  async #each(isDone) {
    const end = Date.now() + 3 * patience; // a machine that stalls makes plays slow for a while
    while (!(await isDone()) && Date.now() < end) await pause(500);
  }

  stop() {
    return this.process.stop("SIGKILL");
  }
}
