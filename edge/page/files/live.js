// The live views, one stream for all tabs of a browser: the tab that holds the lock reads
// /events/live and tells the others. A hidden tab lets go, so the next visible one reads on from
// the last place that all of them know.
import { pause } from "./api.js";

const lockName = "marquee-live";
const listeners = new Set();
const channel = "BroadcastChannel" in self ? new BroadcastChannel(lockName) : null;
let place = ""; // the id of the last event, for Last-Event-ID
let state = "connecting";
let running = null; // the AbortController of this tab's turn, or of its wait for one
let leading = false;

/** `listener({type, …})`: "view" {asset, time, assetviews?, user?, userviews?}, "gap", "state" {state}. */
export function listen(listener, signal) {
  listeners.add(listener);
  listener({ type: "state", state });
  signal.addEventListener("abort", () => {
    listeners.delete(listener);
    follow();
  });
  follow();
}

function hand(message) {
  if (message.type === "place") place = message.place;
  if (message.type === "state") state = message.state;
  for (const listener of [...listeners]) listener(message);
}

function tell(message) {
  hand(message);
  channel?.postMessage(message);
}

channel?.addEventListener("message", ({ data }) => {
  if (data.type !== "hello") return hand(data);
  if (leading) channel.postMessage({ type: "state", state });
  if (leading && place) channel.postMessage({ type: "place", place });
});

/** Reads while this page is seen and somebody listens. */
function follow() {
  const wanted = document.visibilityState === "visible" && listeners.size > 0;
  if (wanted && !running) {
    running = new AbortController();
    turn(running.signal);
    channel?.postMessage({ type: "hello" });
  } else if (!wanted && running) {
    running.abort();
    running = null;
  }
}
document.addEventListener("visibilitychange", follow);
addEventListener("pagehide", () => {
  running?.abort();
  running = null;
});
addEventListener("pageshow", follow);

async function turn(signal) {
  const read = async () => {
    leading = true;
    try {
      await keepReading(signal);
    } finally {
      leading = false;
    }
  };
  try {
    // Without Web Locks (plain HTTP from another machine) each visible tab reads for itself.
    await (navigator.locks ? navigator.locks.request(lockName, { signal }, read) : read());
  } catch (error) {
    if (error.name !== "AbortError") console.error(error);
  }
}

async function keepReading(signal) {
  let wait = 500;
  tell({ type: "state", state: "connecting" });
  while (!signal.aborted) {
    const began = performance.now();
    let least = 0;
    try {
      least = await readOnce(signal);
    } catch {
      /* the connection is lost, or is silent for too long */
    }
    if (signal.aborted) return;
    if (performance.now() - began > 5000) wait = 500;
    tell({ type: "state", state: "away" });
    await online(Math.max(wait * (0.5 + Math.random() / 2), least), signal);
    wait = Math.min(wait * 2, 10_000);
  }
}

/** After `ms`; at once when the browser is online again. */
function online(ms, signal) {
  const early = new AbortController();
  const stop = () => early.abort();
  addEventListener("online", stop, { once: true });
  signal.addEventListener("abort", stop, { once: true });
  return pause(ms, early.signal)
    .catch(() => {})
    .finally(() => removeEventListener("online", stop));
}

const silence = 45_000; // three heartbeats

/** One stream, until it ends; how many ms to wait at least before the next. */
async function readOnce(signal) {
  const lost = new AbortController();
  const stop = () => lost.abort();
  signal.addEventListener("abort", stop, { once: true });
  addEventListener("offline", stop, { once: true });
  let timer = setTimeout(stop, silence);
  try {
    const headers = { Accept: "text/event-stream", ...(place && { "Last-Event-ID": place }) };
    const response = await fetch("/events/live", {
      headers,
      signal: lost.signal,
      cache: "no-store",
      credentials: "omit",
    });
    if (!response.ok) return 1000 * Math.min(Number(response.headers.get("Retry-After")) || 5, 60);
    tell({ type: "state", state: "live" });
    const parser = eventParser(handle);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return parser.retry;
      clearTimeout(timer);
      timer = setTimeout(stop, silence);
      parser.take(value);
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    removeEventListener("offline", stop);
  }
}

function handle({ event, id, data }) {
  if (id !== undefined && id !== place) tell({ type: "place", place: id });
  if (event === "gap") tell({ type: "gap" });
  if (event !== "" || data === "") return;
  try {
    const view = JSON.parse(data);
    if (typeof view?.asset === "string") tell({ ...view, type: "view" });
  } catch {
    /* no view of ours */
  }
}

/** Server-sent events out of pieces of text; `take(event)` gets {event, id, data} of each block. */
export function eventParser(emit) {
  let rest = "";
  let block = { event: "", id: undefined, data: [] };
  const parser = { retry: 0, take };
  function line(text) {
    if (text === "") {
      emit({ ...block, data: block.data.join("\n") });
      block = { event: "", id: undefined, data: [] };
      return;
    }
    const colon = text.indexOf(":");
    const name = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (name === "data") block.data.push(value);
    if (name === "event") block.event = value;
    if (name === "id" && !value.includes("\0")) block.id = value;
    if (name === "retry" && /^\d+$/.test(value)) parser.retry = Math.min(Number(value), 60_000);
  }
  function take(text) {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    if (rest.length > 1 << 20) throw new Error("a line without end");
    lines.forEach(line);
  }
  return parser;
}
