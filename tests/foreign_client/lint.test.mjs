// schemas/openapi.json, checked by the linters of Spectral (with its OWASP rules) and of Redocly.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import core from "@stoplight/spectral-core";
import owasp from "@stoplight/spectral-owasp-ruleset";
import parsers from "@stoplight/spectral-parsers";
import rulesets from "@stoplight/spectral-rulesets";
import { source } from "./support/system.mjs";

const text = readFileSync(join(source, "schemas/openapi.json"), "utf8");

const spectral = new core.Spectral();
spectral.setRuleset({ extends: [rulesets.oas, owasp.default ?? owasp] });

/** Rule and place of all findings of Spectral, of every severity. */
async function spectralFindings(document) {
  const found = await spectral.run(new core.Document(document, parsers.Json, "openapi.json"));
  return found.map(({ code, path }) => ({ rule: String(code), at: path.join(" ") }));
}

const strict = await createConfig({ extends: ["recommended-strict"] });
async function redoclyFindings(document) {
  const found = await lintFromString({ source: document, absoluteRef: "openapi.json", config: strict });
  return found.map(({ ruleId, location }) => ({ rule: ruleId, at: String(location[0]?.pointer) }));
}

const get = (paths) => new RegExp(`^paths (${paths.join("|")}) get `);
const publicRoutes = get([
  "/",
  "/page/{file}",
  "/media/{file}",
  "/content/asset/{asset}",
  "/content/assets",
  "/events/asset/{asset}",
  "/events/asset/{asset}/series",
  "/events/top",
  "/events/series",
  "/events/assets",
  "/healthz",
  "/readyz",
  "/metrics",
  "/metrics/fleet",
  "/services",
  "/openapi\\.json",
  "/problems/{code}",
]);
const neverCounted = get(["/", "/page/{file}", "/media/{file}", "/healthz", "/readyz", "/metrics", "/metrics/fleet"]);

/** Findings that are intended. An entry without a finding fails. */
const onPurpose = [
  ["owasp:api2:2023-read-restricted", publicRoutes, "these routes need no credentials"],
  ["owasp:api8:2023-define-error-responses-401", publicRoutes, "these routes need no credentials"],
  ["owasp:api4:2023-rate-limit", neverCounted, "these routes are never counted against a rate"],
  [
    "owasp:api4:2023-rate-limit",
    /^components responses (no_such_file|range_not_satisfiable) headers/,
    "these routes are never counted against a rate",
  ],
  ["owasp:api4:2023-rate-limit-responses-429", neverCounted, "these routes are never counted against a rate"],
  ["owasp:api8:2023-define-error-responses-500", /^paths /, "no answer is a 500: what fails inside is 502"],
  [
    "owasp:api4:2023-integer-format",
    /^components /,
    "minimum and maximum say it, and older validators know formats of strings only",
  ],
  ["owasp:api4:2023-string-restricted", /^components schemas .* (title|genre|summary)$/, "text for people"],
  ["owasp:api4:2023-string-restricted", /^components schemas problem properties (title|detail)$/, "text for people"],
  ["owasp:api4:2023-string-restricted", /^components schemas services_reply /, "what instances say of themselves"],
];

const excused = ({ rule, at }) => onPurpose.some(([name, place]) => name === rule && place.test(at));
const rules = (findings) => [...new Set(findings.map(({ rule }) => rule))];

/** The document with a mistake in it. */
function mistaken(mistake) {
  const document = JSON.parse(text);
  mistake(document);
  return JSON.stringify(document);
}

test("Spectral and its OWASP rules find nothing in openapi.json but what is intended", async () => {
  const found = await spectralFindings(text);
  assert.deepEqual(
    found.filter((finding) => !excused(finding)),
    [],
  );
  for (const [name, place, why] of onPurpose)
    assert.ok(
      found.some(({ rule, at }) => rule === name && place.test(at)),
      `nothing is to be excused: ${name}: ${why}`,
    );
});

test("Redocly's strict rules find nothing in openapi.json", async () => {
  assert.deepEqual(await redoclyFindings(text), []);
});

const spectralMistakes = {
  "operation-description": (document) => delete document.paths["/content/assets"].get.description,
  "owasp:api2:2023-write-restricted": (document) => (document.paths["/content/asset/{asset}"].delete.security = []),
  "owasp:api4:2023-array-limit": (document) => delete document.components.schemas.top_reply.properties.assets.maxItems,
  "owasp:api4:2023-integer-limit": (document) =>
    delete document.components.schemas.asset_views_reply.properties.views.maximum,
  "owasp:api4:2023-rate-limit": (document) => delete document.components.responses.key_reused.headers.RateLimit,
  "owasp:api8:2023-define-cors-origin": (document) =>
    delete document.components.responses.timeout.headers["Access-Control-Allow-Origin"],
};
for (const [rule, mistake] of Object.entries(spectralMistakes))
  test(`Spectral would find a mistake against ${rule}`, async () => {
    const found = await spectralFindings(mistaken(mistake));
    assert.deepEqual(rules(found.filter((finding) => !excused(finding))), [rule]);
  });

const redoclyMistakes = {
  "tag-description": (document) => delete document.tags[0].description,
  "operation-operationId-unique": (document) => (document.paths["/healthz"].get.operationId = "readyz"),
  "path-parameters-defined": (document) => document.paths["/content/asset/{asset}"].get.parameters.shift(),
  "security-defined": (document) => delete document.paths["/healthz"].get.security,
};
for (const [rule, mistake] of Object.entries(redoclyMistakes))
  test(`Redocly would find a mistake against ${rule}`, async () => {
    assert.ok(rules(await redoclyFindings(mistaken(mistake))).includes(rule));
  });
