// The NATS parts of the pages: every `nats …` line, executed as the CLI does, and every message,
// checked against its schema.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Svcm } from "@nats-io/services";
import { blocksOfKind, pages } from "../runner/support/pages.mjs";
import { get } from "./support/requests.mjs";
import { assertFits } from "./support/schemas.mjs";
import { System } from "./support/system.mjs";

let system;
let nats;
before(async () => {
  system = await System.create();
  await Promise.all(["metadata", "cdnurl", "reporting"].map((kind) => system.start(kind)));
  nats = await system.connect();
});
after(() => system.end());

/** The commands of all pages, in order. */
const commands = blocksOfKind("sh nats").flatMap(({ lines }) => lines);

/** A command's words; single quotes as the shell takes them. */
const words = (command) => [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare);

const stored = { status: "ok", revision: 3 }; // the third message of its bucket, after the two seeds
const client = (count) => new Svcm(nats).client({ strategy: "count", maxMessages: count, maxWait: 20_000 });
const days = 24 * 3600 * 1e9; // in nanoseconds

async function all(answers, schema) {
  const found = [];
  for await (const answer of await answers) found.push(answer);
  found.forEach((answer) => assertFits(schema, answer));
  return found.sort((x, y) => x.name.localeCompare(y.name));
}

// The output of each line. A line without an entry fails, and so does an entry without a line.
const shown = {
  "nats req metadata.get.123 ''": { id: "123", title: "It", genre: "horror", summary: "A very scary movie" },
  'nats req metadata.put.789 \'{"title":"Alien","genre":"horror","summary":"In space"}\'': stored,
  'nats req cdnurl.put.789 \'{"url":"path/to/asset789.mp4"}\'': stored,
  "nats pub events 123:42": { assetviews: 1, userviews: 1 },
  "nats req reporting.user.42 ''": { id: "42", views: 1 },
  "nats micro ls": ["cdnurl", "metadata", "reporting"],
  "nats micro stats reporting": { name: "reporting", asset: 0, user: 1, views: 1, top: 0, many: 0 },
  "nats stream edit EVENTS --max-age 720h": { max_age: 30 * days },
  "nats kv edit metadata --history 5": { max_msgs_per_subject: 5 },
};

/** Edits a stream; returns these settings as the server has them afterwards. */
async function edit(stream, settings) {
  const { streams } = await jetstreamManager(nats);
  await streams.update(stream, settings);
  const { config } = await streams.info(stream);
  return Object.fromEntries(Object.keys(settings).map((name) => [name, config[name]]));
}

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
  "stream edit": async (stream, option, hours) => {
    assert.equal(option, "--max-age");
    return edit(stream, { max_age: Number.parseInt(hours, 10) * 3600 * 1e9 });
  },
  "kv edit": async (bucket, option, history) => {
    assert.equal(option, "--history");
    return edit(`KV_${bucket}`, { max_msgs_per_subject: Number(history) });
  },
};

test("the pages' nats commands and those tested here are the same", () => {
  assert.deepEqual(commands, Object.keys(shown));
});

for (const command of commands) {
  test(`documented: ${command}`, async () => {
    assert.ok(Object.hasOwn(shown, command), "no counterpart of this command is tested");
    const [, ...rest] = words(command);
    const verb = Object.keys(run).find((name) => rest.join(" ").startsWith(name));
    assert.ok(verb, "no counterpart of this command is tested");
    assert.deepEqual(await run[verb](...rest.slice(verb.split(" ").length)), shown[command]);
  });
}

test("the services still serve after the edits of the pages", async () => {
  assert.equal((await get(nats, "metadata.get.789")).body.title, "Alien");
  assert.deepEqual(await run.pub("events", "123:42"), { assetviews: 2, userviews: 2 });
});

for (const { page, kind, lines } of pages
  .flatMap((each) => each.blocks)
  .filter(({ kind }) => kind.startsWith("json "))) {
  test(`${page} shows messages that fit ${kind}`, () => {
    for (const line of lines) assertFits(kind.slice("json ".length), JSON.parse(line));
  });
}
