// Reads the counts of the running reporting.
import { encodeToken, isId } from "../ids.mjs";

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** The statistics of each instance, by its id. */
async function instances(nats) {
  const found = new Map();
  const replies = await nats.requestMany("$SRV.STATS.reporting", "", { strategy: "timer", maxWait: 1000 });
  for await (const reply of replies) {
    if (reply.headers?.code === 503) continue; // no responders
    const stats = reply.json();
    found.set(stats.id, stats.endpoints.find((endpoint) => endpoint.name === "asset").data);
  }
  return found;
}

/** Waits until so many instances, or any, have counted everything and serve. */
export async function currentInstances(nats, { wanted, lastSequence, patience }) {
  const until = Date.now() + patience;
  for (;;) {
    const found = await instances(nats);
    const all = [...found.values()];
    const current = all.every((data) => data.last_sequence >= lastSequence && data.serving !== false);
    if (current && (wanted === undefined ? all.length > 0 : all.length === wanted)) return found;
    if (Date.now() > until) {
      const state = all
        .map((data) => `${data.last_sequence}${data.serving === false ? " (not serving)" : ""}`)
        .join(", ");
      throw new Error(
        `${all.length} instances of reporting, ${wanted ?? "any"} wanted, at sequence [${state}] of ${lastSequence}`,
      );
    }
    await pause(100);
  }
}

/** The reply, or null for 404. */
export async function requestReply(nats, subject, request) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const payload = request === undefined ? "" : JSON.stringify(request);
      const reply = await nats.request(subject, payload, { timeout: 10_000 });
      const code = reply.headers?.get("Nats-Service-Error-Code");
      if (code === "404") return null;
      if (code) throw new Error(`${subject}: ${code} ${reply.headers.get("Nats-Service-Error")}`);
      return reply.json();
    } catch (error) {
      if (attempt === 5) throw new Error(`${subject}: ${error.message}`);
      await pause(100 * attempt);
    }
  }
}

/**
 * Requests every id `times` times, so that each instance of the queue group gets its share; returns
 * the different replies by id. Invalid ids are left out.
 */
export async function requestAll(nats, kind, ids, times) {
  const answers = new Map();
  const queue = ids[Symbol.iterator]();
  const worker = async () => {
    for (const id of queue) {
      if (!isId(id)) continue;
      const subject = `reporting.${kind}.${encodeToken(id)}`;
      const replies = await Promise.all(Array.from({ length: times }, () => requestReply(nats, subject)));
      answers.set(id, [...new Set(replies.map((reply) => reply?.views ?? 0))]);
    }
  };
  await Promise.all(Array.from({ length: 128 }, worker));
  return answers;
}
