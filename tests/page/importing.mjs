import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { eventually, saysIn } from "./support/house.mjs";

const titles = 1700;

/** 1,700 titles, and 12 rows that cannot be taken; {text, lines: of the bad ones}. */
function file() {
  const rows = ["id,title,genre,summary,url,year,tags"];
  const bad = [
    ",no id,x,,,,",
    "i1,twice,x,,,,",
    "..,dots,x,,,,",
    "short,row",
    `long,${"w".repeat(1025)},x,,,,`,
    "i7,twice too,x,,,,",
    "#SPILL!,of a spreadsheet,x,,,,",
    "many,a,b,c,d,e,f,g",
    "\u0001,control,x,,,,",
    `${"i".repeat(129)},long id,x,,,,`,
    "ctl,a\u0001b,x,,,,",
    'q,"quo"te",x,,,,',
  ];
  const lines = [];
  let line = 2;
  for (let i = 1; i <= titles; i++) {
    const summary = i % 50 === 0 ? '"two\nlines"' : `number ${i}`;
    rows.push(`i${i},"Imported, ${i}",genre ${i % 7},${summary},path/to/asset123.mp4,${1900 + (i % 120)},new|list`);
    line += i % 50 === 0 ? 2 : 1;
    if (i % 140 === 0) {
      rows.push(bad[lines.length]);
      lines.push(line++);
    }
  }
  return { text: `${rows.join("\n")}\n`, lines };
}

export function importing(at) {
  test("1,700 titles with 12 bad rows: dry run, progress, refused rows by line; then all are equal", async () => {
    const { text, lines } = file();
    assert.equal(lines.length, 12);
    const visitor = await at.house.visitor();
    const page = await visitor.open("#/desk");
    await visitor.unlock(page);
    const take = () =>
      page
        .getByLabel("Choose a file")
        .setInputFiles({ name: "titles.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
    const kinds = async () =>
      (await page.locator(".kinds dd").allTextContents()).map((one) => Number(one.replaceAll(",", "")));
    await take();
    await page.getByRole("button", { name: "Import 1,700 titles" }).waitFor();
    assert.deepEqual(await kinds(), [1700, 0, 0, 12]);
    assert.equal((await at.house.ask("GET", "/content/assets?q=imported&limit=1")).total, 0); // a dry run
    await page.getByRole("button", { name: "Import 1,700 titles" }).click();
    await page.getByRole("progressbar", { name: "Import CSV" }).waitFor();
    await saysIn(page, "1,700 titles put, 12 rows refused.", 300_000);
    assert.equal((await at.house.ask("GET", "/content/assets?q=imported&limit=1")).total, titles);
    assert.deepEqual(await at.house.ask("GET", "/content/asset/i50"), {
      id: "i50",
      title: "Imported, 50",
      genre: "genre 1",
      summary: "two\nlines",
      year: "1950",
      tags: ["new", "list"],
    });
    const shown = (await page.locator(".refused tbody tr td:first-child").allTextContents()).map((one) =>
      Number(one.replaceAll(",", "")),
    );
    assert.deepEqual(shown, lines);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save refused rows" }).click(),
    ]);
    const saved = readFileSync(await download.path(), "utf8");
    assert.match(saved, /^line,id,reason\n/);
    for (const line of lines) assert.match(saved, new RegExp(`^${line},`, "m"));
    await take();
    await saysIn(page, /Nothing to import/);
    await eventually("all are equal", async () => (await kinds()).join() === "0,0,1700,12");
    await visitor.leave();
  });

  test("a pause that the edge asks for is kept, and the import goes on", async () => {
    const visitor = await at.house.visitor();
    const page = await visitor.open("#/desk");
    await visitor.unlock(page);
    const text = `id,title\n${Array.from({ length: 20 }, (_, i) => `p${i},Paused ${i}\n`).join("")}`;
    await page.route(
      "**/content/asset/p*",
      (route) => route.fulfill({ status: 429, headers: { "Retry-After": "3" }, json: { code: "rate_limited" } }),
      { times: 3 },
    );
    await page
      .getByLabel("Choose a file")
      .setInputFiles({ name: "p.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
    await page.getByRole("button", { name: "Import 20 titles" }).click();
    await saysIn(page, /asks for a pause of 3 seconds/);
    await saysIn(page, "20 titles put, 0 rows refused.");
    // What a record has beyond the columns stays, also what it got after the dry run.
    const changed = Buffer.from("id,genre,url\np1,drama,path/to/asset456.mp4\np2,,javascript:alert(1)\n");
    await page.getByLabel("Choose a file").setInputFiles({ name: "c.csv", mimeType: "text/csv", buffer: changed });
    await page.getByRole("button", { name: "Import 2 titles" }).waitFor();
    await at.house.title("p1", { title: "Paused 1", year: 2001 });
    await page.getByRole("button", { name: "Import 2 titles" }).click();
    await saysIn(page, "1 title put, 1 row refused.");
    const record = { id: "p1", title: "Paused 1", genre: "drama", summary: "", year: 2001 };
    assert.deepEqual(await at.house.ask("GET", "/content/asset/p1"), record);
    assert.equal((await at.house.ask("GET", "/url/asset/p1")).url, "path/to/asset456.mp4");
    await visitor.leave();
  });

  test("a home of 1,700 titles stays usable", async () => {
    const visitor = await at.house.visitor({ viewport: { width: 360, height: 740 } });
    const page = await visitor.open();
    await page.getByRole("link", { name: /^genre 3, \d+ titles/ }).waitFor();
    const all = page.getByRole("region", { name: "All titles" });
    await all.getByRole("button", { name: "Show more" }).click();
    await eventually("a second page is shown", async () => (await all.locator("li").count()) === 72);
    const began = performance.now();
    await page.getByRole("searchbox", { name: "Search titles" }).fill("imported 1234");
    await page.getByRole("main").getByRole("link", { name: "Imported, 1234" }).waitFor();
    assert.ok(performance.now() - began < 5000, "a search is quick");
    await visitor.leave();
  });
}
