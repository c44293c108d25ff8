// Links, anchors and paths of the pages exist, and every page is in an index.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, test } from "node:test";
import { pageOf, pages, source } from "./support/pages.mjs";

/** The anchors of a page, as GitHub makes them of its headings. */
function anchors({ prose }) {
  const seen = new Map();
  return [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = words.replace(/[^\p{L}\p{N}_\- ]/gu, "").replaceAll(" ", "-");
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
}

/** {target, file, anchor} of each link within the source tree. */
function links(page) {
  const all = [...page.prose.replace(/`[^`]*`/g, "").matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target);
  return all
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path, anchor] = target.split("#");
      return { target, file: path === "" ? page.name : normalize(join(dirname(page.name), path)), anchor };
    });
}

describe("each link of a page leads to a file, and to a heading in it", () => {
  for (const page of pages)
    test(page.name, () => {
      for (const { target, file, anchor } of links(page)) {
        assert.ok(!file.startsWith("..") && existsSync(join(source, file)), `${target}: no such file`);
        if (anchor === undefined) continue;
        assert.ok(pageOf(file), `${target}: an anchor of what is no page`);
        assert.ok(
          anchors(pageOf(file)).includes(anchor),
          `${target}: its anchors are ${anchors(pageOf(file)).join(", ")}`,
        );
      }
    });
});

describe("each path that a page names in code style exists", () => {
  for (const page of pages)
    test(page.name, () => {
      const named = [
        ...page.text.matchAll(/`((?:broker|docs|edge|packaging|schemas|services|tests|tools)\/[\w./-]*)`/g),
      ];
      for (const [, path] of named) assert.ok(existsSync(join(source, path)), `no such file: ${path}`);
    });
});

test("every page of docs/ is in an index", () => {
  const listed = ["README.md", "docs/decisions/README.md"].flatMap((name) =>
    links(pageOf(name)).map(({ file }) => file),
  );
  const lost = pages.map(({ name }) => name).filter((name) => name.startsWith("docs/") && !listed.includes(name));
  assert.deepEqual(lost, []);
});

test("prose keeps to 100 columns", () => {
  const long = pages.flatMap(({ name, prose }) =>
    prose
      .split("\n")
      .filter((line) => [...line].length > 100 && !line.startsWith("|"))
      .map((line) => `${name}: ${line}`),
  );
  assert.deepEqual(long, []);
});

test("a broken link, anchor or path would be found", () => {
  const page = { name: "docs/x.md", prose: "[a](y.md#z) [b](https://example.org/x) `[c](d)` [e](#f)" };
  assert.deepEqual(
    links(page).map(({ file, anchor }) => [file, anchor]),
    [
      ["docs/y.md", "z"],
      ["docs/x.md", "f"],
    ],
  );
  const headings = { prose: "# `./run`, and [more](x.md)\n\n## What a 200 means\n\n## What a 200 means\n" };
  assert.deepEqual(anchors(headings), ["run-and-more", "what-a-200-means", "what-a-200-means-1"]);
});
