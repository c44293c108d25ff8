// The expected counts: from the attempts of the ledgers and the events of the stream.
import { parseEvents } from "../events.mjs";
import { outcomes } from "./ledger.mjs";

/** One event id. `asset` and `user` are of the event stored, else of the first attempt. */
class Play {
  outcome = 0; // bits of the attempts with this asset and user
  others = null; // attempts under the same id for another asset or user
  stored = 0; // how often the stream holds it
  counts = 0; // how often it counts: once within a window
  storedAt = 0n; // the last copy's timestamp
  sequence = 0; // the last copy's message
  messageId = null; // what JetStream knows it by
  countedAt = []; // the timestamps of the messages that counted
  constructor(asset, user) {
    this.asset = asset;
    this.user = user;
  }
  /** Of all attempts together. */
  get outcomes() {
    return (this.others ?? []).reduce((all, other) => all | other.outcome, this.outcome);
  }
}

/** The bounds of one asset or one user. */
class Views {
  acknowledged = 0; // at least so many must be counted
  attempted = 0; // at most so many
  distinct = 0; // exactly so many
  text = 0; // text events stored, less those attempted
}

const distance = (one, other) => (one < other ? other - one : one - other);

export class ExpectedViews {
  plays = new Map();
  assets = new Map();
  users = new Map();
  attempts = 0;
  messages = 0;
  text = 0;
  rejected = 0;
  duplicates = 0;
  distinct = 0; // all that counts
  lastSequence = 0;
  double = []; // stored again although JetStream's window still knew the id
  repeats = []; // stored again later, which only reporting can notice
  mismatched = []; // stored for another asset or user than any attempt that may have been stored

  /** Windows in nanoseconds: of reporting, and of the stream. */
  constructor(dedupeWindow, duplicateWindow) {
    this.dedupeWindow = dedupeWindow;
    this.duplicateWindow = duplicateWindow;
  }

  attempt({ event, asset, user, outcome }) {
    this.attempts += 1;
    if (event === "") return this.#textAttempt(asset, user, outcome);
    let play = this.plays.get(event);
    if (!play) this.plays.set(event, (play = new Play(asset, user)));
    if (play.asset === asset && play.user === user) {
      play.outcome |= outcome;
      return;
    }
    play.others ??= [];
    let other = play.others.find((o) => o.asset === asset && o.user === user);
    if (!other) play.others.push((other = { asset, user, outcome: 0 }));
    other.outcome |= outcome;
  }

  #textAttempt(asset, user, outcome) {
    for (const views of [at(this.assets, asset), at(this.users, user)]) {
      views.attempted += 1;
      views.text -= 1;
      if (outcome === outcomes.acknowledged) views.acknowledged += 1;
    }
  }

  /** Messages must come in the order of the stream. `messageId`: the Nats-Msg-Id, where it is known. */
  store(sequence, timestamp, data, messageId = "") {
    this.messages += 1;
    this.lastSequence = sequence;
    const { lines, events } = parseEvents(data);
    for (const event of events) this.#store(event, sequence, timestamp, messageId || messageIdOf(event, lines));
  }

  /** A message without events. */
  pass(sequence) {
    this.messages += 1;
    this.lastSequence = sequence;
  }

  #store(event, sequence, timestamp, messageId) {
    if (!event) {
      this.rejected += 1;
      return;
    }
    if (event.id === null) {
      this.text += 1;
      at(this.assets, event.asset).text += 1;
      at(this.users, event.user).text += 1;
      this.#count(event);
      return;
    }
    let play = this.plays.get(event.id);
    if (!play) this.plays.set(event.id, (play = new Play(event.asset, event.user)));
    const known = messageId !== null && play.messageId === messageId && play.sequence !== sequence;
    if (play.stored === 0) this.#settle(play, event);
    else if (known && timestamp - play.storedAt < this.duplicateWindow) this.double.push(event.id);
    else this.repeats.push(event.id);
    play.stored += 1;
    play.storedAt = timestamp;
    play.sequence = sequence;
    play.messageId = messageId;
    if (play.countedAt.some((at) => distance(at, timestamp) < this.dedupeWindow)) {
      this.duplicates += 1;
      return;
    }
    play.counts += 1;
    play.countedAt.push(timestamp);
    this.#count(event);
  }

  #count({ asset, user }) {
    this.distinct += 1;
    at(this.assets, asset).distinct += 1;
    at(this.users, user).distinct += 1;
  }

  /** Takes asset and user of the first stored copy for the play. */
  #settle(play, { id, asset, user }) {
    if (play.asset === asset && play.user === user) return;
    const own = play.others?.findIndex((o) => o.asset === asset && o.user === user) ?? -1;
    if (own < 0) {
      this.mismatched.push(id);
      return;
    }
    const stored = play.others[own];
    play.others[own] = { asset: play.asset, user: play.user, outcome: play.outcome };
    Object.assign(play, stored);
  }

  /** Finishes. Foreign events raise the upper bounds only when they are allowed. */
  close(allowForeign) {
    const sums = { attempted: 0, acknowledged: 0, unknown: 0, refused: 0, stored: 0 };
    const lists = { lost: [], refusedStored: [], foreign: [] };
    for (const [id, play] of this.plays) {
      if (play.stored > 0) sums.stored += 1;
      const outcome = play.outcomes;
      const acknowledged = (outcome & outcomes.acknowledged) !== 0;
      if (outcome === 0) lists.foreign.push(id);
      else sums.attempted += 1;
      if (acknowledged) sums.acknowledged += 1;
      else if (outcome & outcomes.unknown) sums.unknown += 1;
      else if (outcome !== 0) sums.refused += 1;
      if (acknowledged && play.stored === 0) lists.lost.push(id);
      if (play.stored > 0 && play.outcome === outcomes.refused) lists.refusedStored.push(id);
      const most = outcome === 0 && !allowForeign ? 0 : Math.max(1, play.counts);
      for (const views of [at(this.assets, play.asset), at(this.users, play.user)]) {
        views.attempted += most;
        if (acknowledged) views.acknowledged += 1;
      }
    }
    for (const table of allowForeign ? [this.assets, this.users] : [])
      for (const views of table.values()) views.attempted += Math.max(0, views.text);
    return { sums, lists };
  }
}

const lineOfBatch = /^([0-7][0-9A-HJKMNP-TV-Z]{25})\.(0|[1-9]\d*)$/;

/**
 * The Nats-Msg-Id by which JetStream keeps out a second copy: the event's id, or the batch's for a
 * line of an edge's batch. Null for other lines, whose ids JetStream does not see.
 */
function messageIdOf(event, lines) {
  if (!event?.id) return null;
  if (!lines) return event.id;
  return lineOfBatch.exec(event.id)?.[1] ?? null;
}

function at(table, id) {
  let views = table.get(id);
  if (!views) table.set(id, (views = new Views()));
  return views;
}
