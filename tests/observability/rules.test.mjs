// packaging/observability, without a running system: what promtool says of the rules, that each
// alert has a case and a section of its own in docs/operations.md, and that the dashboard asks for
// metrics that are documented there.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { alerts, dashboardQueries, folder, read } from "./support/rules.mjs";

const promtool = (...args) => execFileSync("promtool", args, { encoding: "utf8" });
const operations = read("docs/operations.md");
const cases = read("tests/observability/alerts.test.yaml");

const ours = /\b(?:marquee_(?:edge|service|fleet|reporting|catalogue|stream|account|tls|build)|process)_\w+/g;

/** The names of metrics in a text, without the suffix of a histogram's series. */
const metricsIn = (text) => [...text.matchAll(ours)].map(([name]) => name.replace(/_(bucket|sum|count)$/, ""));

/** Whether the page has the name, or its end after an ellipsis: `…_unsent_total`. */
function isDocumented(name) {
  const ends = [...name.matchAll(/_/g)].map(({ index }) => `…${name.slice(index)}`);
  return [name, ...ends].some((text) => operations.includes(text));
}

test("promtool takes the rules and the configuration", () => {
  promtool("check", "rules", `${folder}/prometheus-rules.yaml`);
  promtool("check", "config", `${folder}/prometheus.yaml`);
});

test("each alert fires for the made series of its fault, alone and in time", () => {
  promtool("test", "rules", new URL("alerts.test.yaml", import.meta.url).pathname);
});

test("a case that expects another alert is seen by promtool", () => {
  const wrong = cases.replace('{alertname="MarqueeLinkDown"}', '{alertname="MarqueeEdgeDown"}');
  assert.notEqual(wrong, cases);
  const script = "set -e; cat >$0/wrong.yaml; promtool test rules $0/wrong.yaml; exit 0";
  const here = execFileSync("mktemp", ["-d"], { encoding: "utf8" }).trim();
  const input = wrong.replace("../../packaging/observability", folder);
  assert.throws(() => execFileSync("bash", ["-c", script, here], { input, stdio: "pipe" }));
  execFileSync("rm", ["-r", here]);
});

test("each alert has a case, and its runbook is a section of docs/operations.md", () => {
  const sections = new Set([...operations.matchAll(/^#+ (.+)$/gm)].map(([, title]) => title.toLowerCase()));
  assert.ok(alerts.length >= 15);
  for (const { name, runbook } of alerts) {
    assert.match(cases, new RegExp(`alertname="${name}"`), name);
    assert.equal(runbook, `docs/operations.md#${name.toLowerCase()}`);
    assert.ok(sections.has(name.toLowerCase()), `docs/operations.md has no section ${name}`);
  }
});

test("every metric of the dashboard and of the rules is in docs/operations.md", () => {
  const text = readFileSync(`${folder}/prometheus-rules.yaml`, "utf8") + dashboardQueries.join("\n");
  for (const name of new Set(metricsIn(text))) assert.ok(isDocumented(name), `${name} is not documented`);
  assert.ok(!isDocumented("marquee_edge_no_such_total"));
});
