// What /metrics and /services say, as numbers to show, and what is wrong, in words. No I/O.
import { t } from "../strings.js";

/** Prometheus' text format: [{name, labels, value}…]. */
export function samples(text) {
  const found = [];
  for (const line of text.split("\n")) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!match) continue;
    const labels = {};
    for (const [, name, value] of (match[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) labels[name] = value;
    found.push({ name: match[1], labels, value: Number(match[3]) });
  }
  return found;
}

/** The edge's own figures out of its samples; those that only grow are totals. */
export function edgeTotals(all) {
  const sum = (name, want = () => true) =>
    all.reduce((n, one) => (one.name === `marquee_edge_${name}` && want(one.labels) ? n + one.value : n), 0);
  const player = ({ route }) => !/^\/(metrics|services|events\/live|readyz|page|media)/.test(route ?? "");
  return {
    requests: sum("requests_total"),
    errors: sum("requests_total", ({ status }) => /^5/.test(status)),
    answered: sum("request_duration_seconds_count", player),
    seconds: sum("request_duration_seconds_sum", player),
    degraded: sum("degraded_total"),
    reconnects: sum("nats_reconnects_total"),
    flight: sum("requests_in_flight"),
    connections: sum("connections"),
    links: sum("nats_links_up"),
    threads: sum("threads"),
    live: sum("live_clients"),
    open: all
      .filter((one) => one.name === "marquee_edge_circuits_open" && one.value > 0)
      .map((one) => one.labels.service ?? ""),
  };
}

/** The totals of an instance of /services. */
export function instanceTotals(service) {
  const endpoints = Array.isArray(service.endpoints) ? service.endpoints : [];
  const sum = (member) => endpoints.reduce((n, one) => n + (Number(one[member]) || 0), 0);
  // A request for live views waits for them: no latency.
  const live = endpoints.find((one) => one.name === "live");
  return {
    requests: sum("num_requests"),
    errors: sum("num_errors"),
    answered: sum("num_requests") - (Number(live?.num_requests) || 0),
    nanoseconds: sum("processing_time") - (Number(live?.processing_time) || 0),
    data: endpoints[0]?.data ?? {},
  };
}

/** a and b are totals `seconds` apart: {rate, errors, latency ms} between them; a new process counts anew. */
export function between(a, b, seconds) {
  const grown = (member) => Math.max(0, (b[member] ?? 0) - (a?.[member] ?? b[member] ?? 0));
  const answered = grown("answered");
  const worked = "seconds" in b ? grown("seconds") * 1000 : grown("nanoseconds") / 1e6;
  return {
    rate: grown("requests") / seconds,
    errors: grown("errors") / seconds,
    latency: answered ? worked / answered : 0,
  };
}

const needed = ["metadata", "cdnurl", "reporting"];

/** What is wrong, the worst first. `now` is {edge, services, ready, rates: Map by id}, `first` the first of them. */
export function problems(now, first, gone) {
  const found = [];
  const words = t.watchFleet;
  for (const name of needed) if (!now.services.some((one) => one.name === name)) found.push(words.missing(name));
  if (now.edge.links < now.edge.threads) found.push(words.link(now.edge.links, now.edge.threads));
  for (const name of new Set(now.edge.open)) found.push(words.circuit(name));
  for (const one of now.services) {
    const { data } = instanceTotals(one);
    if (data.serving === false) found.push(words.notServing(one.name, one.id));
    if (data.lag_ms > 1000) found.push(words.lagging(one.id, data.lag_ms));
    if (data.stale_for_ms > 5000) found.push(words.staleRecords(one.name, data.stale_for_ms));
    const { errors } = now.rates.get(one.id) ?? {};
    if (errors >= 0.5) found.push(words.failing(one.name, errors));
  }
  if (now.edgeRates?.errors >= 0.1) found.push(words.edgeErrors(now.edgeRates.errors));
  for (const [part, state] of Object.entries(now.ready?.checks ?? {}))
    if (state !== "ok") found.push(words.notReady(part, state));
  for (const one of gone)
    if (now.services.some(({ name }) => name === one.name)) found.push(words.gone(one.name, one.id));
  if (now.edge.reconnects > first.edge.reconnects)
    found.push(words.reconnected(now.edge.reconnects - first.edge.reconnects));
  if (now.edge.degraded > first.edge.degraded) found.push(words.degradedNow(now.edge.degraded - first.edge.degraded));
  return found;
}
