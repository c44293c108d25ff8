// Viewers of a recipe: from the first answer of an edge on they play without a pause, and go to the
// other edge where one takes no connection. At SIGTERM they leave, and write what they saw.
//
//   audience.mjs FILE
import { writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { Audience } from "./viewer.mjs";

const ports = [8080, 8081];
const refused = (error) => error.cause?.code === "ECONNREFUSED";

async function playAt(port, asset, user) {
  const url = `http://127.0.0.1:${port}/play/asset/${asset}/user/${user}`;
  const options = { method: "POST", headers: { connection: "close" }, signal: AbortSignal.timeout(60_000) };
  const reply = await fetch(url, options);
  const text = await reply.text();
  return { status: reply.status, text, json: JSON.parse(text) };
}

/** As ./run's clients do: the next edge where the first is not there. */
const clients = {
  async play(asset, user, { edge }) {
    try {
      return await playAt(ports[edge], asset, user);
    } catch (error) {
      if (!refused(error)) throw error;
      return playAt(ports[1 - edge], asset, user);
    }
  },
};

let audience;
let over = false;
process.on("SIGTERM", async () => {
  over = true;
  await audience?.leave();
  const { acknowledged, outages, wrong, assets } = audience ?? {};
  writeFileSync(process.argv[2], JSON.stringify({ acknowledged, outages, wrong, assets }));
  process.exit();
});

const isOpen = async () => {
  const answers = ports.map((port) => fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined));
  return (await Promise.all(answers)).some((answer) => answer?.status === 200);
};
while (!over && !(await isOpen())) await pause(50);
if (!over) audience = new Audience(clients, () => false, 2);
