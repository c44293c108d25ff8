import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { freePorts } from "../runner/support/runner.mjs";
import { eventually, playing, pressPlay, saysIn } from "./support/house.mjs";

const secret = "a-secret-of-more-than-thirty-two-characters";
const part = (value) => Buffer.from(value).toString("base64url");
function token(sub, seconds) {
  const claims = { sub, exp: Math.floor(Date.now() / 1000) + seconds };
  const text = `${part('{"alg":"HS256"}')}.${part(JSON.stringify(claims))}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

export function credentials(at) {
  test("an edge with keys asks for a token, which is in no address, cookie or store", async () => {
    const key = join(at.house.runner.data, "jwt-key");
    writeFileSync(key, `${secret}\n`, { mode: 0o600 });
    const base = await at.house.edge("--jwt-key", key);
    const visitor = await at.house.visitor();
    const page = await visitor.open("#/title/456", base);
    await pressPlay(page);
    await saysIn(page, /Paste your token above/);
    const use = async (text) => {
      await page.getByLabel("Your token").fill(text);
      await page.getByRole("button", { name: "Use" }).click();
    };
    await use("nonsense");
    await saysIn(page, /This is no token/);
    await use(token("ana", -5));
    await pressPlay(page);
    await saysIn(page, /Your token has expired/);
    await page.getByRole("button", { name: "Forget the token" }).click();
    const good = token("ana", 600);
    await use(good);
    await saysIn(page, "Watching as ana");
    await pressPlay(page);
    await playing(page);
    await eventually(
      "the counts are shown",
      async () => (await page.locator(".figures dd").last().textContent()) === "1",
    );
    assert.ok(visitor.requests.every((request) => !request.url().includes(good)));
    assert.deepEqual(await visitor.context.cookies(), []);
    const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    assert.ok(!stored.includes(good.slice(0, 30)));
    await visitor.leave(base);
    await at.house.stop();
  });

  test("with --admin-listen the Desk and the Fleet are at that address only, and Watch at both", async () => {
    const adminPort = await freePorts();
    const tokenFile = join(at.house.runner.data, "admin-token");
    const base = await at.house.edge("--admin-listen", `127.0.0.1:${adminPort}`, "--admin-token-file", tokenFile);
    const adminBase = `http://127.0.0.1:${adminPort}/`;
    const visitor = await at.house.visitor();
    const page = await visitor.open("#/title/123", base);
    assert.equal(await page.getByRole("link", { name: "Desk" }).isVisible(), false);
    await visitor.goTo(page, "#/fleet");
    await saysIn(page, /an address of its own for it/);
    const inside = await visitor.open("#/desk", adminBase);
    await visitor.unlock(inside);
    await visitor.goTo(inside, "#/title/123");
    await pressPlay(inside);
    await playing(inside);
    await visitor.leave(base, adminBase);
    await at.house.stop();
  });

  test("the admin token is checked, and forgotten by a reload", async () => {
    const visitor = await at.house.visitor();
    const page = await visitor.open("#/desk");
    await page.getByLabel("Admin token").fill("a-wrong-token-of-some-length");
    await page.getByRole("button", { name: "Open" }).click();
    await saysIn(page, /token was not accepted/);
    await visitor.unlock(page);
    const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    assert.ok(!stored.includes(at.house.admin));
    await page.reload();
    await page.getByLabel("Admin token").waitFor();
    await visitor.leave();
  });
}
