// Compares what reporting says of views by time with what the stream says.
import { isDeepStrictEqual } from "node:util";
import { encodeToken, isId } from "../ids.mjs";
import { steps, windows } from "./views_by_time.mjs";

const sampled = 25; // assets and users, beside all counts in pages
const mostPoints = 1000;

/**
 * Returns the answers that differ, as `{in, request, expected, found}`. `ask(subject, request)`
 * gives a reply, or null for 404; each is asked `times` times, so that each instance has its share.
 */
export async function compareByTime(ask, views, times = 1) {
  const wrong = [];
  const check = async (subject, request, expected, read = (reply) => reply) => {
    for (let i = 0; i < times; i += 1) {
      const found = read(await ask(subject, request));
      if (!isDeepStrictEqual(found, expected)) wrong.push({ in: subject, request, expected, found });
    }
  };
  const inPages = async (subject, limit, expected) => {
    for (let i = 0; i < times; i += 1) {
      const found = [];
      let after;
      do {
        const page = await ask(subject, { limit, ...(after === undefined ? {} : { after }) });
        found.push(...(page?.assets ?? []));
        after = page?.next;
      } while (after !== undefined);
      if (!isDeepStrictEqual(found, expected)) wrong.push({ in: subject, request: { limit }, expected, found });
    }
  };
  await inPages("reporting.assets", 700, views.allAssets());
  const hours = [...views.hours.keys()].sort((one, other) => one - other);
  if (hours.length === 0) return wrong;
  const [first, last] = [hours[0] * steps.hour, hours[hours.length - 1] * steps.hour];
  for (const time of new Set([first, last, hours[Math.floor(hours.length / 2)] * steps.hour, last + steps.day]))
    for (const window of Object.keys(windows))
      for (const limit of [7, 1000]) {
        const at = new Date(time).toISOString();
        await check("reporting.top", { window, at, limit }, views.top(window, time, limit));
      }
  for (const id of [undefined, ...some(views.assets)])
    for (const [step, size] of Object.entries(steps)) {
      const to = (Math.floor(last / size) + 1) * size;
      const from = Math.max(Math.floor(first / size) * size, to - mostPoints * size);
      const request = { step, from: new Date(from).toISOString(), to: new Date(to).toISOString() };
      const subject = id === undefined ? "reporting.series" : `reporting.series.${encodeToken(id)}`;
      await check(subject, request, views.series(step, from, to, id));
    }
  for (const id of some(views.assets)) await check(`reporting.asset.${encodeToken(id)}`, undefined, views.asset(id));
  for (const id of some(views.users)) {
    await check(`reporting.user.${encodeToken(id)}`, undefined, views.user(id));
    await inPages(`reporting.history.${encodeToken(id)}`, 7, views.history(id));
    await inPages(`reporting.history.${encodeToken(id)}`, 1000, views.history(id));
  }
  return wrong;
}

/** The ids with most views, and some of the others. */
function some(sums) {
  const ids = [...sums.entries()].filter(([id]) => isId(id)).sort(([, one], [, other]) => other.views - one.views);
  const step = Math.max(1, Math.floor(ids.length / sampled));
  return ids.filter((_, i) => i < sampled / 2 || i % step === 0).map(([id]) => id);
}
