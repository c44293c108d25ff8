// Posters: the catalogue's own where a record has one, else one drawn from its id and title. The
// same title always looks the same.
import { address } from "./address.js";
import { foreign, h, svg } from "./dom.js";
import { t } from "./strings.js";

/** Numbers from 0 to before 1, the same ones for the same text (FNV-1a, then xorshift). */
function numbers(text) {
  let state = 2166136261;
  for (let i = 0; i < Math.min(text.length, 2000); i++) state = Math.imul(state ^ text.charCodeAt(i), 16777619);
  state = state >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 8; i++) next();
  return next;
}

const round = (n) => Math.round(n * 10) / 10;

/** Each draws into a width × height space with `ink(light, opacity)` of the poster's two hues. */
const scenes = [
  function sunAndHills(w, height, next, ink) {
    const r = w * (0.2 + next() * 0.16);
    const hills = [0, 1, 2, 3].map((i) => {
      const y = height * (0.55 + i * 0.12);
      const bend = () => round(y + (next() - 0.5) * height * 0.22);
      return svg("path", {
        d: `M0 ${height}V${bend()}C${round(w * 0.3)} ${bend()} ${round(w * 0.6)} ${bend()} ${w} ${bend()}V${height}z`,
        fill: ink(42 - i * 10),
      });
    });
    return [
      svg("circle", { cx: round(w * (0.3 + next() * 0.4)), cy: round(height * 0.42), r: round(r), fill: ink(72) }),
      hills,
    ];
  },
  function rays(w, height, next, ink) {
    const [x, y] = [w * (0.25 + next() * 0.5), height * (0.35 + next() * 0.3)];
    const far = w + height;
    const n = 9 + Math.floor(next() * 7);
    const points = (i) =>
      [i, i + 0.5]
        .map((a) => (a / n) * 2 * Math.PI)
        .map((a) => `${round(x + Math.cos(a) * far)} ${round(y + Math.sin(a) * far)}`)
        .join("L");
    return [
      Array.from({ length: n }, (_, i) =>
        svg("path", { d: `M${round(x)} ${round(y)}L${points(i)}z`, fill: ink(40, 0.55) }),
      ),
      svg("circle", { cx: round(x), cy: round(y), r: round(w * 0.15), fill: ink(78) }),
      svg("circle", { cx: round(x), cy: round(y), r: round(w * 0.1), fill: ink(22) }),
    ];
  },
  function rings(w, height, next, ink) {
    const [x, y] = [w * (0.15 + next() * 0.7), height * (0.2 + next() * 0.5)];
    return Array.from({ length: 7 }, (_, i) =>
      svg("circle", { cx: round(x), cy: round(y), r: round((7 - i) * w * 0.13), fill: ink(24 + i * 8, 0.85) }),
    );
  },
  function city(w, height, next, ink) {
    const rows = [0, 1].map((row) => {
      const bars = [];
      for (let x = 0; x < w;) {
        const width = w * (0.07 + next() * 0.1);
        const top = height * (0.35 + row * 0.2 + next() * 0.22);
        bars.push(
          svg("rect", {
            x: round(x),
            y: round(top),
            width: round(width) + 0.5,
            height: round(height - top),
            fill: ink(44 - row * 22),
          }),
        );
        x += width;
      }
      return bars;
    });
    return [
      svg("circle", {
        cx: round(w * (0.2 + next() * 0.6)),
        cy: round(height * 0.28),
        r: round(w * 0.14),
        fill: ink(80),
      }),
      rows,
    ];
  },
  function waves(w, height, next, ink) {
    return Array.from({ length: 8 }, (_, i) => {
      const y = height * (0.16 + i * 0.11);
      const up = round(height * (0.03 + next() * 0.05));
      const step = w / (2 + Math.floor(next() * 2));
      let d = `M${-round(step)} ${height}V${round(y)}`;
      for (let x = -step; x < w + step; x += step)
        d += `q${round(step / 4)} ${-up} ${round(step / 2)} 0t${round(step / 2)} 0`;
      return svg("path", { d: `${d}V${height}z`, fill: ink(66 - i * 7) });
    });
  },
  function slabs(w, height, next, ink) {
    const angle = Math.round(-35 + next() * 70);
    return svg(
      "g",
      { transform: `rotate(${angle} ${w / 2} ${height / 2})` },
      Array.from({ length: 6 }, (_, i) =>
        svg("rect", {
          x: -w,
          width: w * 3,
          y: round(height * (-0.05 + i * 0.2)),
          height: round(height * (0.04 + next() * 0.14)),
          fill: ink(30 + Math.floor(next() * 45)),
        }),
      ),
    );
  },
];

/** A drawing of a title, without text. */
export function art(record, width = 200, height = 300) {
  const next = numbers(`${record.id}\n${record.title ?? ""}`);
  const hue = Math.floor(next() * 360);
  const second = (hue + 25 + Math.floor(next() * 70)) % 360;
  let turn = 0;
  const ink = (light, opacity = 1) => `hsl(${turn++ % 2 ? second : hue} 58% ${light}% / ${opacity})`;
  const scene = scenes[Math.floor(next() * scenes.length)];
  return svg(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      class: "art",
      "aria-hidden": "true",
      focusable: "false",
      preserveAspectRatio: "xMidYMid slice",
    },
    svg("rect", { width, height, fill: `hsl(${hue} 45% 20%)` }),
    scene(width, height, next, ink),
  );
}

/** Fills a poster: the picture, or the drawing with the title on it. */
export function poster(record, { wide = false } = {}) {
  const title = record.title || t.untitled;
  const drawn = () => [
    art(record, wide ? 480 : 200, wide ? 270 : 300),
    !wide && foreign("span", title, { class: "lettering", "aria-hidden": "true" }),
  ];
  const box = h("span", { class: wide ? "poster wide" : "poster" });
  const picture = address(record.poster);
  if (picture.use === "here") {
    const image = h("img", {
      src: picture.href,
      alt: "",
      loading: "lazy",
      decoding: "async",
      referrerpolicy: "no-referrer",
      onerror: () => box.replaceChildren(...drawn().filter(Boolean)),
    });
    box.append(image);
  } else {
    box.append(...drawn().filter(Boolean));
  }
  return box;
}

/** A poster that leads to its title's page. */
export function card(record, note) {
  const title = record.title || t.untitled;
  return h(
    "li",
    { class: "card" },
    h(
      "a",
      { href: `#/title/${encodeURIComponent(record.id)}` },
      poster(record),
      foreign("span", title, { class: "card-title" }),
      note !== undefined
        ? h("span", { class: "card-note" }, note)
        : record.genre
          ? foreign("span", record.genre, { class: "card-note" })
          : null,
    ),
  );
}
