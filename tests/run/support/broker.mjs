// As much of the NATS protocol as one request needs.
import { connect } from "node:net";
import { patience } from "./runner.mjs";

/** The reply to a request without headers, parsed; or undefined if none comes in time or the broker is away. */
export function request(port, subject, payload = "", ms = 2000) {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    const timer = setTimeout(() => end(undefined), Math.min(ms, patience));
    let seen = "";
    function end(answer) {
      clearTimeout(timer);
      socket.destroy();
      done(answer);
    }
    socket.on("error", () => end(undefined));
    socket.on("close", () => end(undefined));
    socket.setEncoding("latin1").on("data", (text) => {
      seen += text;
      const head = seen.match(/\r\nMSG \S+ \S+ (?:\S+ )?(\d+)\r\n/);
      if (!head) return;
      const from = head.index + head[0].length;
      const size = Number(head[1]);
      if (seen.length >= from + size) end(JSON.parse(Buffer.from(seen.slice(from, from + size), "latin1").toString()));
    });
    const inbox = "_INBOX.test.run";
    const body = `PUB ${subject} ${inbox} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`;
    socket.write(`CONNECT {"verbose":false,"pedantic":false,"lang":"test","version":"0"}\r\nSUB ${inbox} 1\r\n${body}`);
  });
}

/** What JetStream says about a stream of a cluster, asked at whichever of its servers answers. */
export async function streamInfo(ports, stream) {
  for (const port of ports) {
    const info = await request(port, `$JS.API.STREAM.INFO.${stream}`);
    if (info?.cluster?.leader) return info;
  }
  return undefined;
}
