// What the pages of Watch read of the catalogue.
import { each, get, query } from "../api.js";

const targetBytes = 3500; // of the ids in one request: an edge takes targets of 4,096 bytes
const idsAtOnce = 100;

/** Records by ids, in that order; those that are gone are left out. */
export async function recordsOf(ids, signal) {
  const parts = [];
  let room = 0;
  for (const id of ids) {
    const bytes = String(new URLSearchParams({ id })).length + 1;
    if (bytes > room || parts.at(-1).length === idsAtOnce) {
      parts.push([]);
      room = targetBytes;
    }
    parts.at(-1).push(id);
    room -= bytes;
  }
  const records = new Map();
  await each(parts, 6, async (part) => {
    const page = await get(`/content/assets${query({ id: part })}`, { signal });
    for (const record of page.assets) records.set(record.id, record);
  });
  return ids.map((id) => records.get(id)).filter(Boolean);
}

const firstLimit = 1000;
let first = null; // {at, assets, more}

/**
 * The first titles of the catalogue: the API tells neither its genres nor what is newest. Kept for a
 * minute. {assets, more: whether there are others}.
 */
export async function firstTitles(signal) {
  if (first && performance.now() - first.at < 60_000) return first;
  const page = await get(`/content/assets${query({ limit: firstLimit })}`, { signal });
  first = { at: performance.now(), assets: page.assets, more: page.next !== undefined };
  return first;
}

/** [[genre, titles]…], the largest first. */
export function genresOf(assets) {
  const genres = new Map();
  for (const { genre } of assets) {
    if (typeof genre === "string" && genre !== "") genres.set(genre, (genres.get(genre) ?? 0) + 1);
  }
  return [...genres].sort((a, b) => b[1] - a[1]).slice(0, 40);
}

/** Those with a member that tells their age, the newest first. */
export function newestOf(assets, n) {
  const age = (record) => {
    const value = record.added ?? record.released ?? record.year;
    const text = typeof value === "number" ? String(value) : value;
    return typeof text === "string" && /^\d{4}(-\d\d(-\d\d.*)?)?$/.test(text) ? text : "";
  };
  return assets
    .filter(age)
    .sort((a, b) => (age(a) < age(b) ? 1 : -1))
    .slice(0, n);
}
