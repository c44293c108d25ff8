// A connection between browser and edge that a test can cut.
import { once } from "node:events";
import { connect, createServer } from "node:net";

export class Link {
  #sockets = new Set();
  #whole = true;

  static async open(target) {
    const link = new Link();
    link.server = createServer((from) => link.#join(from, target));
    link.server.listen(0, "127.0.0.1");
    await once(link.server, "listening");
    link.base = `http://127.0.0.1:${link.server.address().port}/`;
    return link;
  }

  #join(from, target) {
    if (!this.#whole) return from.resetAndDestroy();
    const to = connect(target, "127.0.0.1");
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ]) {
      this.#sockets.add(socket);
      socket.pipe(other);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }

  /** Every connection breaks, and none is made. */
  cut() {
    this.#whole = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  restore() {
    this.#whole = true;
  }

  async close() {
    this.cut();
    this.server.close();
  }
}
