// Random numbers for made-up data.

/** Functions that draw numbers, the same ones in each run with this seed. */
export function drawing(seed) {
  let state = seed;
  /** From 0 to before 1. */
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const whole = (below) => Math.floor(random() * below);
  /** Small numbers are drawn often, large ones seldom. */
  const zipf = (below) => Math.min(below - 1, Math.floor(below ** random()) - 1);
  return { random, whole, zipf };
}
