// Reads stream EVENTS from its start, in order, without Marquee's code.
import { jetstream, jetstreamManager } from "@nats-io/jetstream";

export async function streamInfo(nats, name) {
  const manager = await jetstreamManager(nats, { timeout: 30_000 });
  return manager.streams.info(name);
}

/**
 * Calls `take(sequence, timestamp, data, messageId, subject)` for every message to the end; returns
 * the stream's state.
 */
export async function readStream(nats, name, take) {
  const streams = jetstream(nats, { timeout: 30_000 });
  let seen = 0;
  let read = 0;
  for (;;) {
    const info = await streamInfo(nats, name);
    const { messages, first_seq: first, last_seq: last } = info.state;
    if (messages === 0 || seen >= last) {
      if (read < messages) throw new Error(`stream ${name} holds ${messages} messages, but only ${read} could be read`);
      return info;
    }
    const consumer = await streams.consumers.get(name, {
      opt_start_seq: Math.max(first, seen + 1),
      deliver_policy: "by_start_sequence",
    });
    for await (const message of await consumer.consume({ max_messages: 5000 })) {
      const { streamSequence, pending } = message.info;
      if (streamSequence <= seen) throw new Error(`stream ${name} gave ${streamSequence} after ${seen}`);
      seen = streamSequence;
      read += 1;
      const id = message.headers?.get("Nats-Msg-Id");
      take(streamSequence, message.timestampNanos, message.data, id, message.subject);
      if (seen >= last || pending === 0) break;
    }
    await consumer.delete().catch(() => {}); // else the server removes it later
  }
}
