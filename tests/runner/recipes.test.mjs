// The recipes of the pages, word for word. Those that an operator needs soonest run always,
// the others with MARQUEE_FULL=1.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cook, impossible, recipes } from "./support/recipe.mjs";

const full = process.env.MARQUEE_FULL ? false : "in ./test full";

/** Asserts that each play was answered with 200, and says how many; counts may miss where all is slow. */
function assertNoPlayFailed(t, { acknowledged, outages, wrong }) {
  t.diagnostic(`${acknowledged} plays stored; without counts: ${JSON.stringify(outages)}`);
  assert.deepEqual(wrong, []);
  const failures = Object.keys(outages).filter((each) => each !== "reporting" && each !== "events");
  assert.deepEqual(failures, []);
  assert.ok(acknowledged > 0);
}

/** Tells how long each step of the first day took, from the line that begins it to that of the next. */
function tellFirstDay(t, times) {
  const steps = [
    ["from nothing to a secured system of three brokers and two of everything", /^run=/],
    ["what the doctor finds", /^marquee-doctor .*--credentials/],
    ["an asset and two plays", /^token=/],
    ["reporting dies, until it is two again", /^kill -KILL/],
    ["an edge dies, until it is ready again", /^kill -KILL/],
    ["a backup", /^mkdir backup/],
    ["the end, and the loss", /^kill \d+$/],
    ["a restore, to the same counts", /^mkdir -p data/],
    ["", /^marquee-doctor/],
  ];
  let from = 0;
  const found = steps.map(([, begins]) => {
    const at = times.findIndex(({ line }, i) => i >= from && begins.test(line));
    assert.ok(at >= 0, `${begins}`);
    from = at + 1;
    return times[at].at;
  });
  steps.slice(0, -1).forEach(([what], i) => t.diagnostic(`${what}: ${(found[i + 1] - found[i]).toFixed(1)} s`));
}

const table = {
  "put-a-proxy-in-front": { tools: ["nginx", "haproxy"] },
  "first-day": { skip: full, tools: ["nats"], tell: tellFirstDay },
  "add-an-instance": { viewers: true },
  "roll-without-a-failed-play": { viewers: true },
  "back-up-and-restore": { tools: ["nats"] },
  "upgrade-the-broker-and-go-back": { skip: full },
  "give-a-full-stream-room": { skip: full, tools: ["nats"] },
  "choose---rebuild-or---accept-loss": { skip: full },
  "purge-and-keep-for-a-time": { skip: full, tools: ["nats"] },
  "rotate-secrets": { skip: full },
};

describe("recipes", { skip: impossible }, () => {
  test("each is tried", () => assert.deepEqual([...recipes.keys()], Object.keys(table)));

  for (const [name, { skip = false, viewers, tools, tell }] of Object.entries(table))
    test(name, { skip, timeout: 390_000 }, async (t) => {
      const { audience, times } = await cook(t, name, { viewers, tools });
      tell?.(t, times);
      if (viewers) assertNoPlayFailed(t, audience);
    });
});
