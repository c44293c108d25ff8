// The NATS parts of the pages: for every `nats …` line, what the CLI sends and is answered; and
// every message, checked against its schema.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { jetstream } from "@nats-io/jetstream";
import { blocksOfKind, pages } from "../runner/support/pages.mjs";
import { get } from "./support/requests.mjs";
import { assertFits } from "./support/schemas.mjs";
import { System } from "./support/system.mjs";

const user = { user: "system", password: "of a test" };
let system;
let nats; // without credentials, as the pages' commands
let operator; // of the system account, as with `--context data/nats-context.json`
before(async () => {
  const account = `accounts { $SYS { users: [ { user: ${user.user}, password: "${user.password}" } ] } }`;
  system = await System.create(`server_name: marquee\n${account}\n`);
  await Promise.all(["metadata", "cdnurl", "reporting"].map((kind) => system.start(kind)));
  nats = await system.connect();
  operator = await system.connect({ user: user.user, pass: user.password });
});
after(() => system.end());

/** The commands of all pages, in order. */
const commands = blocksOfKind("sh nats").flatMap(({ lines }) => lines);

const stored = { status: "ok", revision: 3 }; // the third message of its bucket, after the two seeds
const days = 24 * 3600 * 1e9; // in nanoseconds

/** The configuration of a stream with one setting changed, as the CLI sends it back. */
const edited = (stream, change) => async () => {
  const { config } = (await nats.request(`$JS.API.STREAM.INFO.${stream}`, "", { timeout: 20_000 })).json();
  return JSON.stringify({ ...config, ...change });
};

/** The consumer that stands for CONSUMER in a command: of reporting, by the command before it. */
async function consumerOfReporting() {
  const { endpoints } = (await nats.request("$SRV.STATS.reporting", "", { timeout: 20_000 })).json();
  return endpoints[0].data.consumer;
}

/** The numbers of requests of a service. */
const requests = ({ endpoints }) => Object.fromEntries(endpoints.map((each) => [each.name, each.num_requests]));

