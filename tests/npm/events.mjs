// What stands on subject `events`, after contract §2.
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

/** `{id, asset, user}` (id null for the text form), or null for what counts as nothing. */
export function parseEvent(bytes) {
  let text;
  try {
    text = utf8.decode(bytes);
  } catch {
    return null;
  }
  return text.startsWith("{") ? parseJson(text) : parseText(text);
}

function parseText(text) {
  const colon = text.lastIndexOf(":");
  if (colon < 0) return null;
  const asset = text.slice(0, colon);
  const user = text.slice(colon + 1);
  return isId(asset) && isId(user) ? { id: null, asset, user } : null;
}

function parseJson(text) {
  let read;
  try {
    read = JSON.parse(text);
  } catch {
    return null;
  }
  const { id, asset, user } = read;
  const valid =
    typeof id === "string" &&
    eventId.test(id) &&
    typeof read.time === "string" &&
    isUtcTime(read.time) &&
    isId(asset) &&
    isId(user);
  return valid ? { id, asset, user } : null;
}
