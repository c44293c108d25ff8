// The JSON Schemas of the project, checked by ajv.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv/dist/2020.js";
import { source } from "./system.mjs";

const folder = join(source, "schemas/json");
const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true });
const schemas = new Map();
for (const file of readdirSync(folder).filter((name) => name.endsWith(".schema.json")))
  schemas.set(file.replace(".schema.json", ""), ajv.compile(JSON.parse(readFileSync(join(folder, file), "utf8"))));

/** What is wrong with a document; empty when it fits. */
export function complaints(name, document) {
  const schema = schemas.get(name);
  assert.ok(schema, `there is no schema ${name}`);
  return schema(document) ? "" : ajv.errorsText(schema.errors);
}

export function assertFits(name, document) {
  assert.equal(complaints(name, document), "", `${name}: ${JSON.stringify(document)}`);
}
