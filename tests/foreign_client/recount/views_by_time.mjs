// Views by time, viewers, histories and corrections: counted from the messages of the stream alone,
// by the rule of services/reporting/projection/counting_rule.hpp.
import { parseEvents } from "../events.mjs";
import { isId } from "../ids.mjs";

const hour = 3_600_000;
const fiveMinutes = 300_000;
const eventId = /^[A-Za-z0-9_.-]{1,64}$/;

export const steps = { hour, day: 24 * hour };
export const windows = { "1h": ["hour", 1], "24h": ["hour", 24], "7d": ["day", 7], "30d": ["day", 30] };

/** Ids are compared as bytes; UTF-16 would sort some differently. */
export const byBytes = (one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other));

export const timeText = (ms) => new Date(Math.floor(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");

const distance = (one, other) => (one < other ? other - one : one - other);

class Sum {
  views = 0;
  last = -1;
  add(time) {
    this.views += 1;
    this.last = Math.max(this.last, time);
  }
}

export class ViewsByTime {
  assets = new Map(); // Sum by id
  users = new Map();
  seen = new Map(); // by user, by asset: Sum
  hours = new Map(); // by hour, by asset: views
  applied = 0;
  duplicates = 0;
  rejected = 0;
  retracted = 0;
  erased = 0;
  #uses = new Map(); // by event id: where it was counted

  /** The window in nanoseconds. */
  constructor(dedupeWindow) {
    this.dedupeWindow = dedupeWindow;
  }

  /** Messages must come in the order of the stream; the timestamp is in nanoseconds. */
  store(timestamp, subject, data) {
    if (subject === "events.admin") return this.#correct(timestamp, data);
    for (const event of parseEvents(data).events)
      if (event) this.#count(event, timestamp);
      else this.rejected += 1;
  }

  #count({ id, asset, user, time: said }, timestamp) {
    const stored = Number(timestamp / 1_000_000n);
    const time = said !== null && said >= 0 && said - stored <= fiveMinutes ? said : stored;
    if (id !== null) {
      if (!this.#uses.has(id)) this.#uses.set(id, []);
      const uses = this.#uses.get(id);
      if (uses.some((use) => distance(use.timestamp, timestamp) < this.dedupeWindow)) {
        this.duplicates += 1;
        return;
      }
      uses.push({ timestamp, asset, user, hour: Math.floor(time / hour) });
    }
    this.applied += 1;
    at(this.assets, asset, Sum).add(time);
    at(this.users, user, Sum).add(time);
    at(at(this.seen, user, Map), asset, Sum).add(time);
    const hours = at(this.hours, Math.floor(time / hour), Map);
    hours.set(asset, (hours.get(asset) ?? 0) + 1);
  }

  #correct(timestamp, data) {
    const { retract, erase } = readCorrection(data);
    if (erase !== undefined) this.#erase(erase);
    else if (retract === undefined || !this.#retract(retract, timestamp)) this.rejected += 1;
  }

  #retract(id, timestamp) {
    const use = this.#uses.get(id)?.findLast((each) => distance(each.timestamp, timestamp) < this.dedupeWindow);
    if (!use || use.user === null) return false;
    takeOne(this.assets, use.asset);
    takeOne(this.users, use.user);
    const seen = this.seen.get(use.user);
    takeOne(seen, use.asset);
    const hours = this.hours.get(use.hour);
    hours.set(use.asset, hours.get(use.asset) - 1);
    use.user = null;
    this.retracted += 1;
    return true;
  }

  #erase(user) {
    this.erased += this.users.get(user)?.views ?? 0;
    this.users.delete(user);
    this.seen.delete(user);
    for (const uses of this.#uses.values()) for (const use of uses) if (use.user === user) use.user = null;
  }

  /** The reply of reporting.asset. */
  asset(id) {
    const { views, last } = this.assets.get(id);
    let viewers = 0;
    for (const seen of this.seen.values()) if (seen.has(id)) viewers += 1;
    return { id, views, viewers, last: timeText(last) };
  }

  /** All elements of reporting.assets. */
  allAssets() {
    const viewers = new Map();
    for (const seen of this.seen.values()) for (const id of seen.keys()) viewers.set(id, (viewers.get(id) ?? 0) + 1);
    return [...this.assets]
      .sort(([one], [other]) => byBytes(one, other))
      .map(([id, { views, last }]) => ({ id, views, viewers: viewers.get(id) ?? 0, last: timeText(last) }));
  }

  /** The reply of reporting.user. */
  user(id) {
    const { views, last } = this.users.get(id);
    return { id, views, assets: this.seen.get(id).size, last: timeText(last) };
  }

  /** All elements of reporting.history. */
  history(user) {
    return [...this.seen.get(user)]
      .sort(([one, a], [other, b]) => b.last - a.last || byBytes(one, other))
      .map(([id, { views, last }]) => ({ id, views, last: timeText(last) }));
  }

  /** The views by asset of the hours from `from` to before `to`, in milliseconds. */
  #between(from, to) {
    const found = new Map();
    for (const [each, assets] of this.hours)
      if (each * hour >= from && each * hour < to)
        for (const [id, views] of assets) if (views > 0) found.set(id, (found.get(id) ?? 0) + views);
    return found;
  }

  /** The reply of reporting.series, of one asset or of all; the bounds are whole steps. */
  series(step, from, to, id) {
    const size = steps[step];
    const points = [];
    for (let start = from; start < to; start += size) points.push({ start: timeText(start), views: 0 });
    for (const [each, assets] of this.hours) {
      const point = points[Math.floor((each * hour - from) / size)];
      if (each * hour >= from && point)
        for (const [asset, views] of assets) if (id === undefined || asset === id) point.views += views;
    }
    return { ...(id === undefined ? {} : { id }), step, from: timeText(from), to: timeText(to), points };
  }

  /** The reply of reporting.top for a window whose last step holds `time`. */
  top(window, time, limit) {
    const [step, count] = windows[window];
    const to = (Math.floor(time / steps[step]) + 1) * steps[step];
    const from = Math.max(0, to - count * steps[step]);
    const assets = [...this.#between(from, to)]
      .map(([id, views]) => ({ id, views }))
      .sort((one, other) => other.views - one.views || byBytes(one.id, other.id))
      .slice(0, limit);
    return { from: timeText(from), to: timeText(to), assets };
  }
}

/** `{retract}` or `{erase}`; neither, where it is no correction. */
function readCorrection(data) {
  let read;
  try {
    read = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data));
  } catch {
    return {};
  }
  if (typeof read !== "object" || read === null || Array.isArray(read)) return {};
  const retract = read.retract ?? undefined;
  const erase = read.erase ?? undefined;
  if ((retract === undefined) === (erase === undefined)) return {};
  if (retract !== undefined) return typeof retract === "string" && eventId.test(retract) ? { retract } : {};
  return isId(erase) ? { erase } : {};
}

function takeOne(sums, id) {
  const sum = sums.get(id);
  sum.views -= 1;
  if (sum.views === 0) sums.delete(id);
}

function at(table, key, Kind) {
  if (!table.has(key)) table.set(key, new Kind());
  return table.get(key);
}

