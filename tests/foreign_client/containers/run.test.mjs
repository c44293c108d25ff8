// The containers of packaging/ without an engine: for each, its image's files as the root folder,
// its user, its words, its environment, its mounts. The programs start, are probed, play, and stop,
// first as compose.yaml has them, then as the manifests of Kubernetes do. Needs root, for chroot.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { eventually, newFolder } from "../../runner/support/runner.mjs";
import { within } from "../support/processes.mjs";
import { allEnded, Container, Network } from "./container.mjs";
import { compose, containers, kubernetes, manifests, objectsOf } from "./files.mjs";
import { Image } from "./image.mjs";

const skip = process.getuid() === 0 ? false : "needs root";
const images = new Map();
const image = (name) => images.get(name) ?? images.set(name, new Image(name)).get(name);

after(allEnded);

/** A function like `test`, of steps in order: after one that fails, the others are left out. */
function inOrder() {
  let failed = false;
  return (name, step) =>
    test(name, async (context) => {
      if (failed) return context.skip("a step before it failed");
      failed = true;
      await step();
      failed = false;
    });
}

/** {status, body} of a request, or nothing where none is answered. */
async function http(method, port, path, { token, body } = {}) {
  const headers = token ? { Authorization: `Bearer ${token}`, "Content-Type": "application/json" } : {};
  try {
    const options = { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(20_000) };
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, options);
    return { status: answer.status, body: await answer.json() };
  } catch {
    return {};
  }
}

/** What all programs have said, for a failure's message. */
const said = (all) => () =>
  all.map(({ name, before = "", process }) => `--- ${name}\n${before}${process?.output.slice(-1500)}`).join("\n");

/** As an engine does with what ends by itself: a service that finds no broker, or no leader yet. */
function startAgain(all) {
  for (const each of all.filter(({ process }) => process && process.code !== null)) {
    each.before = `${each.before ?? ""}${each.process.output.slice(-500)}`.slice(-2000);
    each.start();
  }
}

/** Until this edge says that nothing is missing: counts, too. */
const isReady = (all, port) =>
  eventually(
    () => `/readyz is ready:\n${said(all)()}`,
    async () => {
      startAgain(all);
      return (await http("GET", port, "/readyz")).body?.status === "ready";
    },
  );

/** Each runs as user 65532 without capabilities, and finds nothing to write but its volumes. */
function assertConfined(all) {
  for (const each of all) {
    const ids = "65532 65532 65532 65532";
    const none = "0000000000000000";
    assert.deepEqual(each.status, { user: ids, group: ids, capabilities: [none, none], closed: "1" }, each.name);
    assert.deepEqual(each.writable, [], each.name);
  }
}

/** As an engine does: the image's signal, then the time that is granted. */
async function stop({ name, image: { stopSignal }, process: running }) {
  running.child.kill(stopSignal);
  const code = await within(running.ended, () => `the end of ${name}:\n${running.output}`);
  assert.equal(code, 0, `${name}:\n${running.output}`);
}

