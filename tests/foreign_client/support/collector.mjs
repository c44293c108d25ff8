// An OpenTelemetry collector for tests: takes OTLP/HTTP in JSON, checks its form, keeps the spans.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { within } from "./processes.mjs";

const hex = (size) => new RegExp(`^(?!0+$)[0-9a-f]{${size}}$`);

function valueOf({ stringValue, intValue, ...other }) {
  assert.deepEqual(other, {});
  if (stringValue !== undefined) return stringValue;
  assert.match(intValue, /^-?\d+$/);
  return Number(intValue);
}

function attributesOf(list) {
  const all = Object.fromEntries(list.map(({ key, value }) => [key, valueOf(value)]));
  assert.equal(Object.keys(all).length, list.length, "each attribute stands once");
  return all;
}

function checkSpan(span) {
  assert.match(span.traceId, hex(32));
  assert.match(span.spanId, hex(16));
  if (span.parentSpanId !== undefined) assert.match(span.parentSpanId, hex(16));
  assert.ok(Number.isInteger(span.kind) && span.kind >= 1 && span.kind <= 5);
  for (const time of [span.startTimeUnixNano, span.endTimeUnixNano]) assert.match(time, /^\d{19}$/);
  assert.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano));
  for (const link of span.links ?? []) assert.match(link.spanId, hex(16));
}

export class Collector {
  spans = []; // with `service` and `attributes` as objects
  requests = []; // {headers, spans}
  faults = []; // what was wrong with requests
  #changed = [];

  /** `answer(number)` of each request, from 0: {status, headers, body}, or null for none at all. */
  static async start(answer = () => ({ status: 200 })) {
    const made = new Collector();
    made.server = createServer((request, response) => made.#take(request, response, answer));
    made.server.listen(0, "127.0.0.1");
    await once(made.server, "listening");
    made.url = `http://127.0.0.1:${made.server.address().port}`;
    return made;
  }

  async #take(request, response, answer) {
    let text = "";
    for await (const piece of request.setEncoding("utf8")) text += piece;
    const number = this.requests.length;
    const taken = [];
    try {
      assert.equal(request.method, "POST");
      assert.equal(request.url, "/v1/traces");
      assert.equal(request.headers["content-type"], "application/json");
      for (const { resource, scopeSpans } of JSON.parse(text).resourceSpans) {
        const from = attributesOf(resource.attributes);
        assert.ok(from["service.name"] && from["service.instance.id"] && from["service.version"]);
        for (const { spans } of scopeSpans)
          for (const span of spans) {
            checkSpan(span);
            taken.push({ ...span, service: from["service.name"], attributes: attributesOf(span.attributes) });
          }
      }
    } catch (error) {
      this.faults.push(error);
    }
    this.requests.push({ headers: request.headers, spans: taken });
    const how = answer(number);
    if (how?.status === 200) this.spans.push(...taken);
    if (how) response.writeHead(how.status, how.headers ?? {}).end(how.body ?? "{}");
    this.#changed.splice(0).forEach((wake) => wake());
  }

  /** Waits until `found()` is no longer false, and returns that. */
  async until(what, found) {
    const wait = async () => {
      for (;;) {
        if (this.faults.length > 0) throw this.faults[0];
        const result = found();
        if (result) return result;
        await new Promise((wake) => this.#changed.push(wake));
      }
    };
    return within(wait(), () => `${what}; there are\n${this.spans.map((s) => `${s.service}: ${s.name}`).join("\n")}`);
  }

  ofTrace(id) {
    return this.spans.filter(({ traceId }) => traceId === id);
  }

  close() {
    this.server.close();
    this.server.closeAllConnections?.();
  }
}
