// A ledger: one attempt a line, as NDJSON.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

export const outcomes = { acknowledged: 1, unknown: 2, refused: 4 };

/** Throws where a line is not an attempt: a ledger that cannot be read proves nothing. */
export async function readLedger(file, take) {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    number += 1;
    if (line === "") continue;
    const attempt = parseAttempt(line);
    if (!attempt) throw new Error(`${file}:${number}: not an attempt: ${line.slice(0, 200)}`);
    take(attempt);
  }
}

function parseAttempt(line) {
  let read;
  try {
    read = JSON.parse(line);
  } catch {
    return null;
  }
  if (read === null || typeof read !== "object") return null;
  const { event = "", asset, user, outcome } = read; // without an event id: a text event
  const valid = [event, asset, user].every((text) => typeof text === "string") && Object.hasOwn(outcomes, outcome);
  return valid ? { event, asset, user, outcome: outcomes[outcome] } : null;
}
