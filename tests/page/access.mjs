import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { eventually, playing, saysIn } from "./support/house.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds on a page, in words. */
async function violations(page) {
  await page.evaluate(axe);
  const { violations: found } = await page.evaluate(() => globalThis.axe.run());
  return found.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join("; ")}`,
  );
}

const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

/** Each page once it shows what it has. */
async function eachPage(visitor, look) {
  await visitor.house.play("123", "somebody");
  const page = await visitor.open();
  await page.getByRole("region", { name: "Trending" }).locator("li").first().waitFor();
  await page.getByRole("region", { name: "Genres" }).waitFor();
  await look(page, "home");
  await visitor.goTo(page, "#/title/123");
  await page.getByRole("heading", { name: "It", level: 1 }).waitFor();
  await page.locator(".chart svg").waitFor();
  await look(page, "title");
  await visitor.goTo(page, "#/genre/horror");
  await page.getByRole("main").getByRole("link", { name: /^It\b/ }).first().waitFor();
  await look(page, "genre");
  await visitor.goTo(page, "#/desk");
  await page.getByLabel("Admin token").waitFor();
  await look(page, "unlock");
  await visitor.unlock(page);
  await page.getByRole("button", { name: "Edit It", exact: true }).waitFor();
  await look(page, "desk");
  await page.getByRole("button", { name: "Edit It", exact: true }).click();
  await page.getByRole("dialog").waitFor();
  await look(page, "edit");
  await page.keyboard.press("Escape");
  await visitor.goTo(page, "#/desk/counts/123");
  await page.locator(".chart svg").waitFor();
  await look(page, "counts");
  await visitor.goTo(page, "#/fleet");
  await saysIn(page, "All is well.");
  await look(page, "fleet");
}

export function access(at) {
  for (const [colorScheme, width, height] of [
    ["dark", 360, 740],
    ["light", 1600, 1000],
    ["light", 360, 740],
    ["dark", 1600, 1000],
  ]) {
    test(`no page breaks a rule of axe, or is wider than the screen: ${colorScheme}, ${width} px`, async () => {
      const visitor = await at.house.visitor({ colorScheme, viewport: { width, height }, reducedMotion: "reduce" });
      await eachPage(visitor, async (page, name) => {
        assert.deepEqual(await violations(page), [], name);
        assert.ok(await fits(page), `${name} fits`);
        const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        assert.equal(ground === "rgb(18, 16, 23)", colorScheme === "dark");
      });
      await visitor.leave();
    });
  }

  test("by keyboard alone: skip the head, pick a title, play it, and pause", async () => {
    await at.house.play("123", "somebody");
    const visitor = await at.house.visitor();
    const page = await visitor.open();
    await page.getByRole("region", { name: "Trending" }).getByRole("link", { name: /^It\b/ }).waitFor();
    const press = (key) => page.keyboard.press(key);
    const focused = () =>
      page.evaluate(() => (document.activeElement.matches("ul") ? "" : (document.activeElement.innerText ?? "")));
    await press("Tab");
    assert.equal(await focused(), "Skip to the content");
    await press("Enter");
    const tabTo = async (pattern) => {
      for (let i = 0; i < 60; i++) {
        if (pattern.test(await focused())) return;
        await press("Tab");
      }
      assert.fail(`${pattern} is not reached`);
    };
    await tabTo(/^It\b/);
    const outlined = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outlined, "solid");
    await press("Enter");
    await page.getByRole("heading", { name: "It", level: 1 }).waitFor();
    await eventually("the heading has the focus", async () => (await focused()) === "It");
    await tabTo(/^Play$/);
    await press("Enter");
    await playing(page);
    await press("Space"); // the video has the focus
    await page.waitForFunction(() => document.querySelector("video").paused);
    await visitor.leave();
  });

  test("everything but the videos is under 100 KB, as it is sent", async () => {
    const visitor = await at.house.visitor();
    const sizes = [];
    visitor.context.on("requestfinished", async (request) => {
      const { pathname } = new URL(request.url());
      if (pathname === "/" || pathname.startsWith("/page/"))
        sizes.push(request.sizes().then((size) => [pathname, size.responseBodySize + size.responseHeadersSize]));
    });
    const page = await visitor.open();
    await visitor.goTo(page, "#/title/123");
    await page.getByRole("heading", { name: "It", level: 1 }).waitFor();
    await visitor.goTo(page, "#/desk");
    await visitor.unlock(page);
    await page
      .getByLabel("Choose a file")
      .setInputFiles({ name: "x.csv", mimeType: "text/csv", buffer: Buffer.from("id\nx\n") });
    await saysIn(page, "Dry run: what the import would do");
    await visitor.goTo(page, "#/fleet");
    await saysIn(page, "All is well.");
    const all = new Map(await Promise.all(sizes));
    const sum = [...all.values()].reduce((a, b) => a + b, 0);
    assert.ok(all.size > 20, [...all.keys()].join());
    assert.ok(sum < 100_000, `${sum} bytes: ${JSON.stringify([...all])}`);
    await visitor.leave();
  });
}
