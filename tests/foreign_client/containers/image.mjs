// The images of packaging/containers/Dockerfile as folders: its stages carried out, as far as they
// copy files, with the programs of the build under test.
import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { natsServer, newFolder, programs, source } from "../../runner/support/runner.mjs";
import { dockerfile, stagesOf } from "./files.mjs";

const run = (...words) => execFileSync(words[0], words.slice(1), { cwd: source, stdio: ["ignore", "pipe", "inherit"] });

/** The file of this machine that stands for one of the build stage. */
function localProgram(path) {
  if (path.startsWith("build/release/bin/")) return join(programs, basename(path));
  if (path === "/usr/sbin/nats-server") return natsServer;
  throw new Error(`${path}: not known to this test`);
}

const stages = stagesOf(dockerfile);
const stage = (name) => stages.find((each) => each.name === name);
const folder = newFolder(); // of what the build stage makes
const made = new Set();

/** Carries out the step of the build stage that makes a folder of /images; returns where it is here. */
function makeImages(path) {
  const name = path.split("/")[2];
  const here = join(folder, name);
  if (made.has(name)) return here;
  made.add(name);
  const { words } = stage("build").steps.find(
    (step) => step.keyword === "RUN" && step.words.some((word) => word.startsWith(`/images/${name}`)),
  );
  const [command, ...rest] = words;
  const there = (word) => join(folder, word.slice("/images/".length));
  if (command === "mkdir") mkdirSync(there(rest.at(-1)), { recursive: true });
  else run(command, there(rest[0]), ...rest.slice(1).map(localProgram));
  return here;
}

function copyInto(root, { words, flags }) {
  const from = words.slice(0, -1);
  const to = join(root, words.at(-1));
  const owner = flags.find((flag) => flag.startsWith("--chown="))?.slice("--chown=".length) ?? "0:0";
  for (const path of from) {
    if (flags.includes("--from=build")) {
      const images = makeImages(path);
      mkdirSync(to, { recursive: true });
      run("cp", "-a", `${images}/.`, to);
      for (const each of readdirSync(images)) run("chown", "-Rh", owner, join(to, each));
      continue;
    }
    mkdirSync(words.at(-1).endsWith("/") ? to : dirname(to), { recursive: true });
    run("bash", "-c", `install -m 644 ${path} "$1"`, "copy", to); // the path may have a *
  }
}

const single = (steps, keyword) => steps.filter((step) => step.keyword === keyword).at(-1)?.words;

/** An image by the name of its stage. */
export class Image {
  constructor(name) {
    this.name = name;
    this.root = join(newFolder(), "root");
    mkdirSync(this.root);
    const own = stage(name);
    const steps = [...stage(own.from).steps, ...own.steps];
    for (const step of steps.filter(({ keyword }) => keyword === "COPY")) copyInto(this.root, step);
    this.user = single(steps, "USER")[0];
    this.entrypoint = single(steps, "ENTRYPOINT");
    this.command = single(steps, "CMD") ?? [];
    this.stopSignal = single(steps, "STOPSIGNAL")?.[0] ?? "SIGTERM";
    const variables = steps.filter(({ keyword }) => keyword === "ENV").flatMap(({ words }) => words);
    this.environment = Object.fromEntries(variables.map((each) => each.split(/=(.*)/s)));
  }
}

/** All paths below a folder that this user or this group may write, as they are within it. */
export function writable(root, user, group, path = "/") {
  const { mode, uid, gid } = lstatSync(join(root, path));
  if ((mode & 0o170000) === 0o120000) return []; // a link
  const may = uid === user ? mode & 0o200 : gid === group ? mode & 0o020 : mode & 0o002;
  const below =
    (mode & 0o170000) === 0o040000
      ? readdirSync(join(root, path)).flatMap((name) => writable(root, user, group, join(path, name)))
      : [];
  return may ? [path, ...below] : below;
}

/** Writes a file that a container has besides those of its image. */
export function addFile(root, path, text, mode = 0o444) {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  run("rm", "-f", file); // it may be a link to the image's
  writeFileSync(file, text, { mode });
}
