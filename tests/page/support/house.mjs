// A system of ./run, a browser, and visitors: each has a profile of its own, and what its pages
// must not do is recorded.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { Runner, eventually, freePorts, programs } from "../../runner/support/runner.mjs";
import { Link } from "./link.mjs";

export { eventually };

const streams = "marquee_edge_live_clients";

export class House {
  visitors = [];
  edges = [];

  static async open() {
    const house = new House();
    house.runner = new Runner();
    try {
      await house.runner.start();
      const options = {
        executablePath: "/usr/bin/chromium",
        args: ["--no-sandbox", "--autoplay-policy=user-gesture-required"],
      };
      house.browser = await chromium.launch(options);
      house.base = `http://127.0.0.1:${house.runner.httpPort}/`;
      house.admin = readFileSync(join(house.runner.data, "admin-token"), "utf8").trim();
      house.link = await Link.open(house.runner.httpPort);
    } catch (error) {
      await house.close();
      throw error;
    }
    return house;
  }

  async close() {
    try {
      await this.browser?.close();
      await this.link?.close();
    } finally {
      for (const edge of this.edges) edge.kill("SIGKILL");
      await this.runner.discard();
    }
  }

  /** One more edge on the same broker; its address, once it listens. */
  async edge(...options) {
    const port = await freePorts();
    const nats = `nats://127.0.0.1:${this.runner.natsPort}`;
    const edge = spawn(
      join(programs, "marquee-edge"),
      ["--server", nats, "--listen", `127.0.0.1:${port}`, ...options],
      { stdio: "ignore" },
    );
    this.edges.push(edge);
    const base = `http://127.0.0.1:${port}/`;
    await eventually("an edge is ready", () => {
      assert.equal(edge.exitCode, null);
      return fetch(`${base}readyz`).then(
        (reply) => reply.ok,
        () => false,
      );
    });
    return base;
  }

  async stop(edge = this.edges.pop()) {
    const ended = once(edge, "exit");
    edge.kill("SIGKILL");
    await ended;
  }

  /** A profile; options are those of a context. Its misdeeds are checked by `leave`. */
  async visitor(options = {}) {
    const visitor = new Visitor(
      this,
      await this.browser.newContext({ viewport: { width: 1280, height: 900 }, ...options }),
    );
    visitor.before = await this.metric(streams);
    await visitor.watch();
    return visitor;
  }

  /** A request of the API; the JSON of its answer, which must be a success. */
  async ask(method, path, body, headers = {}) {
    const sent = body === undefined ? headers : { ...headers, "Content-Type": "application/json" };
    const reply = await fetch(new URL(path, this.base), {
      method,
      body: body && JSON.stringify(body),
      headers: { Authorization: `Bearer ${this.admin}`, ...sent },
    });
    const json = await reply.json();
    assert.ok(reply.ok, `${method} ${path}: ${JSON.stringify(json)}`);
    return json;
  }

  async title(id, record, url) {
    await this.ask("POST", `/content/asset/${encodeURIComponent(id)}`, { genre: "", summary: "", ...record });
    if (url) await this.ask("POST", `/url/asset/${encodeURIComponent(id)}`, { url });
  }

  play(asset, user) {
    return this.ask("POST", `/play/asset/${asset}/user/${user}`);
  }

  async metric(name) {
    const text = await (await fetch(new URL("/metrics", this.base))).text();
    return Number(new RegExp(`^${name} (\\S+)`, "m").exec(text)[1]);
  }
}

class Visitor {
  misdeeds = [];
  requests = [];

  constructor(house, context) {
    Object.assign(this, { house, context });
  }

  async watch() {
    await this.context.exposeBinding("reportViolation", (_, words) => this.misdeeds.push(words));
    await this.context.addInitScript(() =>
      document.addEventListener("securitypolicyviolation", (event) =>
        globalThis.reportViolation(`${event.violatedDirective} ${event.blockedURI}`),
      ),
    );
    this.context.on("request", (request) => this.requests.push(request));
    this.context.on("weberror", (error) => this.misdeeds.push(String(error.error().stack)));
    this.context.on("dialog", (dialog) => {
      this.misdeeds.push(`dialog ${dialog.message()}`);
      dialog.dismiss();
    });
  }

  /** A tab, at `#/…` of the house or of another base. */
  async open(hash = "", base = this.house.base) {
    const page = await this.context.newPage();
    await page.goto(base + hash);
    await page.locator("main h1").waitFor();
    return page;
  }

  async goTo(page, hash) {
    await page.evaluate((to) => {
      location.hash = to;
    }, hash);
  }

  async unlock(page) {
    await page.getByLabel("Admin token").fill(this.house.admin);
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("button", { name: "Lock" }).waitFor();
  }

  /** Ends it: nothing was asked of other origins than `origins`, no script failed, the policy was kept. */
  async leave(...origins) {
    const allowed = [this.house.base, this.house.link.base, ...origins].map((base) => new URL(base).origin);
    const foreign = this.requests
      .map((request) => request.url())
      .filter((url) => !url.startsWith("blob:") && !allowed.includes(new URL(url).origin));
    await this.context.close();
    await eventually("its stream is closed", async () => (await this.house.metric(streams)) <= this.before);
    assert.deepEqual(this.misdeeds, []);
    assert.deepEqual(foreign, []);
  }
}

/** The number under a heading of a title's page. */
export async function figure(page, name) {
  const text = await page.locator(".figures > div", { hasText: name }).locator("dd").textContent();
  return text === "–" ? null : Number(text.replaceAll(",", ""));
}

export const figures = async (page) => ({
  all: await figure(page, "All views"),
  mine: await figure(page, "Your views"),
});

/** Waits until both figures are this many views of somebody new; them. */
export const shown = (page) =>
  eventually("counts are shown", async () => {
    const now = await figures(page);
    return now.mine === 0 && now.all !== null && now;
  });

/** Waits until both figures are these. */
export const counts = (page, all, mine, ms) =>
  eventually(
    `the counts are ${all} and ${mine}`,
    async () => {
      const now = await figures(page);
      return now.all === all && now.mine === mine;
    },
    ms,
  );

/** Waits until the video has played for `seconds` and goes on; its time. */
export const playing = (page, seconds = 0.2) =>
  page
    .waitForFunction((least) => {
      const video = document.querySelector("video");
      return video && !video.paused && video.currentTime >= least ? video.currentTime : 0;
    }, seconds)
    .then((handle) => handle.jsonValue());

export const saysIn = (scope, text, ms = 30_000) => scope.getByText(text).first().waitFor({ timeout: ms });
export const pressPlay = (page) => page.getByRole("button", { name: /^Play/ }).click();
