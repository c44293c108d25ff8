import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { eventually, saysIn } from "./support/house.mjs";

const find = async (page, text) => {
  await page.getByRole("searchbox", { name: "Search the catalogue" }).fill(text);
};

export function desk(at) {
  test("a title is added, changed and deleted", async () => {
    const visitor = await at.house.visitor();
    const page = await visitor.open("#/desk");
    await visitor.unlock(page);
    await page.getByRole("button", { name: "Add a title" }).click();
    const form = page.getByRole("dialog");
    await form.getByLabel("Id", { exact: true }).fill("alien");
    await form.getByLabel("Title").fill("Alien");
    await form.getByLabel("Genre").fill("horror");
    await form.getByLabel("Video").fill("path/to/asset123.mp4");
    await form.getByLabel("Further members").fill('{"year":1979}');
    await form.getByRole("button", { name: "Save" }).click();
    await saysIn(page, "Saved Alien.");
    assert.deepEqual(await at.house.ask("GET", "/content/asset/alien"), {
      id: "alien",
      title: "Alien",
      genre: "horror",
      summary: "",
      year: 1979,
    });
    assert.equal((await at.house.ask("GET", "/url/asset/alien")).url, "path/to/asset123.mp4");
    await find(page, "alien");
    await page.getByRole("button", { name: "Edit Alien" }).click();
    await form.getByLabel("Summary").fill("In space");
    await form.getByLabel("Video").fill("");
    await form.getByRole("button", { name: "Save" }).click();
    await form.waitFor({ state: "detached" });
    assert.equal((await at.house.ask("GET", "/content/asset/alien")).summary, "In space");
    await assert.rejects(at.house.ask("GET", "/url/asset/alien"), /asset_not_found/);
    await page.getByRole("button", { name: "Delete Alien" }).click();
    await form.getByRole("button", { name: "Delete" }).click();
    await saysIn(page, "Deleted Alien.");
    await assert.rejects(at.house.ask("GET", "/content/asset/alien"), /asset_not_found/);
    await visitor.leave();
  });

  test("a conflict shows theirs and mine beside each other, and saves what is chosen", async () => {
    await at.house.title("both", { title: "Both", genre: "drama", summary: "as it was" });
    const visitor = await at.house.visitor();
    const page = await visitor.open("#/desk");
    await visitor.unlock(page);
    await find(page, "both");
    await page.getByRole("button", { name: "Edit Both" }).click();
    const form = page.getByRole("dialog");
    await form.getByLabel("Title").fill("Both, mine");
    await form.getByLabel("Summary").fill("my summary");
    await at.house.title("both", { title: "Both, theirs", genre: "comedy", summary: "their summary" });
    await form.getByRole("button", { name: "Save" }).click();
    const conflict = page.getByRole("dialog", { name: "Somebody else changed this" });
    await conflict.waitFor();
    await saysIn(conflict, "Both, theirs");
    await saysIn(conflict, "my summary");
    await conflict.getByRole("radio", { name: "Title: keep Theirs" }).check();
    await conflict.getByRole("radio", { name: "Genre: keep Theirs" }).check();
    await conflict.getByRole("button", { name: "Save what is chosen" }).click();
    await saysIn(page, "Saved Both, theirs.");
    assert.deepEqual(await at.house.ask("GET", "/content/asset/both"), {
      id: "both",
      title: "Both, theirs",
      genre: "comedy",
      summary: "my summary",
    });
    // Deleting what has changed asks again.
    await page.getByRole("button", { name: /^Delete Both/ }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).waitFor();
    await at.house.title("both", { title: "Both, once more" });
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await saysIn(page, /changed since you looked/);
    await page.getByRole("button", { name: "Delete anyway" }).click();
    await saysIn(page, /^Deleted Both/);
    await visitor.leave();
  });

  test("counts of a title by time move, and are saved as CSV; the catalogue is exported", async () => {
    const visitor = await at.house.visitor();
    const page = await visitor.open("#/desk");
    await visitor.unlock(page);
    await visitor.goTo(page, "#/desk/counts/456");
    const sum = page.locator(".big");
    await eventually("counts are shown", async () => /view/.test((await sum.textContent()) ?? ""));
    const number = async () => Number((await sum.textContent()).split(" ")[0].replaceAll(",", ""));
    const before = await number();
    await at.house.play("456", "counted");
    await eventually("the count moves", async () => (await number()) === before + 1);
    const saved = async (name) => {
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
      return readFileSync(await download.path(), "utf8");
    };
    assert.match(await saved("Save as CSV"), /^start,views\n20\d\d-[^\n]*\n/);
    await visitor.goTo(page, "#/desk");
    assert.match(await saved("Catalogue as CSV"), /\n123,It,horror,A very scary movie,path\/to\/asset123.mp4/);
    assert.match(await saved("Catalogue as NDJSON"), /\{"id":"456",.*"url":"path\/to\/asset456.mp4"\}\n/);
    assert.match(await saved("Counts as CSV"), /^id,views,viewers,last\r\n/);
    await visitor.leave();
  });
}
