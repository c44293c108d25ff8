// The part of the NATS protocol that one request needs, and a broker without the programs.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { eventually, natsServer, patience, source } from "./runner.mjs";

/**
 * Writes to a connection of its own, and gives what `take({ id, payload })` returns for a message
 * that came, once that is defined; undefined if that is never in time, or the broker is away.
 */
function converse(port, text, ms, take, user = {}) {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    const timer = setTimeout(() => end(undefined), ms);
    let seen = "";
    function end(answer) {
      clearTimeout(timer);
      socket.destroy();
      done(answer);
    }
    socket.on("error", () => end(undefined));
    socket.on("close", () => end(undefined));
    socket.setEncoding("latin1").on("data", (more) => {
      seen += more;
      let at = 0;
      for (let next; (next = frame(seen, at)) !== undefined && next.end <= seen.length; at = next.end) {
        const answer = next.id === undefined ? undefined : take(next);
        if (answer !== undefined) return end(answer);
      }
      seen = seen.slice(at);
    });
    const hello = { verbose: false, pedantic: false, lang: "test", version: "0", headers: true, ...user };
    socket.write(`CONNECT ${JSON.stringify(hello)}\r\n${text}`);
  });
}

/** The part of the protocol at a position of `text`, or undefined where its first line is not complete. */
function frame(text, at) {
  const next = text.indexOf("\r\n", at);
  if (next < 0) return undefined;
  const words = text.slice(at, next).split(" ");
  if (words[0] !== "MSG" && words[0] !== "HMSG") return { end: next + 2 };
  const size = Number(words.at(-1));
  const headers = words[0] === "HMSG" ? Number(words.at(-2)) : 0;
  const from = next + 2;
  return { id: words[2], payload: text.slice(from + headers, from + size), end: from + size + 2 };
}

const inbox = "_INBOX.test.run";

/** What subscribes to the inbox under the id 1, and publishes a request. */
function asking(subject, payload) {
  return `SUB ${inbox} 1\r\nPUB ${subject} ${inbox} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`;
}

/**
 * The reply to a request without headers, parsed; or undefined if none comes in time or the broker
 * is away. `user` has `user` and `pass`, or nothing.
 */
export function request(port, subject, payload = "", ms = 2000, user = {}) {
  const parse = (reply) => JSON.parse(Buffer.from(reply.payload, "latin1").toString());
  return converse(port, asking(subject, payload), Math.min(ms, patience), parse, user);
}

/** JetStream's information on a stream of a cluster, from the first of its servers that replies. */
export async function streamInfo(ports, stream) {
  for (const port of ports) {
    const info = await request(port, `$JS.API.STREAM.INFO.${stream}`);
    if (info?.cluster?.leader) return info;
  }
  return undefined;
}

/** How many lines the first `messages` messages of a stream hold; undefined where they do not come in time. */
export function storedLines(port, stream, messages, ms = 30_000) {
  const config = { deliver_subject: "_INBOX.test.lines", ack_policy: "none", deliver_policy: "all" };
  const create = asking(`$JS.API.CONSUMER.CREATE.${stream}`, JSON.stringify({ stream_name: stream, config }));
  let lines = 0;
  return converse(port, `SUB ${config.deliver_subject} 2\r\n${create}`, ms, ({ id, payload }) => {
    if (id !== "2") return undefined;
    lines += payload.split("\n").filter((line) => line !== "").length;
    return --messages === 0 ? lines : undefined;
  });
}

/** A stream's configuration with some settings changed, as `nats stream edit` sends it; the server's answer. */
export async function editStream(port, stream, edits) {
  const { config } = await request(port, `$JS.API.STREAM.INFO.${stream}`);
  return request(port, `$JS.API.STREAM.UPDATE.${stream}`, JSON.stringify({ ...config, ...edits }));
}

/** Runs `body` while the broker of a ./run that has ended runs alone, on the same store and port. */
export async function withBrokerAlone({ data, natsPort }, body) {
  const words = ["-c", join(source, "broker/nats-server/fast.conf"), "-p", String(natsPort), "-sd", join(data, "nats")];
  const broker = spawn("setpriv", ["--pdeathsig", "KILL", natsServer, ...words], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  broker.stderr.setEncoding("utf8").on("data", (text) => (log += text));
  try {
    await eventually(
      () => `the broker is ready:\n${log}`,
      () => log.includes("Server is ready"),
    );
    return await body(natsPort);
  } finally {
    const gone = once(broker, "exit");
    broker.kill("SIGTERM");
    await gone;
  }
}
