// Viewers that play without a pause, and check the counts of their answers.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

const title = { 123: "It", 456: "Terminator" };

/** Attempted and acknowledged plays of one asset or user: its count lies between the two. */
class Counter {
  attempted = 0;
  acknowledged = 0;
}

export class Audience {
  assets = { 123: new Counter(), 456: new Counter() };
  users = {};
  wrong = []; // answers that are wrong in any state of the system
  outages = {}; // how often each kind of incomplete answer was given
  #viewers = [];
  #over = false;

  /** So many viewers at each edge; `isDead(edge)`: that edge may leave a connection unanswered now. */
  constructor(runner, isDead, atEach = 1) {
    for (let i = 0; i < atEach; i++) for (const edge of [0, 1]) this.#viewers.push(this.#watch(runner, edge, isDead));
  }

  /** The number of plays that are known to be stored. */
  get acknowledged() {
    return this.assets[123].acknowledged + this.assets[456].acknowledged;
  }

  async leave() {
    this.#over = true;
    await Promise.all(this.#viewers);
  }

  async #watch(runner, edge, isDead) {
    for (let i = 0; !this.#over; i++) {
      const asset = i % 2 ? 123 : 456;
      const user = `viewer-${edge}-${i % 10}`;
      this.users[user] ??= new Counter();
      const counters = [this.users[user], this.assets[asset]];
      counters.forEach((counter) => counter.attempted++);
      const least = counters.map((counter) => counter.acknowledged + 1);
      const deadBefore = isDead(edge);
      try {
        const answer = await runner.play(asset, user, { edge });
        const outcome = this.#check(answer, asset, least, counters);
        if (outcome !== "full") this.outages[outcome] = (this.outages[outcome] ?? 0) + 1;
        if (outcome === "full" || outcome === "reporting") counters.forEach((counter) => counter.acknowledged++);
        if (answer.status !== 200) await pause(20);
      } catch (error) {
        if (!deadBefore && !isDead(edge)) this.wrong.push(`edge ${edge}: ${error} ${error.cause ?? ""}`);
        this.outages.unanswered = (this.outages.unanswered ?? 0) + 1;
        await pause(20);
      }
    }
  }

  /** The outcome by the answer: "full", the part that is missing, or a status without a promise. */
  #check({ status, json, text }, asset, least, counters) {
    if ((status === 503 || status === 504) && json.status === status) return status;
    try {
      assert.equal(status, 200);
      assert.deepEqual([json.id, json.title, json.url], [String(asset), title[asset], `path/to/asset${asset}.mp4`]);
      if (json.degraded) {
        assert.deepEqual([json.userviews, json.assetviews], [null, null]);
        assert.equal(json.degraded.length, 1);
        assert.ok(["events", "reporting"].includes(json.degraded[0]));
        return json.degraded[0];
      }
      [json.userviews, json.assetviews].forEach((count, i) => {
        assert.ok(
          least[i] <= count && count <= counters[i].attempted,
          `${least[i]} <= ${count} <= ${counters[i].attempted}`,
        );
      });
      return "full";
    } catch (error) {
      this.wrong.push(`${status} ${text}: ${error.message}`);
      return "wrong";
    }
  }
}
