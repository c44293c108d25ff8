// The recipes of the pages, word for word: each is one shell session, in a folder that looks
// like the source tree, on a machine of its own (a namespace of the network and of processes), so
// that its ports are the ones that the page names.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pages } from "./pages.mjs";
import { natsServer, newFolder, programs, source } from "./runner.mjs";

const own = [
  ...(process.getuid() === 0 ? [] : ["--user", "--map-root-user"]),
  // In a chroot the root of the file system is no mount, whose propagation could change.
  ...["--net", "--pid", "--fork", "--kill-child", "--propagation", "unchanged", "--mount-proc"],
];

/** Why recipes cannot run here, or false. */
export const impossible =
  spawnSync("unshare", [...own, "ip", "link", "set", "lo", "up"]).status === 0
    ? false
    : "a network namespace is not permitted here";

const anchor = (title) => title.toLowerCase().replace(/[^\w -]/g, "").replaceAll(" ", "-");

/** By the anchor of its heading: the lines of the blocks `sh recipe` below it. */
export const recipes = new Map(
  pages
    .flatMap(({ text }) => text.split(/^## /m).slice(1))
    .map((section) => {
      const blocks = [...section.matchAll(/^```sh recipe\n([^]*?)^```$/gm)].map((found) => found[1]);
      return [anchor(section.slice(0, section.indexOf("\n"))), blocks.join("\n")];
    })
    .filter(([, lines]) => lines !== ""),
);

function wrapper(path, text) {
  writeFileSync(path, `#!/usr/bin/env bash\n${text}\n`, { mode: 0o755 });
}

/** A proxy that find-proxy has unpacked has its libraries beside it. */
function addProxy(bin, name) {
  const path = execFileSync(join(source, "tests/support/find-proxy"), [name], { encoding: "utf8" }).trim();
  const libraries = `${path.slice(0, path.lastIndexOf("/sbin/"))}/lib/x86_64-linux-gnu`;
  wrapper(join(bin, name), `LD_LIBRARY_PATH='${libraries}' exec '${path}' "$@"`);
}

/**
 * A folder with what a recipe uses; `tools`: programs besides ours. `ours`: {NAME: what a shell does} in
 * place of the source tree and its programs.
 */
export function kitchen(tools, { folder = newFolder(), ours } = {}) {
  const bin = join(folder, ".bin");
  mkdirSync(bin);
  for (const [name, text] of Object.entries(ours ?? {})) wrapper(join(bin, name), text);
  for (const name of ours ? [] : ["run", "tools", "broker", ".tools"])
    if (existsSync(join(source, name))) symlinkSync(join(source, name), join(folder, name));
  // People have none in PATH: `./run` unpacks it, and Debian has it in /usr/sbin.
  wrapper(join(bin, "nats-server"), "echo 'nats-server: command not found' >&2; exit 127");
  for (const name of tools)
    if (name === "nats") {
      execFileSync(join(source, "tests/foreign_client/install"));
      symlinkSync(join(source, "tests/foreign_client/cli/nats"), join(bin, "nats"));
    } else addProxy(bin, name);
  writeFileSync(join(folder, ".curlrc"), 'silent\nshow-error\nnoproxy = "*"\nmax-time = 60\n');
  const env = { ...process.env, HOME: folder, CURL_HOME: folder, XDG_CONFIG_HOME: join(folder, "none") };
  for (const name of Object.keys(env)) if (/^(NATS_|MARQUEE_)/.test(name)) delete env[name];
  env.PATH = ours ? `${bin}:${process.env.PATH}` : `${bin}:${programs}:${process.env.PATH}`;
  if (!ours) Object.assign(env, { MARQUEE_BIN: programs, NATS_SERVER: natsServer });
  return { folder, env };
}

/**
 * Runs a recipe; {folder, output, times, audience}. `times`: each line, and when it began, which `t`
 * tells too. `viewers`: some watch the edges of ports 8080 and 8081 from the first answer on until
 * the recipe has ended; `audience` is what they say. `tools`: of nats, nginx and haproxy. `run`:
 * what stands for ./run. Fails where a line does.
 */
export async function cook(t, name, { viewers = false, tools = [], place = kitchen(tools), run = "./run" } = {}) {
  const { folder, env } = place;
  const lines = recipes.get(name)?.replaceAll(/(?<![\w.])\.\/run\b/g, run);
  if (!lines) throw new Error(`no recipe ${name}`);
  const audience = join(folder, "audience.json");
  const script = [
    "set -euo pipefail",
    "ip link set lo up",
    viewers && `node '${join(source, "tests/runner/support/audience.mjs")}' '${audience}' & audience=$!`,
    `exec 7>'${join(folder, "trace")}'; BASH_XTRACEFD=7 PS4='+ $EPOCHREALTIME '; set -x`,
    lines.replace(/^! .*$/gm, "$& || exit 1"), // errexit overlooks what is inverted
    viewers && 'kill "$audience"; wait "$audience"',
  ];
  writeFileSync(join(folder, "recipe.sh"), script.filter(Boolean).join("\n"));
  const options = { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] };
  const child = spawn("unshare", [...own, "bash", "recipe.sh"], options);
  const killed = () => child.kill("SIGKILL"); // and with it all that it has started
  process.on("exit", killed);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text) => (output += text));
  const limit = setTimeout(killed, 380_000);
  const began = Date.now() / 1000;
  const [code] = await once(child, "close");
  clearTimeout(limit);
  process.off("exit", killed);
  const trace = existsSync(join(folder, "trace")) ? readFileSync(join(folder, "trace"), "utf8") : "";
  if (code !== 0) throw new Error(`${name} ended (${code}):\n${output}\n${trace.split("\n").slice(-30).join("\n")}`);
  const times = [...trace.matchAll(/^\+ (\S+) (.*)$/gm)].map(([, at, line]) => ({ at: Number(at) - began, line }));
  for (const { at, line } of times)
    if (!/^(sleep|\[\[|\(\(|kill -0|for) /.test(line))
      t.diagnostic(`${at.toFixed(1).padStart(6)} s ${line.slice(0, 100)}`);
  return { folder, output, times, audience: viewers && JSON.parse(readFileSync(audience, "utf8")) };
}
