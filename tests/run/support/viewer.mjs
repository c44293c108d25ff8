// Viewers who play without a pause, and know which counts their answers may show.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

const title = { 123: "It", 456: "Terminator" };

/** Attempted and acknowledged plays of anything. A count lies between the acknowledged and the attempted ones. */
class Tally {
  attempted = 0;
  acknowledged = 0;
}

export class Audience {
  assets = { 123: new Tally(), 456: new Tally() };
  users = {};
  wrong = []; // answers that no failure excuses
  outages = {}; // how often each kind of answer was given in place of a full one
  #viewers = [];
  #over = false;

  /** One viewer at each edge; `isDead(edge)` tells whether that edge may leave a connection unanswered at this moment. */
  constructor(runner, isDead) {
    for (const edge of [0, 1]) this.#viewers.push(this.#watch(runner, edge, isDead));
  }

  async leave() {
    this.#over = true;
    await Promise.all(this.#viewers);
  }

  async #watch(runner, edge, isDead) {
    for (let i = 0; !this.#over; i++) {
      const asset = i % 2 ? 123 : 456;
      const user = `viewer-${edge}-${i % 10}`;
      this.users[user] ??= new Tally();
      const tallies = [this.users[user], this.assets[asset]];
      tallies.forEach((tally) => tally.attempted++);
      const least = tallies.map((tally) => tally.acknowledged + 1);
      const deadBefore = isDead(edge);
      try {
        const answer = await runner.play(asset, user, { edge });
        const outcome = this.#judge(answer, asset, least, tallies);
        if (outcome !== "full") this.outages[outcome] = (this.outages[outcome] ?? 0) + 1;
        if (outcome === "full" || outcome === "reporting") tallies.forEach((tally) => tally.acknowledged++);
        if (answer.status !== 200) await pause(20);
      } catch (error) {
        if (!deadBefore && !isDead(edge)) this.wrong.push(`edge ${edge}: ${error} ${error.cause ?? ""}`);
        this.outages.unanswered = (this.outages.unanswered ?? 0) + 1;
        await pause(20);
      }
    }
  }

  /** What the answer says happened: "full", a part that was left out, or a status that promises nothing. */
  #judge({ status, json, text }, asset, least, tallies) {
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
        assert.ok(least[i] <= count && count <= tallies[i].attempted, `${least[i]} <= ${count} <= ${tallies[i].attempted}`);
      });
      return "full";
    } catch (error) {
      this.wrong.push(`${status} ${text}: ${error.message}`);
      return "wrong";
    }
  }
}
