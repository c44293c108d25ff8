// metadata.search beside a search of this file over the same titles.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { encodeToken } from "./ids.mjs";
import { get, sendRequest } from "./support/requests.mjs";
import { System } from "./support/system.mjs";

let system;
let nats;
before(async () => {
  system = await System.create();
  await system.start("metadata");
  nats = await system.connect();
  await nats.request("metadata.delete.123", "", { timeout: 20_000 });
  await nats.request("metadata.delete.456", "", { timeout: 20_000 });
  for (const [id, record] of Object.entries(catalogue))
    await get(nats, `metadata.put.${encodeToken(id)}`, { summary: "", ...record });
});
after(() => system.end());

const catalogue = {
  a: { title: "Été 85", genre: "Drama", tags: ["FR", "summer"] },
  b: { title: "L'été meurtrier", genre: "thriller", tags: ["fr"] },
  c: { title: "Les Misérables", genre: "drama", tags: [] },
  d: { title: "Łódź, ziemia obiecana", genre: "Drame", year: 1975 },
  e: { title: "Война и мир", genre: "drama", tags: ["Epic"] },
  f: { title: "千と千尋の神隠し", genre: "anime", tags: ["summer"] },
  g: { title: "WALL·E", genre: "anime" },
  "id with spaces/ and é": { title: "Etéreo", genre: "drama", tags: "summer" },
  i: { title: "été", genre: "", tags: ["summer", 85, null] },
};

/** What our own words for "without case and accents" are: those of JavaScript. */
const plain = (text) =>
  text.normalize("NFKD").replace(/\p{Mn}/gu, "").toLowerCase().replaceAll("ł", "l");
const word = /\p{Script=Han}|\p{Script=Hiragana}|(?:(?![\p{Script=Han}\p{Script=Hiragana}])[\p{L}\p{N}])+/gu;
const wordsOf = (text) => plain(text).match(word) ?? [];

function expected({ q = "", genre, tag, sort }) {
  const wanted = wordsOf(q);
  const last = wanted.pop();
  return Object.entries(catalogue)
    .filter(([, { title }]) => {
      const words = wordsOf(title);
      return wanted.every((each) => words.includes(each)) && (!last || words.some((each) => each.startsWith(last)));
    })
    .filter(([, record]) => !genre || plain(record.genre) === plain(genre))
    .filter(
      ([, { tags }]) =>
        !tag || (Array.isArray(tags) && tags.some((each) => typeof each === "string" && plain(each) === plain(tag))),
    )
    .map(([id, { title }]) => [sort === "title" ? wordsOf(title).join(" ") : "", id])
    .sort(([a, x], [b, y]) => Buffer.compare(Buffer.from(`${a}\0${x}`), Buffer.from(`${b}\0${y}`)))
    .map(([, id]) => id);
}

const searches = [
  {},
  { q: "ete" },
  { q: "ÉTÉ", sort: "title" },
  { q: "ete 8" },
  { q: "l'e" },
  { q: "MISERABLES les" },
  { q: "lodz" },
  { q: "мир" },
  { q: "МИ", sort: "title" },
  { q: "千尋" },
  { q: "wall e" },
  { q: "nothing" },
  { genre: "DRAMA", sort: "title" },
  { tag: "summer", sort: "title" },
  { tag: "fr" },
  { tag: "85" },
  { q: "e", genre: "drama", tag: "epic" },
];

for (const wanted of searches)
  test(`metadata.search finds what JavaScript finds: ${JSON.stringify(wanted)}`, async () => {
    const ids = expected(wanted);
    const { body } = await get(nats, "metadata.search", wanted);
    assert.deepEqual(
      body.assets.map(({ id }) => id),
      ids,
    );
    assert.equal(body.total, ids.length);
    const paged = [];
    for (let page = { next: undefined }; ; ) {
      const request = { ...wanted, limit: 2, ...(page.next !== undefined && { after: page.next }) };
      page = (await get(nats, "metadata.search", request)).body;
      assert.equal(page.total, ids.length);
      paged.push(...page.assets.map(({ id }) => id));
      if (page.next === undefined) break;
    }
    assert.deepEqual(paged, ids);
  });

test("records come back with all of their members", async () => {
  const { body } = await get(nats, "metadata.search", { q: "lodz" });
  assert.deepEqual(body.assets, [{ id: "d", summary: "", ...catalogue.d }]);
});

test("a search that cannot be is refused by the member at fault", async () => {
  for (const [request, field] of [
    [{ q: "x".repeat(513) }, "q"],
    [{ q: "a ".repeat(65) }, "q"],
    [{ sort: "views" }, "sort"],
    [{ sort: "title", after: "no place" }, "after"],
    [{ limit: 1001 }, "limit"],
  ]) {
    const { code, body } = await sendRequest(nats, "metadata.search", request);
    assert.deepEqual([code, body.field], [400, field]);
  }
});
