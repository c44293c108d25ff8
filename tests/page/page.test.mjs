// The page as people use it: one system and one browser for all of them.
import { after, before, describe } from "node:test";
import { House } from "./support/house.mjs";
import { watching } from "./watching.mjs";
import { connection } from "./connection.mjs";
import { credentials } from "./credentials.mjs";
import { desk } from "./desk.mjs";
import { importing } from "./importing.mjs";
import { fleet } from "./fleet.mjs";
import { hostile } from "./hostile.mjs";
import { access } from "./access.mjs";

describe("the page", () => {
  const at = {}; // at.house, from before() on
  before(async () => {
    at.house = await House.open();
  });
  after(() => at.house?.close());
  for (const [name, suite] of Object.entries({
    watching,
    connection,
    credentials,
    desk,
    hostile,
    fleet,
    access,
    importing,
  })) {
    describe(name, () => suite(at));
  }
});
