// metadata and cdnurl, by requests over NATS.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { encodeToken } from "./ids.mjs";
import { sendRequest, get } from "./support/requests.mjs";
import { System } from "./support/system.mjs";

let system;
let nats;
before(async () => {
  system = await System.create();
  await Promise.all([system.start("metadata"), system.start("cdnurl")]);
  nats = await system.connect();
});
after(() => system.end());

const catalogues = [
  {
    service: "metadata",
    seed: { id: "123", title: "It", genre: "horror", summary: "A very scary movie" },
    value: { title: "Alien", genre: "horror", summary: "In space" },
    other: { title: "Aliens", genre: "", summary: 'They said: "mostly"\n' },
    bad: [
      [{ title: "Alien", genre: "horror" }, "summary"],
      [{ title: 1, genre: "horror", summary: "" }, "title"],
      [{ title: "a".repeat(1025), genre: "", summary: "" }, "title"],
      [{ title: "", genre: "", summary: "a".repeat(16385) }, "summary"],
    ],
  },
  {
    service: "cdnurl",
    seed: { id: "123", url: "path/to/asset123.mp4" },
    value: { url: "path/to/asset789.mp4" },
    other: { url: "https://cdn.example/ä?x=1&y=2" },
    bad: [
      [{}, "url"],
      [{ url: "" }, "url"],
      [{ url: null }, "url"],
      [{ url: "a\nb" }, "url"],
      [{ url: "a".repeat(4097) }, "url"],
    ],
  },
];

const realIds = [
  "10.5240/7791-8534-2C23-9030-8610-5",
  "who@example.org",
  "Les Misérables",
  "映画 \u{1f3ac}",
  "a".repeat(128),
];
const badTokens = ["=41", "=4", "=", "=2e", "=C0=80", "=0D=0A", "=00", "=7F", "a=2A=ZZ", "a".repeat(129), "$x", "é"];