describe("compose.yaml", { skip }, () => {
  const step = inOrder();
  const network = new Network();
  const all = [];
  const named = (name) => all.find((each) => each.name === name);
  const { services } = compose();

  /** A service's mounts: {files, volumes}. */
  function mountsOf({ volumes = [] }) {
    const found = { files: {}, volumes: {} };
    for (const [from, to] of volumes.map((each) => each.split(":")))
      if (from.startsWith(".")) found.files[to] = { text: readFileSync(join(containers, from), "utf8") };
      else found.volumes[to] = undefined; // a new volume has the owner that the image's folder has
    return found;
  }

  const create = (name, service) =>
    new Container(network, name, image(service.build.target), {
      words: service.command,
      user: service.user,
      environment: service.environment,
      ...mountsOf(service),
    });

  /** Runs a service's health check until it succeeds. */
  const isHealthy = (name) =>
    eventually(
      () => `${name} is healthy:\n${said(all)()}`,
      async () => {
        assert.equal(named(name).process.code, null, said([named(name)])());
        return (await named(name).run(services[name].healthcheck.test.slice(1)).ended) === 0;
      },
    );

  after(async () => {
    for (const { process } of all) if (process?.code === null) await process.stop("SIGKILL");
  });

  step("the images are made, and the ports mapped", async () => {
    await network.open("broker", 4222, []);
    await network.open("broker", 8222, []);
    for (const name of ["edge-1", "edge-2"]) await network.open(name, 8080, []);
    for (const [name, service] of Object.entries(services))
      if (!service.profiles) all.push(create(name, service));
  });

  step("the broker is healthy, then the others start, and both edges get healthy", async () => {
    named("broker").start();
    await isHealthy("broker");
    for (const each of all) if (each.name !== "broker") each.start();
    for (const name of ["edge-1", "edge-2"]) await isHealthy(name);
  });

  step("the probe tells a healthy answer from another one, from none, and from wrong usage", async () => {
    const probe = (url) => named("edge-1").run(["/usr/bin/marquee-http-probe", url]).ended;
    assert.equal(await probe("http://127.0.0.1:8080/healthz"), 0);
    assert.equal(await probe("http://localhost:8080/nothing"), 1);
    assert.equal(await probe("http://[::1]:1/healthz"), 1);
    for (const wrong of ["https://127.0.0.1:8080/healthz", "http://127.0.0.1:8080", "http://127.0.0.1/x"])
      assert.equal(await probe(wrong), 2, wrong);
  });

  step("nothing has ended by itself, for the broker was healthy before the others began", () => {
    for (const { name, process } of all) assert.equal(process.code, null, `${name}:\n${process.output}`);
  });

  step("a play is counted through each edge", async () => {
    for (const [i, name] of ["edge-1", "edge-2"].entries()) {
      const port = network.port(name, 8080);
      await isReady(all, port);
      const { status, body } = await http("POST", port, "/play/asset/123/user/42");
      assert.equal(status, 200, said(all)());
      assert.deepEqual([body.title, body.userviews, body.assetviews], ["It", i + 1, i + 1]);
    }
  });

  step("marquee-doctor finds no problem", async () => {
    const doctor = create("doctor", services.doctor);
    assert.equal(await doctor.start().ended, 0, doctor.process.output);
    assert.match(doctor.process.output, /reporting/);
  });

  step("each runs confined", () => assertConfined(all));

  step("each stops in order when it is told to", async () => {
    await Promise.all(all.filter(({ name }) => name !== "broker").map(stop));
    await stop(named("broker"));
  });
});

