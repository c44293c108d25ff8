import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, pressPlay, saysIn } from "./support/house.mjs";

const markup = "<img src=https://evil.example/x onerror=alert(1)><script>alert(2)</script>";
const hostiles = {
  "<svg/onload=alert(3)>": { title: markup, genre: markup, summary: markup, [markup]: markup, tags: [markup] },
  "'\"><b>": {
    title: "\u202egnihtemos\u2066",
    genre: "\u202e",
    summary: "\u2067 bidi \u202e",
    poster: "javascript:alert(4)",
  },
  ["w".repeat(128)]: {
    title: "w".repeat(1024),
    genre: "g".repeat(1024),
    summary: "s".repeat(1024),
    poster: "//evil.example/p.png",
  },
  "%2e%2e": {
    title: "%3Cscript%3E",
    genre: "a/b?c#d",
    poster: "data:image/svg+xml,<svg onload=alert(5)>",
    __proto: { toString: 1 },
  },
  "é/ü ?#&": { title: "{{7*7}} ${7*7}", genre: "javascript:alert(6)", poster: "http://evil.example/p.png" },
  blank: { title: "", genre: "", poster: "\\\\evil.example\\p.png", year: 1e30 },
};
const addresses = [
  "javascript:alert(7)",
  " javascript:alert(8)",
  "java\tscript:alert(9)",
  "data:text/html,<script>alert(10)</script>",
  "//evil.example/v.mp4",
  "\\\\evil.example\\v.mp4",
  "/\\evil.example/v.mp4",
  "../../healthz",
  "a/%2e%2E/%2e%2e/healthz",
  "vbscript:x",
  "blob:https://evil.example/1",
  "file:///etc/passwd",
  "rtmp://evil.example/x",
  "",
  7,
  null,
];

export function hostile(at) {
  test("hostile titles make no request and run no script, on no page", async () => {
    for (const [id, record] of Object.entries(hostiles)) {
      await at.house.title(id, record, "path/to/asset123.mp4");
      await at.house.ask("POST", `/play/asset/${encodeURIComponent(id)}/user/${encodeURIComponent("<b>\u202e")}`);
    }
    const longIds = Array.from({ length: 12 }, (_, i) => `${"ü".repeat(62)}${i}`); // together more than a target
    for (const id of longIds) {
      await at.house.title(id, { title: `Long ${id}` });
      for (const user of ["a", "b"]) await at.house.ask("POST", `/events/asset/${encodeURIComponent(id)}/user/${user}`);
    }
    const visitor = await at.house.visitor({ viewport: { width: 360, height: 740 } });
    const page = await visitor.open();
    await saysIn(page.getByRole("region", { name: "Trending" }), /^Long ü/);
    await saysIn(page.getByRole("region", { name: "All titles" }), markup);
    for (const [id, record] of Object.entries(hostiles)) {
      await visitor.goTo(page, `#/title/${encodeURIComponent(id)}`);
      await eventually(
        "its page is shown",
        async () => (await page.locator("h1").textContent()) === (record.title || "Untitled"),
      );
      await eventually("its id is shown", async () => (await page.locator(".members dd").first().textContent()) === id);
    }
    await visitor.goTo(page, `#/genre/${encodeURIComponent(markup)}`);
    await saysIn(page, "1 title");
    await visitor.goTo(page, "#/desk");
    await visitor.unlock(page);
    await saysIn(page.locator("table"), markup);
    await page.getByRole("button", { name: "Edit <img" }).click();
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByLabel("Choose a file").setInputFiles({
      name: `${markup}.csv`,
      mimeType: "text/csv",
      buffer: Buffer.from(`id,title,"${markup}"\n"${markup}","${markup}",x\n`),
    });
    await saysIn(page, "Dry run: what the import would do");
    await visitor.goTo(page, "#/fleet");
    await saysIn(page, "All is well.");
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
    for (const lost of ["#/title/%", "#/<b>", "#/title/%00", "#/title/..", "#/genre/%ff"]) {
      await visitor.goTo(page, lost);
      await page.locator("main h1, main [role=alert]").first().waitFor();
    }
    await visitor.leave();
  });

  test("addresses of a video that are no https, no http and no path are named, and go nowhere", async () => {
    const visitor = await at.house.visitor();
    const page = await visitor.open("#/title/123");
    for (const url of addresses) {
      await page.route(
        "**/play/**",
        (route) => route.fulfill({ json: { id: "123", url, userviews: 1, assetviews: 1 } }),
        { times: 1 },
      );
      await pressPlay(page);
      await saysIn(page, /plays no address of this kind/);
      assert.equal(await page.locator("video, iframe, main a[target]").count(), 0, String(url));
      await page.reload();
      await page.getByRole("button", { name: /^Play/ }).waitFor();
    }
    await page.route("**/play/**", (route) => route.fulfill({ json: { id: "123", url: "http://example.com/v.mp4" } }), {
      times: 1,
    });
    await pressPlay(page);
    assert.equal(
      await page.getByRole("link", { name: "Open the video" }).getAttribute("href"),
      "http://example.com/v.mp4",
    );
    await visitor.leave();
  });
}
