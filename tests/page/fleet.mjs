import assert from "node:assert/strict";
import { test } from "node:test";
import { saysIn } from "./support/house.mjs";

export function fleet(at) {
  test("what is wrong stands at the top in words, until it is well again; views are listed as they come", async () => {
    const visitor = await at.house.visitor();
    const page = await visitor.open("#/fleet");
    await visitor.unlock(page);
    await saysIn(page, "All is well.");
    for (const name of ["metadata", "cdnurl", "reporting"])
      await page.getByRole("heading", { name, level: 3 }).waitFor();
    await at.house.play("123", "seen-by-the-fleet");
    await saysIn(page.getByRole("region", { name: "Last views" }), /^It: view \d+$/);
    const [cdnurl] = at.house.runner.programs("marquee-cdnurl");
    process.kill(cdnurl.pid, "SIGSTOP");
    try {
      await saysIn(page.locator(".health"), /No instance of cdnurl answers/);
    } finally {
      process.kill(cdnurl.pid, "SIGCONT");
    }
    await saysIn(page, "All is well.");
    const changes = visitor.requests.filter((request) => request.method() !== "GET");
    assert.deepEqual(changes, []); // it only reads
    await visitor.leave();
  });
}
