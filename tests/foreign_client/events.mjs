// The messages of subject `events`, by contract §2.
import { createHash } from "node:crypto";
import { isId } from "./ids.mjs";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const eventId = /^[A-Za-z0-9_.-]{1,64}$/;
const time = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|\+00:00)$/;

/** RFC 3339 in UTC, a day that exists, leap seconds included. */
export function isUtcTime(text) {
  const parts = time.exec(text);
  if (!parts) return false;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number);
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 60) return false;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  return day >= 1 && day <= days;
}

/** The milliseconds of such a time, rounded down; a leap second is the next second. */
function readUtcTime(text) {
  const [date, clock, fraction = ""] = [text.slice(0, 10), text.slice(11, 19), time.exec(text)[7]];
  const [hour, minute, second] = clock.split(":").map(Number);
  const day = Date.parse(`${date}T00:00:00Z`);
  return day + ((hour * 60 + minute) * 60 + second) * 1000 + Number(fraction.slice(1, 4).padEnd(3, "0"));
}

/** `{id, asset, user, time}` (id and time null for the text form), or null for what is not counted. */
export function parseEvent(bytes) {
  let text;
  try {
    text = utf8.decode(bytes);
  } catch {
    return null;
  }
  return text.startsWith("{") ? parseJson(text) : parseText(text);
}

/**
 * The events of a message, in order: each as of parseEvent(), null for a line that is rejected. A
 * payload that as a whole is an event is one, whatever line breaks it has, and so is one without an
 * LF, or with nothing but line breaks. Any other is taken line by line: one CR before an LF and
 * empty lines are ignored. A payload whose first byte is `{` is never text: where its first line is
 * no JSON object, such as in an event over several lines that is cut off, no line is taken for text.
 */
export function parseEvents(bytes) {
  const whole = parseEvent(bytes);
  if (whole || !bytes.includes(lineFeed)) return { lines: false, events: [whole] };
  const lines = splitLines(bytes);
  if (lines.length === 0) return { lines: false, events: [null] };
  const noText = bytes[0] === brace && !isObject(lines[0]);
  return { lines: true, events: lines.map((each) => (noText && each[0] !== brace ? null : parseEvent(each))) };
}

const brace = 0x7b;

function isObject(bytes) {
  try {
    const read = JSON.parse(utf8.decode(bytes));
    return typeof read === "object" && read !== null && !Array.isArray(read);
  } catch {
    return false;
  }
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

function splitLines(bytes) {
  const lines = [];
  for (let start = 0; start < bytes.length; ) {
    const feed = bytes.indexOf(lineFeed, start);
    const next = feed < 0 ? bytes.length : feed;
    const end = feed > start && bytes[feed - 1] === carriageReturn ? feed - 1 : next;
    if (end > start) lines.push(bytes.subarray(start, end));
    start = next + 1;
  }
  return lines;
}

function parseText(text) {
  const colon = text.lastIndexOf(":");
  if (colon < 0) return null;
  const asset = text.slice(0, colon);
  const user = text.slice(colon + 1);
  return isId(asset) && isId(user) ? { id: null, asset, user, time: null } : null;
}

function parseJson(text) {
  let read;
  try {
    read = JSON.parse(text);
  } catch {
    return null;
  }
  if (Object.hasOwn(read, "specversion")) return parseCloudEvent(read);
  const { id, asset, user } = read;
  const valid =
    typeof id === "string" &&
    eventId.test(id) &&
    typeof read.time === "string" &&
    isUtcTime(read.time) &&
    isId(asset) &&
    isId(user);
  return valid ? { id, asset, user, time: readUtcTime(read.time) } : null;
}

const uriReference = /^(?:[A-Za-z0-9._~:/?#@!$&'()*+,;=[\]-]|%[0-9A-Fa-f]{2})+$/;
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]|\p{Surrogate}/u;

/** CloudEvents 1.0, told by `specversion`. */
function parseCloudEvent({ specversion, type, source, id, subject: asset, user, time: at }) {
  const valid =
    specversion === "1.0" &&
    type === "marquee.play" &&
    typeof source === "string" &&
    uriReference.test(source) &&
    typeof id === "string" &&
    id !== "" &&
    !controlCharacter.test(id) &&
    (at === undefined || at === null || (typeof at === "string" && isUtcTime(at))) &&
    isId(asset) &&
    isId(user);
  return valid ? { id: cloudEventId(source, id), asset, user, time: at ? readUtcTime(at) : null } : null;
}

/** The event id of a CloudEvent. */
export function cloudEventId(source, id) {
  const digest = createHash("sha256").update(`${source}\0${id}`).digest();
  let bits = "";
  for (const byte of digest) bits += byte.toString(2).padStart(8, "0");
  const letter = (group) => "abcdefghijklmnopqrstuvwxyz234567"[parseInt(group.padEnd(5, "0"), 2)];
  return "c-" + bits.match(/.{1,5}/g).map(letter).join("");
}