describe("the manifests of Kubernetes", { skip }, () => {
  const step = inOrder();
  const network = new Network();
  const pods = [];
  const of = (program) => pods.filter(({ program: own }) => own === program);
  let objects;
  let token;
  const named = (kind, name) => objects.find((each) => each.kind === kind && each.metadata.name === name);

  /** The files of a ConfigMap or a Secret as a volume has them. */
  function filesOf({ configMap, secret }) {
    const { data, stringData } = configMap ? named("ConfigMap", configMap.name) : named("Secret", secret.secretName);
    return Object.entries(data ?? stringData).map(([name, text]) => [
      name,
      { text, mode: secret?.defaultMode ?? 0o644, group: 65532 }, // fsGroup owns the files of volumes
    ]);
  }

  /** What the kubelet mounts: {files, volumes}. */
  function mountsOf({ volumes }, { volumeMounts }) {
    const found = { files: {}, volumes: {} };
    for (const { name, mountPath, subPath } of volumeMounts) {
      const volume = volumes.find((each) => each.name === name);
      if (!volume) found.volumes[mountPath] = { user: 0, group: 65532, mode: 0o2775 }; // as fsGroup leaves a claim
      else
        for (const [file, content] of filesOf(volume))
          if (!subPath) found.files[join(mountPath, file)] = content;
          else if (subPath === file) found.files[mountPath] = content;
    }
    return found;
  }

  /** The pods of a workload, which are not started yet. */
  function create({ metadata: { name }, spec: { replicas, template } }) {
    const { spec } = template;
    const [container] = spec.containers;
    const { runAsUser: user, runAsGroup: group, fsGroup } = spec.securityContext;
    for (let i = 0; i < replicas; ++i) {
      const pod = `${name}-${i}`;
      const field = { "metadata.name": pod };
      const variables = (container.env ?? []).map((each) => [
        each.name,
        each.value ?? field[each.valueFrom.fieldRef.fieldPath],
      ]);
      const environment = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_PORT: "tcp://10.96.0.1:443" };
      const made = new Container(network, pod, image(container.image.match(/^marquee-(\w+):/)[1]), {
        words: container.command ?? container.args,
        user: `${user}:${group}`,
        groups: String(fsGroup),
        environment: { ...environment, ...Object.fromEntries(variables) },
        ...mountsOf(spec, container),
      });
      pods.push(Object.assign(made, { program: container.name, container }));
    }
  }

  /** Waits until a probe of a pod succeeds. */
  const probed = (pod, kind) => {
    const { path, port: name } = pod.container[kind].httpGet;
    const { containerPort } = pod.container.ports.find((each) => each.name === name);
    return eventually(
      () => `${kind} of ${pod.name}:\n${said(pods)()}`,
      async () => {
        startAgain(pods);
        return (await http("GET", network.port(pod.name, containerPort), path)).status === 200;
      },
    );
  };
  const probes = async (pod) => {
    for (const kind of ["startupProbe", "livenessProbe", "readinessProbe"]) await probed(pod, kind);
  };

  after(async () => {
    for (const { process } of pods) if (process?.code === null) await process.stop("SIGKILL");
  });

  step("the secrets are made, the same each time, and the images and ports with them", async () => {
    const folder = newFolder();
    const make = () => execFileSync(join(kubernetes, "make-secrets"), [folder], { encoding: "utf8" });
    const secrets = make();
    assert.equal(make(), secrets);
    objects = [...manifests(), ...objectsOf(secrets)];
    token = named("Secret", "marquee-edge").stringData["admin-token"].trim();
    const workloads = objects.filter(({ kind }) => ["Deployment", "StatefulSet"].includes(kind));
    for (const { metadata, spec } of workloads)
      for (let i = 0; i < spec.replicas; ++i)
        for (const { containerPort } of spec.template.spec.containers[0].ports ?? [])
          await network.open(`${metadata.name}-${i}`, containerPort, [`${metadata.name}-${i}.${metadata.name}`]);
    network.alias("marquee-broker", 4222, "marquee-broker-0");
    workloads.forEach(create);
  });

  step("the brokers start one after another, each probed before the next", async () => {
    for (const pod of of("broker")) {
      pod.start();
      await probes(pod);
    }
  });

  step("all others start at once, and the edges are ready, with what Kubernetes puts into environments", async () => {
    // Only where service links were on, and harmless then.
    for (const name of ["MARQUEE_PORT", "MARQUEE_EDGE_PORT"]) of("edge")[0].environment[name] = "tcp://10.96.0.9:80";
    for (const pod of pods) if (pod.program !== "broker") pod.start();
    for (const pod of of("edge")) {
      await probes(pod);
      await isReady(pods, network.port(pod.name, 8080));
    }
    assert.match(of("edge")[0].process.output, /warning.*MARQUEE_PORT/);
  });

  step("an asset is stored at the admin port only, with the token of the Secret", async () => {
    const [edge] = of("edge");
    const change = (port, path, body) => http("POST", network.port(edge.name, port), path, { token, body });
    const record = { title: "Alien", genre: "horror", summary: "In space" };
    assert.equal((await change(8080, "/content/asset/789", record)).status, 405);
    assert.equal((await change(8081, "/content/asset/789", record)).status, 200, said(pods)());
    assert.equal((await change(8081, "/url/asset/789", { url: "path/to/asset789.mp4" })).status, 200, said(pods)());
  });

  step("a play is counted through each edge", async () => {
    for (const [i, pod] of of("edge").entries()) {
      const play = () => http("POST", network.port(pod.name, 8080), "/play/asset/789/user/42");
      const first = i > 0 ? await play() : await eventually(said(pods), async () => {
        const answer = await play(); // the other instances of the catalogues may follow a moment later
        return answer.status === 200 && answer;
      });
      assert.equal(first.status, 200, said(pods)());
      assert.deepEqual([first.body.title, first.body.userviews], ["Alien", i + 1], said(pods)());
    }
  });

  step("each runs confined", () => assertConfined(pods));

  step("each stops in order when it is told to", async () => {
    await Promise.all(pods.filter(({ program }) => program !== "broker").map(stop));
    await Promise.all(of("broker").map(stop));
  });
});
