// The pages of documentation, and the blocks in them.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const source = resolve(fileURLToPath(import.meta.url), "../../../..");

/** Files of the source tree that match a pattern of git's: tracked, or new and not ignored. */
export function sourceFiles(...patterns) {
  const words = ["ls-files", "-co", "--exclude-standard", "-z", "--", ...patterns];
  const names = execFileSync("git", words, { cwd: source, encoding: "utf8", maxBuffer: 1 << 26 })
    .split("\0")
    .filter(Boolean);
  return [...new Set(names)].filter((name) => existsSync(join(source, name))).sort();
}

/** {page, kind, lines} of each fenced block, in order; `kind` is the text after the fence. */
function blocksOf(page, text) {
  const found = text.matchAll(/^```(.*)\n([^]*?)^```$/gm);
  return [...found].map(([, kind, body]) => ({ page, kind, lines: body.trimEnd().split("\n") }));
}

/** {name, text, prose, blocks} of each Markdown file; `prose` is the text without its blocks. */
export const pages = sourceFiles("*.md").map((name) => {
  const text = readFileSync(join(source, name), "utf8");
  return { name, text, prose: text.replace(/^```[^]*?^```$/gm, ""), blocks: blocksOf(name, text) };
});

export const pageOf = (name) => pages.find((page) => page.name === name);

/** The blocks of a kind, or of kinds that match, in the order of the pages. */
export const blocksOfKind = (wanted) =>
  pages
    .flatMap((page) => page.blocks)
    .filter(({ kind }) => (wanted instanceof RegExp ? wanted.test(kind) : kind === wanted));
