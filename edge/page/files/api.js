// Requests to the edge. Every one ends: with an answer, a problem document, or a time limit.
import { t } from "./strings.js";

/** What went wrong: `code` as in /problems, or "offline", "slow". `retryAfter` in seconds. */
export class Problem extends Error {
  constructor(code, { status = 0, detail = "", field = "", retryAfter = 0 } = {}) {
    super(code);
    Object.assign(this, { code, status, detail, field, retryAfter });
  }

  /** For people: what it is, and what to do. */
  get words() {
    const text = t.errors[this.code];
    if (typeof text === "string") return text;
    if (this.code === "rate_limited") return text(this.retryAfter || 1);
    const words = t.errors.other(this.status, this.detail || this.code);
    return this.field ? t.errors.atField(words, this.field) : words;
  }

  /** Nothing was decided: the same request may succeed later. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Those of the view that is gone are no failures. */
export const aborted = (error) => error?.name === "AbortError";

async function problemOf(response) {
  const retryAfter = Math.min(Number(response.headers.get("Retry-After")) || 0, 3600);
  let document = {};
  try {
    document = await response.json();
  } catch {
    /* no problem document: a proxy's page, say */
  }
  const text = (value) => (typeof value === "string" ? value : "");
  return new Problem(text(document.code) || `http_${response.status}`, {
    status: response.status,
    detail: text(document.detail),
    field: text(document.field),
    retryAfter,
  });
}

/**
 * request("GET", path, {body, token, headers, signal, timeout ms, as: "json" | "text"}) is
 * {data, etag, headers}, or throws a Problem, or AbortError where `signal` ended it.
 */
export async function request(method, path, { body, token, headers = {}, signal, timeout = 8000, as = "json" } = {}) {
  const limit = new AbortController();
  const stop = () => limit.abort();
  const timer = setTimeout(stop, timeout);
  signal?.addEventListener("abort", stop);
  try {
    signal?.throwIfAborted();
    const sent = { ...headers };
    if (body !== undefined) sent["Content-Type"] = "application/json";
    if (token) sent.Authorization = `Bearer ${token}`;
    const response = await fetch(path, {
      method,
      headers: sent,
      signal: limit.signal,
      cache: "no-cache",
      credentials: "omit",
      redirect: "error",
      body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
    });
    if (!response.ok) throw await problemOf(response);
    const data = as === "text" ? await response.text() : await response.json();
    return { data, etag: response.headers.get("ETag") ?? "", headers: response.headers };
  } catch (error) {
    if (error instanceof Problem) throw error;
    if (signal?.aborted) throw new DOMException("", "AbortError");
    throw new Problem(limit.signal.aborted ? "slow" : "offline");
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

export const get = async (path, options) => (await request("GET", path, options)).data;

/** The same; `fallback` where there is no such thing (404). */
export async function getOr(fallback, path, options) {
  try {
    return await get(path, options);
  } catch (error) {
    if (error.status === 404) return fallback;
    throw error;
  }
}

/** "?a=b&…" of what is neither undefined nor empty. */
export function query(parameters) {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) if (one !== undefined && one !== "") text.append(name, one);
  }
  return text.size === 0 ? "" : `?${text}`;
}

/** Runs `work(item)` for all items, `width` at a time; stops at the first that throws. */
export async function each(items, width, work) {
  let next = 0;
  const lane = async () => {
    while (next < items.length) await work(items[next++]);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
}

/** An Idempotency-Key, as the quoted string that the field is. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID wants a secure context
  return `"${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}"`;
}

/** Resolves after `ms`, or rejects when the signal ends it. */
export const pause = (ms, signal) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) reject(new DOMException("", "AbortError"));
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(new DOMException("", "AbortError"));
      },
      { once: true },
    );
  });