// What the CLI sends for each line, and what is shown of the replies. A line without an entry
// fails, and so does an entry without a line.
//
// subject, payload: of the message. `replies`: how many are awaited (1). `as`: whose connection.
// schema: of each reply. shows: a function of the replies. gives: its result.
const table = {
  "nats req metadata.get.123 ''": {
    subject: "metadata.get.123",
    schema: "asset_metadata_reply",
    gives: { id: "123", title: "It", genre: "horror", summary: "A very scary movie" },
  },
  'nats req metadata.search \'{"q":"term","sort":"title"}\'': {
    subject: "metadata.search",
    payload: '{"q":"term","sort":"title"}',
    schema: "search_page",
    gives: {
      assets: [{ id: "456", title: "Terminator", genre: "action", summary: "Summary for terminator" }],
      total: 1,
    },
  },
  'nats req metadata.put.789 \'{"title":"Alien","genre":"horror","summary":"In space"}\'': {
    subject: "metadata.put.789",
    payload: '{"title":"Alien","genre":"horror","summary":"In space"}',
    schema: "put_reply",
    gives: stored,
  },
  'nats req cdnurl.put.789 \'{"url":"path/to/asset789.mp4"}\'': {
    subject: "cdnurl.put.789",
    payload: '{"url":"path/to/asset789.mp4"}',
    schema: "put_reply",
    gives: stored,
  },
  "nats pub events 123:42": { subject: "events", payload: "123:42", shows: ({ stream }) => stream, gives: "EVENTS" },
  "nats req reporting.user.42 ''": {
    subject: "reporting.user.42",
    schema: "user_views_reply",
    shows: ({ id, views, assets }) => ({ id, views, assets }),
    gives: { id: "42", views: 1, assets: 1 },
  },
  "nats micro ls": {
    subject: "$SRV.INFO",
    replies: 3,
    schema: "service_info",
    shows: (...all) => all.map(({ name }) => name).sort(),
    gives: ["cdnurl", "metadata", "reporting"],
  },
  "nats micro stats reporting": {
    subject: "$SRV.STATS.reporting",
    schema: "service_stats",
    shows: (stats) => ({ name: stats.name, ...requests(stats) }),
    gives: {
      name: "reporting",
      ...{ asset: 0, user: 1, views: 1, top: 0, series: 0, asset_series: 0, history: 0, assets: 0, live: 0, many: 0 },
    },
  },
  'nats pub events.admin \'{"retract":"01JV5K3QHEXAMPLE0000000000"}\'': {
    subject: "events.admin",
    payload: '{"retract":"01JV5K3QHEXAMPLE0000000000"}',
    shows: ({ stream }) => stream,
    gives: "EVENTS",
  },
  'nats pub events.admin \'{"erase":"anna@example.org"}\'': {
    subject: "events.admin",
    payload: '{"erase":"anna@example.org"}',
    shows: ({ stream }) => stream,
    gives: "EVENTS",
  },
  "nats --context data/nats-context.json server ls": {
    as: "operator",
    subject: "$SYS.REQ.SERVER.PING",
    shows: ({ server }) => server.name,
    gives: "marquee",
  },
  "nats --context data/nats-context.json server info marquee": {
    as: "operator",
    subject: "$SYS.REQ.SERVER.PING.VARZ",
    payload: '{"server_name":"marquee","exact_match":true}',
    shows: ({ data }) => data.server_name,
    gives: "marquee",
  },
  "nats --context data/nats-context.json server report connections": {
    as: "operator",
    subject: "$SYS.REQ.SERVER.PING.CONNZ",
    shows: ({ data }) =>
      data.connections
        .map(({ name }) => name?.replace(/-[0-9A-Za-z]{22}$/, "-ID"))
        .filter((name) => name?.startsWith("marquee-"))
        .sort(),
    gives: ["marquee-cdnurl-ID", "marquee-metadata-ID", "marquee-reporting-ID"],
  },
  "nats --context data/nats-context.json server report jetstream": {
    as: "operator",
    subject: "$SYS.REQ.SERVER.PING.JSZ",
    shows: ({ data }) => data.streams,
    gives: 3,
  },
  "nats req '$SRV.STATS.reporting' ''": {
    subject: "$SRV.STATS.reporting",
    schema: "service_stats",
    shows: ({ id, endpoints }) => endpoints[0].data.consumer.replace(id, "ID").replace(/\d+$/, "N"),
    gives: "reporting-ID-N",
  },
  "nats server check consumer --stream EVENTS --consumer CONSUMER": {
    subject: async () => `$JS.API.CONSUMER.INFO.EVENTS.${await consumerOfReporting()}`,
    shows: ({ config, num_pending: pending }) => [config.description, pending],
    gives: ["Counts the views", 0],
  },
  "nats stream edit EVENTS --max-age 720h": {
    subject: "$JS.API.STREAM.UPDATE.EVENTS",
    payload: edited("EVENTS", { max_age: 30 * days }),
    shows: ({ config }) => config.max_age,
    gives: 30 * days,
  },
  "nats kv edit metadata --history 5": {
    subject: "$JS.API.STREAM.UPDATE.KV_metadata",
    payload: edited("KV_metadata", { max_msgs_per_subject: 5 }),
    shows: ({ config }) => config.max_msgs_per_subject,
    gives: 5,
  },
};

const valueOf = async (given) => (typeof given === "function" ? given() : given);

/** Sends what a row says; the replies as JSON. */
async function send({ as, subject, payload = "", replies = 1 }) {
  const connection = as === "operator" ? operator : nats;
  const strategy = { strategy: "count", maxMessages: replies, maxWait: 20_000 };
  const found = [];
  for await (const reply of await connection.requestMany(await valueOf(subject), await valueOf(payload), strategy))
    found.push(reply.json());
  assert.equal(found.length, replies, "replies");
  return found;
}

/** Publishes a view, and waits until it is counted. */
async function view(text) {
  const { seq } = await jetstream(nats).publish("events", text);
  return (await get(nats, `reporting.views.${text.replace(":", ".")}`, "", { "Marquee-After": seq })).body;
}

test("the pages' nats commands and those tested here are the same", () => {
  assert.deepEqual(commands, Object.keys(table));
});

for (const command of commands) {
  test(`documented: ${command}`, async () => {
    const row = table[command] ?? assert.fail("no counterpart of this command is tested");
    const replies = await send(row);
    if (row.schema) for (const each of replies) assertFits(row.schema, each);
    assert.deepEqual((row.shows ?? ((only) => only))(...replies), row.gives);
    if (row.subject === "events") // it is counted a moment later
      await get(nats, "reporting.views.123.42", "", { "Marquee-After": replies[0].seq });
  });
}

test("the services still serve after the edits of the pages", async () => {
  assert.equal((await get(nats, "metadata.get.789")).body.title, "Alien");
  assert.deepEqual(await view("123:42"), { assetviews: 2, userviews: 2 });
});

for (const { page, kind, lines } of pages
  .flatMap((each) => each.blocks)
  .filter(({ kind }) => kind.startsWith("json "))) {
  test(`${page} shows messages that fit ${kind}`, () => {
    for (const line of lines) assertFits(kind.slice("json ".length), JSON.parse(line));
  });
}
