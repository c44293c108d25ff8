// A TCP relay before the broker that can stop reading what a program sends.
import { once } from "node:events";
import { connect, createServer } from "node:net";

export class SlowLink {
  #links = new Set();
  #held = false;

  /** Relays to the server of `url`, a nats://host:port. */
  static async before(url) {
    const made = new SlowLink();
    const { hostname, port } = new URL(url);
    made.server = createServer((program) => made.#relay(program, connect(Number(port), hostname)));
    made.server.listen(0, "127.0.0.1");
    await once(made.server, "listening");
    made.url = `nats://127.0.0.1:${made.server.address().port}`;
    return made;
  }

  #relay(program, broker) {
    const pair = { program, broker };
    this.#links.add(pair);
    for (const [from, to] of [[program, broker], [broker, program]]) {
      from.on("data", (bytes) => to.write(bytes));
      from.on("error", () => to.destroy());
      from.on("close", () => {
        to.destroy();
        this.#links.delete(pair);
      });
    }
    if (this.#held) program.pause();
  }

  /** From here on nothing is read of what programs send. */
  hold() {
    this.#held = true;
    for (const { program } of this.#links) program.pause();
  }

  release() {
    this.#held = false;
    for (const { program } of this.#links) program.resume();
  }

  end() {
    this.server.close();
    for (const { program } of this.#links) program.destroy();
  }
}