for (const { service, seed, value, other, bad } of catalogues) {
  const subject = (verb, id) => `${service}.${verb}.${encodeToken(id)}`;
  const notFound = (id) => ({ code: 404, body: { id, status: "Asset not found" } });

  test(`${service} gives many records in one reply, a line for each id`, async () => {
    const reply = await nats.request(`${service}.gets`, "none\n123\n=41\n", { timeout: 20_000 });
    const lines = new TextDecoder().decode(reply.data).split("\n");
    assert.deepEqual([lines.length, lines[0], lines[2], lines[3]], [4, "-", "400", ""]);
    const [, revision, record] = /^([1-9][0-9]*) (\{.*\})$/.exec(lines[1]);
    const alone = await get(nats, subject("get", "123"));
    assert.deepEqual([revision, JSON.parse(record)], [String(alone.revision), alone.body]);
  });

  test(`${service} has the demo assets from its first start`, async () => {
    const { body, revision } = await get(nats, subject("get", "123"));
    assert.deepEqual(body, seed);
    assert.equal(revision, 1);
  });

  test(`${service} returns records byte for byte, under every real id`, async () => {
    for (const id of realIds) {
      assert.deepEqual(await sendRequest(nats, subject("get", id)), notFound(id));
      const put = await get(nats, subject("put", id), { ...value, further: [1, "é"] });
      const first = await get(nats, subject("get", id));
      assert.deepEqual(first.body, { id, ...value, ...(service === "metadata" && { further: [1, "é"] }) });
      assert.equal(first.revision, put.body.revision);
      const second = await get(nats, subject("put", id), other);
      assert.ok(second.body.revision > put.body.revision);
      assert.deepEqual((await get(nats, subject("get", id))).body, { id, ...other });
      assert.deepEqual((await get(nats, subject("delete", id))).body, { status: "ok" });
      assert.deepEqual(await sendRequest(nats, subject("get", id)), notFound(id));
      assert.deepEqual(await sendRequest(nats, subject("delete", id)), notFound(id));
    }
  });

  test(`${service}: Marquee-Revision is a compare-and-set`, async () => {
    const id = "compare-and-set";
    const at = (revision) => ({ "Marquee-Revision": revision });
    const lost = { code: 409, status: "Revision mismatch" };
    const refused = async (verb, revision, payload) => {
      const { code, body } = await sendRequest(nats, subject(verb, id), payload, at(revision));
      assert.deepEqual({ code, status: body.status }, lost, `${verb} at ${revision}`);
    };
    await refused("put", 999_999, value);
    const first = (await get(nats, subject("put", id), value, at(0))).body.revision;
    await refused("put", 0, other);
    const second = (await get(nats, subject("put", id), other, at(first))).body.revision;
    await refused("put", first, value);
    await refused("delete", first);
    assert.deepEqual((await get(nats, subject("get", id))).body, { id, ...other });
    await get(nats, subject("delete", id), "", at(second));
    await refused("put", second, value);
    await get(nats, subject("put", id), value, at(0)); // absent again
    for (const text of ["-1", "x", "1.5", "0x1"]) {
      const { code, body } = await sendRequest(nats, subject("put", id), value, at(text));
      assert.deepEqual([code, body.field], [400, "Marquee-Revision"], text);
    }
    await get(nats, subject("delete", id));
  });

  test(`${service}: Marquee-Tag is a compare-and-set that no other history matches`, async () => {
    const id = "tagged";
    const at = (tag) => ({ "Marquee-Tag": tag });
    const first = (await get(nats, subject("put", id), value)).tag;
    const second = (await get(nats, subject("put", id), other, at(first))).tag;
    assert.match(second, /^[1-9][0-9]*-[0-9a-f]+$/);
    assert.equal((await get(nats, subject("get", id))).tag, second);
    const [revision, time] = second.split("-");
    for (const tag of [
      first,
      revision,
      `${revision}-${(BigInt(`0x${time}`) - 1n).toString(16)}`,
      `${revision}-${time.toUpperCase()}x`,
      "*",
    ])
      for (const verb of ["put", "delete"]) {
        const { code, body } = await sendRequest(nats, subject(verb, id), verb === "put" ? value : "", at(tag));
        assert.deepEqual([code, body.status], [409, "Revision mismatch"], `${verb} at ${tag}`);
      }
    assert.match((await get(nats, subject("delete", id), "", at(second))).tag, /^[1-9][0-9]*-[0-9a-f]+$/);
  });

  test(`${service} refuses a misspelt condition by name`, async () => {
    for (const name of ["marquee-revision", "Marquee-Revison", "MARQUEE-TAG", "Marquee-After", "Marquee-If-Match"]) {
      for (const verb of ["put", "delete"]) {
        const payload = verb === "put" ? value : "";
        const { code, body } = await sendRequest(nats, subject(verb, "123"), payload, { [name]: 1 });
        assert.deepEqual([code, body.field], [400, name], `${verb} with ${name}`);
      }
      assert.equal((await sendRequest(nats, subject("get", "123"), "", { [name]: 1 })).code, 200, `get with ${name}`);
    }
    assert.deepEqual((await get(nats, subject("get", "123"))).body, seed);
  });

  test(`${service}.list pages through all assets in byte order`, async () => {
    const added = ["a", "a b", "B", "é", "zz"];
    for (const id of added) await get(nats, subject("put", id), value);
    const all = ["123", "456", ...added].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
    const whole = (await get(nats, `${service}.list`)).body;
    assert.deepEqual([whole.assets.map(({ id }) => id), whole.next], [all, undefined]);
    assert.deepEqual(whole.assets[0], seed);
    const paged = [];
    let page = { next: undefined };
    do {
      page = (await get(nats, `${service}.list`, { limit: 3, after: page.next ?? null })).body;
      assert.ok(page.assets.length <= 3);
      paged.push(...page.assets);
    } while (page.next !== undefined);
    assert.deepEqual(paged, whole.assets);
    assert.deepEqual((await get(nats, `${service}.list`, { after: "\u{10ffff}" })).body, { assets: [] });
    for (const [request, field] of [
      [{ limit: 0 }, "limit"],
      [{ limit: 1001 }, "limit"],
      [{ limit: "1" }, "limit"],
      [{ after: "" }, "after"],
    ]) {
      const { code, body } = await sendRequest(nats, `${service}.list`, request);
      assert.deepEqual([code, body.field], [400, field]);
    }
    assert.equal((await sendRequest(nats, `${service}.list`, "[]")).code, 400);
    for (const id of added) await get(nats, subject("delete", id));
  });

  test(`${service}.put refuses a bad body and names the field`, async () => {
    for (const [payload, field] of bad) {
      const { code, body } = await sendRequest(nats, subject("put", "bad"), payload);
      assert.deepEqual([code, body.field], [400, field], JSON.stringify(payload).slice(0, 80));
    }
    for (const text of ["", "{", "null", "[]", "text"])
      assert.equal((await sendRequest(nats, subject("put", "bad"), text)).code, 400, text);
    assert.deepEqual(await sendRequest(nats, subject("get", "bad")), notFound("bad"));
  });

  test(`${service} refuses a token that is no id`, async () => {
    for (const token of badTokens)
      for (const verb of ["get", "put", "delete"]) {
        const { code, body } = await sendRequest(nats, `${service}.${verb}.${token}`, value);
        assert.deepEqual([code, body.status], [400, "Bad id"], `${verb} ${token}`);
      }
    for (const unheard of [`${service}.get`, `${service}.get.a.b`, `${service}.patch.a`, `${service}.list.a`])
      await assert.rejects(sendRequest(nats, unheard), (error) => error.isNoResponders(), unheard);
    assert.deepEqual((await get(nats, subject("get", "123"))).body, seed);
  });
}
