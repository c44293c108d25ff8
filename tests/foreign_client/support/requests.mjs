// Requests as `nats req` makes them; every reply is checked against its schema.
import assert from "node:assert/strict";
import { headers } from "@nats-io/transport-node";
import { assertFits } from "./schemas.mjs";

// By service and endpoint: the schema of a request that is accepted, and of the reply.
const messages = {
  "metadata.get": [null, "asset_metadata_reply"],
  "metadata.put": ["asset_metadata", "put_reply"],
  "metadata.delete": [null, "delete_reply"],
  "metadata.list": ["list_request", "metadata_page"],
  "metadata.search": ["search_request", "search_page"],
  "cdnurl.get": [null, "asset_url_reply"],
  "cdnurl.put": ["asset_url", "put_reply"],
  "cdnurl.delete": [null, "delete_reply"],
  "cdnurl.list": ["list_request", "url_page"],
  "reporting.asset": [null, "asset_views_reply"],
  "reporting.user": [null, "user_views_reply"],
  "reporting.views": [null, "counts_reply"],
  "reporting.top": ["top_request", "top_reply"],
  "reporting.series": ["series_request", "series_reply"],
  "reporting.history": ["history_request", "history_page"],
  "reporting.assets": ["list_request", "views_page"],
  "reporting.live": ["live_request", "live_reply"],
};

/**
 * One request; `{code, body, revision, tag}`, code 200 unless it is an error reply. A payload that
 * is no string is sent as JSON.
 */
export async function sendRequest(nats, subject, payload = "", fields = {}) {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  const sent = headers();
  for (const [name, value] of Object.entries(fields)) sent.set(name, String(value));
  const reply = await nats.request(subject, text, { timeout: 20_000, headers: sent });
  const body = reply.json();
  const code = reply.headers?.get("Nats-Service-Error-Code") ?? "";
  if (code !== "") {
    assertFits("error_reply", body);
    assert.match(code, /^[45]\d\d$/);
    assert.equal(body.status, reply.headers.get("Nats-Service-Error"), "header and body say the same");
    return { code: Number(code), body };
  }
  assert.equal(reply.headers?.has("Nats-Service-Error") ?? false, false);
  const [request, answer] = messages[subject.split(".").slice(0, 2).join(".")];
  if (request && text !== "") assertFits(request, JSON.parse(text));
  assertFits(answer, body);
  const revision = reply.headers?.get("Marquee-Revision") || undefined;
  const tag = reply.headers?.get("Marquee-Tag") || undefined;
  const instance = reply.headers?.get("Marquee-Instance") || undefined;
  return { code: 200, body, text: reply.string(), revision: revision && Number(revision), tag, instance };
}

/** The same, for a success. */
export async function get(nats, subject, payload, fields) {
  const reply = await sendRequest(nats, subject, payload, fields);
  assert.equal(reply.code, 200, `${subject}: ${JSON.stringify(reply.body)}`);
  return reply;
}
