// Every `nats …` line of the README, done as the CLI does it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { jetstream } from "@nats-io/jetstream";
import { Svcm } from "@nats-io/services";
import { get } from "./support/requests.mjs";
import { assertFits } from "./support/schemas.mjs";
import { System, source } from "./support/system.mjs";

let system;
let nats;
before(async () => {
  system = await System.create();
  await Promise.all(["metadata", "cdnurl", "reporting"].map((kind) => system.start(kind)));
  nats = await system.connect();
});
after(() => system.end());

/** The commands of the README: the lines of an indented or fenced block that begin with `nats`. */
const blocks = readFileSync(join(source, "README.md"), "utf8").match(/^```[^]*?^```$|^(?: {4}.*\n?)+/gm);
const commands = blocks
  .filter((block) => !block.includes("──")) // the picture
  .flatMap((block) => block.split("\n"))
  .map((line) => line.trim().replace(/^\$ /, ""))
  .filter((line) => line.startsWith("nats "));

/** A command's words; single quotes as the shell takes them. */
const words = (command) => [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare);

const stored = { status: "ok", revision: 3 }; // the third message of its bucket, after the two seeds
const client = (count) => new Svcm(nats).client({ strategy: "count", maxMessages: count, maxWait: 20_000 });

async function all(answers, schema) {
  const found = [];
  for await (const answer of await answers) found.push(answer);
  found.forEach((answer) => assertFits(schema, answer));
  return found.sort((x, y) => x.name.localeCompare(y.name));
}

// What each line must show. A line without an entry here fails, and so does an entry without its line.
const shown = {
  "nats req metadata.get.123 ''": { id: "123", title: "It", genre: "horror", summary: "A very scary movie" },
  'nats req metadata.put.789 \'{"title":"Alien","genre":"horror","summary":"In space"}\'': stored,
  'nats req cdnurl.put.789 \'{"url":"path/to/asset789.mp4"}\'': stored,
  "nats pub events 123:42": { assetviews: 1, userviews: 1 },
  "nats req reporting.user.42 ''": { id: "42", views: 1 },
  "nats micro ls": ["cdnurl", "metadata", "reporting"],
  "nats micro stats reporting": { name: "reporting", asset: 0, user: 1, views: 1, top: 0, many: 0 },
};

const run = {
  req: async (subject, payload) => (await get(nats, subject, payload)).body,
  pub: async (subject, payload) => {
    const { seq } = await jetstream(nats).publish(subject, payload);
    const views = `reporting.views.${payload.replace(":", ".")}`;
    return (await get(nats, views, "", { "Marquee-After": seq })).body;
  },
  "micro ls": async () => (await all(client(3).info(), "service_info")).map(({ name }) => name),
  "micro stats": async (name) => {
    const [stats] = await all(client(1).stats(name), "service_stats");
    return Object.fromEntries([["name", stats.name], ...stats.endpoints.map((e) => [e.name, e.num_requests])]);
  },
};

test("the README's nats commands and those tested here are the same", () => {
  assert.deepEqual(commands, Object.keys(shown));
});

for (const command of commands) {
  test(`README: ${command}`, async () => {
    assert.ok(Object.hasOwn(shown, command), "no counterpart of this command is tested");
    const [, ...rest] = words(command);
    const verb = Object.keys(run).find((name) => rest.join(" ").startsWith(name));
    assert.ok(verb, "no counterpart of this command is tested");
    assert.deepEqual(await run[verb](...rest.slice(verb.split(" ").length)), shown[command]);
  });
}
