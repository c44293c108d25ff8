import assert from "node:assert/strict";
import { test } from "node:test";
import { counts, eventually, playing, pressPlay, saysIn, shown } from "./support/house.mjs";

export function connection(at) {
  test("connection lost and back: it says so, what was missed arrives, and plays go on", async () => {
    const { link } = at.house;
    const visitor = await at.house.visitor();
    const page = await visitor.open("#/title/123", link.base);
    await saysIn(page.locator("footer"), /^live$/);
    const { all } = await shown(page);
    link.cut();
    await saysIn(page.locator("footer"), /not live|connecting/);
    await pressPlay(page);
    await saysIn(page, /The edge cannot be reached/);
    await at.house.play("123", "meanwhile");
    link.restore();
    await saysIn(page.locator("footer"), /^live$/);
    await counts(page, all + 1, 0);
    await page.getByRole("button", { name: "Try the same play again" }).click();
    await playing(page);
    await counts(page, all + 2, 1);
    await visitor.leave();
  });

  test("a play whose answer is lost is retried under its key, and counts once", async () => {
    const visitor = await at.house.visitor();
    const page = await visitor.open("#/title/456");
    const { all } = await shown(page);
    await page.route(
      "**/play/**",
      async (route) => {
        await route.fetch();
        await route.abort();
      },
      { times: 1 },
    );
    await pressPlay(page);
    await page.getByRole("button", { name: "Try the same play again" }).click();
    await playing(page);
    await counts(page, all + 1, 1);
    const keys = visitor.requests
      .filter((request) => request.method() === "POST")
      .map((one) => one.headers()["idempotency-key"]);
    assert.equal(keys.length, 2);
    assert.equal(keys[0], keys[1]);
    await visitor.leave();
  });

  test("degraded answers and limits are said plainly", async () => {
    const visitor = await at.house.visitor();
    const page = await visitor.open("#/title/456");
    const answers = [
      [{ status: 429, headers: { "Retry-After": "7" }, json: { code: "rate_limited" } }, /Try again in 7 seconds/],
      [{ status: 503, json: { code: "no_responders" } }, /A service that is needed is away/],
      [
        {
          status: 200,
          json: { id: "456", url: "path/to/asset456.mp4", userviews: null, assetviews: null, degraded: ["reporting"] },
        },
        /This view is stored; the counts come a little later/,
      ],
    ];
    for (const [answer, words] of answers) {
      await page.route("**/play/**", (route) => route.fulfill(answer), { times: 1 });
      await pressPlay(page);
      await saysIn(page, words);
    }
    await playing(page);
    await visitor.leave();
  });

  test("a hidden page lets its stream go, and reads on when it is seen", async () => {
    const visitor = await at.house.visitor();
    const page = await visitor.open("#/title/123");
    await saysIn(page.locator("footer"), /^live$/);
    const { all } = await shown(page);
    const turn = (state) =>
      page.evaluate((to) => {
        Object.defineProperty(document, "visibilityState", { value: to, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, state);
    await turn("hidden");
    await eventually(
      "the stream is closed",
      async () => (await at.house.metric("marquee_edge_live_clients")) === visitor.before,
    );
    await at.house.play("123", "unseen");
    await turn("visible");
    await counts(page, all + 1, 0);
    await visitor.leave();
  });
}
