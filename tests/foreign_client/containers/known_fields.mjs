// Which fields an object of Kubernetes may have, by the declarations of kubernetes-models: its
// validators check the types of fields that they know, and take any others.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const models = dirname(createRequire(import.meta.url).resolve("kubernetes-models/package.json"));
const files = new Map();

/** Fields whose type is written out where another declaration says the same. */
const writtenOut = { volumeClaimTemplates: join(models, "v1/PersistentVolumeClaim") };

function fileOf(from, path) {
  return path.startsWith(".") ? join(dirname(from), path) : join(models, "..", path);
}

/** {fields: name → type, imports: type → file} of the first interface that a file declares. */
function declared(file) {
  if (!files.has(file)) {
    const text = readFileSync(existsSync(`${file}.d.ts`) ? `${file}.d.ts` : join(file, "index.d.ts"), "utf8");
    const [, body = ""] = text.match(/^export interface \w+[^{]*\{\n([^]*?)^\}/m) ?? [];
    const members = body.matchAll(/^ {4}"([^"]+)"\??: ([^]*?);$(?=\n(?: {4}["/]|$(?![^])))/gm);
    const fields = new Map([...members].map(([, name, type]) => [name, type]));
    const imports = new Map(
      [...text.matchAll(/^import \{ (\w+) \} from "([^"]+)";/gm)].map(([, type, path]) => [type, fileOf(file, path)]),
    );
    files.set(file, { fields, imports });
  }
  return files.get(file);
}

/** The paths of all fields of `value` that no declaration has. */
function unknownIn(value, file, path) {
  const { fields, imports } = declared(file);
  if (fields.size === 0) return []; // a plain type, such as a quantity
  return Object.entries(value).flatMap(([name, each]) => {
    const here = `${path}${path && "."}${name}`;
    const type = fields.get(name);
    if (type === undefined) return [here];
    const below = writtenOut[name] ?? imports.get(type.match(/\bI[A-Z]\w+/)?.[0]);
    if (!below || each === null || typeof each !== "object") return [];
    const parts = Array.isArray(each) || type.startsWith("{") ? Object.values(each) : [each];
    return parts.flatMap((part) => (part !== null && typeof part === "object" ? unknownIn(part, below, here) : []));
  });
}

export const unknownFields = (object) => unknownIn(object, join(models, object.apiVersion, object.kind), "");
