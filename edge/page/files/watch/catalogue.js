// What the pages of Watch read of the catalogue.
import { get, query } from "../api.js";

/** Records by ids, in that order, those that are gone left out. At most 100. */
export async function recordsOf(ids, signal) {
  const usable = ids.slice(0, 100);
  if (usable.length === 0) return [];
  return (await get(`/content/assets${query({ id: usable })}`, { signal })).assets;
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
