// schemas/openapi.json and schemas/asyncapi.json, checked by the official schemas.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv from "ajv";
import addFormats from "ajv-formats";
import Ajv2020 from "ajv/dist/2020.js";
import { source } from "./support/system.mjs";

const read = (file) => JSON.parse(readFileSync(file, "utf8"));
const openapi = read(join(source, "schemas/openapi.json"));
const asyncapi = read(join(source, "schemas/asyncapi.json"));
const operations = Object.entries(openapi.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, ...operation })),
);
const copy = (document) => structuredClone(document);

async function openapiErrors(document) {
  const { valid, errors } = await new Validator().validate(copy(document));
  return valid ? "" : JSON.stringify(errors);
}

const asyncapiSchema = read(createRequire(import.meta.url).resolve("@asyncapi/specs/schemas/3.0.0-without-$id.json"));
const judge = addFormats.default(new Ajv({ strict: false })).compile(asyncapiSchema);

test("openapi.json is an OpenAPI 3.1 document", async () => {
  assert.equal(await openapiErrors(openapi), "");
  assert.match(openapi.openapi, /^3\.1\./);
});

test("a mistake in openapi.json would be found", async () => {
  const mistakes = [
    (document) => delete document.info.title,
    (document) => (document.paths["/healthz"].get.responses = {}),
    (document) => (document.components.parameters.asset.in = "nowhere"),
    (document) => (document.paths["/events/top"].get.parameters[0].$ref = "#/components/parameters/nothing"),
  ];
  for (const mistake of mistakes) {
    const wrong = copy(openapi);
    mistake(wrong);
    assert.notEqual(await openapiErrors(wrong), "", mistake.toString());
  }
});

test("every operation has an id of its own, a tag that is declared, a success and a problem", () => {
  assert.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length);
  const tags = new Set(openapi.tags.map(({ name }) => name));
  for (const { name, summary, tags: own, responses } of operations) {
    assert.match(summary, /./, name);
    assert.ok(own.length === 1 && tags.has(own[0]), name);
    assert.ok(responses["200"] && responses["400"] && responses["503"], name);
  }
});

test("every schema of openapi.json compiles strictly", () => {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
  for (const [name, schema] of Object.entries(openapi.components.schemas)) assert.ok(ajv.compile(schema), name);
});

test("asyncapi.json is an AsyncAPI 3 document", () => {
  assert.ok(judge(asyncapi), JSON.stringify(judge.errors));
});

test("a mistake in asyncapi.json would be found", () => {
  const mistakes = [
    (document) => delete document.info.version,
    (document) => (document.operations.events.action = "answer"),
    (document) => (document.channels.events.adress = "events"),
  ];
  for (const mistake of mistakes) {
    const wrong = copy(asyncapi);
    mistake(wrong);
    assert.equal(judge(wrong), false, mistake.toString());
  }
});
