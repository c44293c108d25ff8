// The Debian packages of a build, as cpack makes them.
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { newFolder, programs } from "../../runner/support/runner.mjs";

const execute = promisify(execFile);
export const build = resolve(programs, "..");

/** What a command prints. Its limit: ten minutes. */
export async function run(command, words, options = {}) {
  const limits = { encoding: "utf8", timeout: 600_000, maxBuffer: 1 << 26 };
  const { stdout } = await execute(command, words, { ...limits, ...options });
  return stdout;
}

/** Runs a command of the build folder that writes what `cmake --install` generates; one at a time. */
export function runAlone(command, words, options = {}) {
  return run("flock", [join(build, "packaging/lock"), command, ...words], { cwd: build, ...options });
}

/** The packages by name, such as marquee-edge, of this version (default: the project's). Compiles nothing. */
export async function makePackages(version) {
  const folder = newFolder();
  const words = ["-B", folder, ...(version ? ["-D", `CPACK_PACKAGE_VERSION=${version}`] : [])];
  await runAlone("cpack", words);
  const files = readdirSync(folder).filter((name) => name.endsWith(".deb"));
  return new Map(files.map((name) => [name.split("_")[0], join(folder, name)]));
}

/** The paths of the files in a package, links and folders left out. */
export async function filesOf(deb) {
  const lines = (await run("dpkg-deb", ["--contents", deb])).trim().split("\n");
  return lines.filter((line) => line.startsWith("-")).map((line) => line.split(/\s+/)[5].slice(1));
}
