// What packaging/containers and packaging/kubernetes say, as data.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DockerfileParser } from "dockerfile-ast";
import yaml from "yaml";
import { source } from "../../runner/support/runner.mjs";

export const containers = join(source, "packaging/containers");
export const kubernetes = join(source, "packaging/kubernetes");
export const dockerfile = readFileSync(join(containers, "Dockerfile"), "utf8");

/** {name, from, steps} of each stage of a Dockerfile; a step is {keyword, words, flags, isExec}. */
export function stagesOf(text) {
  const stages = [];
  for (const each of DockerfileParser.parse(text).getInstructions()) {
    const keyword = each.getKeyword();
    const json = each.getJSONStrings?.().map((word) => word.getJSONValue()) ?? [];
    const words = json.length > 0 ? json : each.getArguments().map((word) => word.getValue());
    if (keyword === "FROM") stages.push({ name: words[2], from: words[0], steps: [] });
    else if (stages.length > 0) {
      const flags = (each.getFlags?.() ?? []).map(String);
      stages.at(-1).steps.push({ keyword, words, flags, isExec: json.length > 0 });
    }
  }
  return stages;
}

/** The services of a compose file by name, with what its anchors merge into them. */
export const composeOf = (text) => yaml.parse(text, { merge: true });
export const compose = () => composeOf(readFileSync(join(containers, "compose.yaml"), "utf8"));

/** The objects of some YAML, read as kubectl reads it; a mistake in it throws. */
export function objectsOf(text) {
  return yaml.parseAllDocuments(text, { version: "1.1" }).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS();
  });
}

/** Those of all manifests. */
export const manifests = () =>
  readdirSync(kubernetes)
    .filter((name) => name.endsWith(".yaml"))
    .flatMap((name) => objectsOf(readFileSync(join(kubernetes, name), "utf8")));

/** A time of compose or of our options in seconds: 5s, 1m. */
export function seconds(text) {
  const [, number, unit] = String(text).match(/^(\d+)(ms|s|m|h)$/);
  return Number(number) * { ms: 0.001, s: 1, m: 60, h: 3600 }[unit];
}
