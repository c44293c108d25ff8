import assert from "node:assert/strict";
import { test } from "node:test";
import { counts, eventually, figures, playing, pressPlay, saysIn, shown } from "./support/house.mjs";

export function watching(at) {
  test("a press plays the video and counts once; a pause and going on count nothing", async () => {
    const visitor = await at.house.visitor();
    const page = await visitor.open();
    await page.getByRole("link", { name: "Terminator" }).first().click();
    await page.getByRole("heading", { name: "Terminator", level: 1 }).waitFor();
    const before = await shown(page);
    await pressPlay(page);
    await playing(page, 0.5);
    await counts(page, before.all + 1, 1);
    await page.evaluate(() => document.querySelector("video").pause());
    const stopped = await page.evaluate(() => document.querySelector("video").currentTime);
    await page.evaluate(() => document.querySelector("video").play());
    await playing(page, stopped + 0.2);
    const posts = visitor.requests.filter((request) => request.method() === "POST");
    assert.equal(posts.length, 1);
    assert.match(posts[0].headers()["idempotency-key"], /^"[0-9a-f]{32}"$/);
    assert.deepEqual(await figures(page), { all: before.all + 1, mine: 1 });
    await page.evaluate(() => {
      const video = document.querySelector("video");
      video.currentTime = video.duration - 0.1;
    });
    await page.getByRole("button", { name: /^Play again/ }).click(); // a new view
    await counts(page, before.all + 2, 2);
    const home = await visitor.open();
    await home.getByRole("region", { name: "Continue watching" }).getByRole("link", { name: "Terminator" }).waitFor();
    await visitor.leave();
  });

  test("another client's play arrives at once, in the counts and in the chart", async () => {
    const visitor = await at.house.visitor();
    const page = await visitor.open("#/title/123");
    await saysIn(page.locator("footer"), /^live$/);
    const { all } = await shown(page);
    const bars = () => page.locator(".chart svg").getAttribute("aria-label");
    const before = Number(/(\d+) in all/.exec(await bars())[1]);
    await at.house.play("123", "somebody-else");
    await counts(page, all + 1, 0);
    assert.equal(Number(/(\d+) in all/.exec(await bars())[1]), before + 1);
    await visitor.leave();
  });

  test("a reload in the middle of a play says so, and counts nothing unless pressed", async () => {
    const visitor = await at.house.visitor();
    const page = await visitor.open("#/title/456");
    await pressPlay(page);
    await playing(page, 1.2);
    const { all, mine } = await figures(page);
    await page.reload();
    await saysIn(page, /That play is counted already/);
    await counts(page, all, mine);
    await page.getByRole("button", { name: /^Go on from/ }).click();
    await playing(page, 1);
    assert.deepEqual(await figures(page), { all, mine });
    await page.reload();
    await saysIn(page, /That play is counted already/);
    await pressPlay(page);
    await counts(page, all + 1, mine + 1);
    await visitor.leave();
  });

  test("eight tabs share one stream, and a play in each is seen in all", async () => {
    const visitor = await at.house.visitor();
    const tabs = await Promise.all(Array.from({ length: 8 }, () => visitor.open("#/title/123")));
    for (const tab of tabs) await saysIn(tab.locator("footer"), /^live$/);
    const { all } = await shown(tabs[0]);
    await eventually(
      "there is one stream",
      async () => (await at.house.metric("marquee_edge_live_clients")) === visitor.before + 1,
    );
    for (const tab of tabs) await pressPlay(tab);
    for (const tab of tabs) await counts(tab, all + 8, 8);
    await tabs[0].close(); // perhaps the one that reads: another goes on
    await at.house.play("123", "one-more");
    for (const tab of tabs.slice(1)) await counts(tab, all + 9, 8);
    await visitor.leave();
  });

  test("search as one types, and a genre", async () => {
    const visitor = await at.house.visitor();
    const page = await visitor.open();
    await page.getByRole("searchbox", { name: "Search titles" }).pressSequentially("termi");
    await saysIn(page, "1 title for “termi”");
    await page.getByRole("main").getByRole("link", { name: "Terminator" }).waitFor();
    await page.getByRole("searchbox", { name: "Search titles" }).fill("no such thing");
    await saysIn(page, /No title for/);
    await page.getByRole("searchbox", { name: "Search titles" }).fill("");
    await page.getByRole("link", { name: "horror, 1 title" }).click();
    await page.getByRole("heading", { name: "horror", level: 1 }).waitFor();
    await page.getByRole("main").getByRole("link", { name: /^It\b/ }).waitFor();
    await visitor.leave();
  });

  test("a title without a video says so, and one with an address that is not played names it", async () => {
    await at.house.title("no-video", { title: "No video" });
    await at.house.title("elsewhere", { title: "Elsewhere" }, "rtmp://example.com/live");
    const visitor = await at.house.visitor();
    const page = await visitor.open("#/title/no-video");
    await pressPlay(page);
    await saysIn(page, /has no video yet, so nothing was counted/);
    await visitor.goTo(page, "#/title/elsewhere");
    await page.getByRole("heading", { name: "Elsewhere" }).waitFor();
    await pressPlay(page);
    await saysIn(page, /plays no address of this kind: rtmp:/);
    assert.equal(await page.locator("video, main a[href^=rtmp]").count(), 0);
    await visitor.goTo(page, "#/title/nowhere");
    await page.getByRole("heading", { name: "There is no such title" }).waitFor();
    await visitor.leave();
  });
}
