// A system on broker/nats-server/secure.conf, with the seeds and the options that ./run --secure
// makes.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nkeyAuthenticator } from "@nats-io/transport-node";
import { source, System } from "./system.mjs";

export const table = JSON.parse(readFileSync(join(source, "broker/nats-server/permissions.json"), "utf8"));
export const users = Object.keys(table.users);

/** Runs a line of bash with the functions of tools/run/secure. */
function sourced(data, line) {
  const script = `set -euo pipefail; umask 077; data=$1 secure=yes durability=fast connect=()
    fail() { echo "$*" >&2; exit 1; }
    source tools/run/secure; ${line}`;
  return execFileSync("bash", ["-c", script, "bash", data], { cwd: source, encoding: "utf8" }).trim();
}

export class SecureSystem {
  /** `prepare(folder)` returns the name of the broker's configuration in the folder, if it is another. */
  static async create(prepare = () => "nats-server.conf") {
    const made = new SecureSystem();
    made.system = await System.create((data) => {
      made.data = data;
      sourced(data, "make_nkeys; secure_config nats-server");
      return `include "broker/${prepare(data)}"`;
    });
    made.system.as = made.credentials("viewer");
    return made;
  }

  /** The options of a program that is this user. */
  identity(user) {
    return sourced(this.data, `identify ${user}; printf '%s\\n' "\${access[@]}"`).split("\n");
  }

  start(kind, args = []) {
    return this.system.start(kind, { args: [...this.identity(kind), ...args] });
  }

  authenticator(user) {
    return nkeyAuthenticator(readFileSync(join(this.data, `nkeys/${user}.nk`)).subarray(0, 58));
  }

  /** Of a key that no configuration names. */
  stranger() {
    sourced(this.data, 'make_seed "$data/nkeys/stranger.nk"');
    return this.authenticator("stranger");
  }

  credentials(user) {
    return { authenticator: this.authenticator(user), inboxPrefix: `_INBOX_${user}` };
  }

  connect(user, options = {}) {
    return this.system.connect({ ...this.credentials(user), ...options });
  }

  end() {
    return this.system.end();
  }
}

/** Each subject that {a,b} stands for. */
export function expand(subject) {
  const [, before, options, after] = subject.match(/^([^{]*)\{([^}]*)\}(.*)$/) ?? [];
  return options === undefined ? [subject] : options.split(",").flatMap((one) => expand(before + one + after));
}

const names = (list) => (list ?? "").split(" ").filter(Boolean);

/** {pattern, example, publishers, subscribers, queue} of each subject of the table. */
export const subjects = table.subjects
  .filter(({ subject }) => subject)
  .flatMap(({ subject, publish, subscribe, queue }) =>
    expand(subject).map((pattern) => ({
      pattern,
      example: pattern.replaceAll("*", "x").replace(/>$/, "x.y"),
      publishers: names(publish),
      subscribers: names(subscribe),
      queue,
    })),
  );
