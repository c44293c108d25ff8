// Pictures of each page at both widths, in the folder that is named.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { House, eventually, playing, pressPlay, saysIn } from "./support/house.mjs";
import { programs } from "../runner/support/runner.mjs";
import { drawing } from "../foreign_client/support/drawing.mjs";

const [folder] = process.argv.slice(2);
const first = "Midnight Crimson Silent Golden Broken Electric Paper Winter Velvet Hollow Distant Neon".split(" ");
const second = "Harbour Express Garden Signal Theatre Horizon Letters Station Orchard Mirror River Parade".split(" ");
const genres = ["drama", "horror", "action", "comedy", "thriller", "romance", "western"];
const { whole, zipf } = drawing(7);

async function fill(house) {
  const ids = ["123", "456"];
  for (let i = 0; i < 60; i++) {
    const title = `${i % 3 === 0 ? "The " : ""}${first[i % 12]} ${second[(i * 5 + Math.floor(i / 12)) % 12]}`;
    const summary = "What happens when nobody is looking, and who is there to see it.";
    ids.push(`m${i}`);
    await house.title(
      `m${i}`,
      { title, genre: genres[whole(7)], summary, year: 1950 + whole(76) },
      "path/to/asset123.mp4",
    );
  }
  // Views of the last day: as CloudEvents they would have times of their own; here all are of now.
  const hour = 3_600_000;
  const now = Date.now();
  const views = [];
  for (let ago = 23; ago >= 0; ago--) {
    const crowd = 40 + Math.round(35 * Math.sin(((now / hour - ago) / 24) * 2 * Math.PI)) + whole(20);
    for (let i = 0; i < crowd; i++) {
      const time = new Date(now - ago * hour - (ago ? whole(hour) : 0)).toISOString();
      views.push({ id: `v${ago}-${i}`, asset: ids[zipf(ids.length)], user: `viewer-${whole(40)}`, time });
    }
  }
  const file = join(folder, "views.ndjson");
  writeFileSync(file, views.map((view) => `${JSON.stringify(view)}\n`).join(""));
  execFileSync(join(programs, "marquee-replay"), [file, "--server", `nats://127.0.0.1:${house.runner.natsPort}`]);
}

const house = await House.open();
try {
  await fill(house);
  for (const [width, height, colorScheme] of [
    [1600, 1000, "dark"],
    [360, 740, "light"],
  ]) {
    const visitor = await house.visitor({ viewport: { width, height }, colorScheme });
    const shoot = (page, name) => page.screenshot({ path: join(folder, `${name}-${width}.png`) });
    const page = await visitor.open();
    await page.getByRole("region", { name: "Trending" }).locator("li").nth(8).waitFor();
    await saysIn(page.locator("footer"), /^live$/);
    await shoot(page, "watch");
    await visitor.goTo(page, "#/title/456");
    await page.getByRole("heading", { name: "Terminator", level: 1 }).waitFor();
    await pressPlay(page);
    await playing(page, 2);
    await shoot(page, "title");
    await visitor.goTo(page, "#/desk");
    await visitor.unlock(page);
    await page.getByRole("button", { name: /^Edit/ }).nth(10).waitFor();
    await shoot(page, "desk");
    await visitor.goTo(page, "#/fleet");
    await saysIn(page, "All is well.");
    const views = page.getByRole("region", { name: "Last views" }).locator("li");
    await eventually("the charts have lines", async () => {
      await house.play(whole(2) ? "123" : "456", "somebody");
      const drawn = await page.locator(".own .spark-line").first().getAttribute("d");
      return drawn.split("L").length > 6 && (await views.count()) > 5;
    });
    await shoot(page, "fleet");
    await visitor.leave();
  }
} finally {
  await house.close();
}
process.exit(0);
