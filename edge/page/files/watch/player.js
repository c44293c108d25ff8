// The player. A press is one POST /play under a key of its own; a retry of it keeps the key, so it
// counts once. Pausing and going on is the same play.
import { aborted, newKey, Problem, request } from "../api.js";
import { address, pathOf } from "../address.js";
import { foreign, h, status } from "../dom.js";
import { poster } from "../poster.js";
import { t } from "../strings.js";
import { who } from "../who.js";

const store = "marquee.play"; // {asset, user, key, state: "asked" | "counted", url, time}: outlives a reload of the tab
const keep = (play) => {
  try {
    sessionStorage.setItem(store, JSON.stringify(play));
  } catch {
    /* it keeps nothing */
  }
};
const drop = () => {
  try {
    sessionStorage.removeItem(store);
  } catch {
    /* the same */
  }
};
function kept(asset) {
  try {
    const play = JSON.parse(sessionStorage.getItem(store));
    return play?.asset === asset && typeof play.key === "string" ? play : null;
  } catch {
    return null;
  }
}

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** The stage of a title; `counted(answer)` is called for each play that is answered. */
export function player(record, { signal, counted }) {
  const title = record.title || t.untitled;
  const note = status();
  const screen = h("div", { class: "screen" });
  const below = h("div", { class: "stage-foot" }, note.element);
  const stage = h("section", { class: "stage", "aria-label": t.playNamed(title) }, screen, below);
  const extra = h("p", { class: "stage-extra" });
  below.append(extra);
  let play = null;
  let busy = false;

  function idle(label = t.play) {
    screen.replaceChildren(
      poster(record, { wide: true }),
      h(
        "button",
        { class: "press", onclick: press, "aria-label": `${label}: ${title}` },
        h("span", { class: "triangle", "aria-hidden": "true" }),
        h("span", {}, label),
      ),
    );
  }

  /** A new play, or the same one again where the last one is not known to be stored. */
  async function press() {
    if (busy) return;
    const me = who();
    if (me.missing) return note.say(me.missing, "bad");
    if (play?.state !== "asked" || play.user !== me.user) {
      play = { asset: record.id, user: me.user, key: newKey(), state: "asked", url: "", time: 0 };
    }
    keep(play);
    busy = true;
    screen.classList.add("busy");
    extra.replaceChildren();
    note.say(t.asking);
    try {
      const path = pathOf("/play/asset/", record.id, "/user/", me.user);
      const { data } = await request("POST", path, {
        token: me.token,
        headers: { "Idempotency-Key": play.key },
        signal,
      });
      play.state = "counted";
      play.url = typeof data.url === "string" ? data.url : "";
      keep(play);
      counted(data);
      const late = data.degraded ?? [];
      run(
        play.url,
        0,
        late.includes("events") ? t.degradedEvents : late.length ? t.degradedReporting : t.playing,
        late.length ? "warn" : "good",
      );
    } catch (error) {
      if (!aborted(error)) failed(error);
    } finally {
      busy = false;
      screen.classList.remove("busy");
    }
  }

  function failed(error) {
    if (!(error instanceof Problem)) throw error;
    if (error.code === "not_playable") {
      drop();
      play = null;
      return note.say(t.notPlayable, "warn");
    }
    if (!error.passing && error.status !== 401) play = null; // refused for good: the next press is another play
    note.say(error.words, "bad");
    if (error.passing) extra.replaceChildren(h("button", { onclick: press }, t.sameRetry));
  }

  /** Shows the video from `time` on; it is counted already. */
  function run(url, time, words, kind) {
    const found = address(url);
    if (found.use === "none") return note.say(t.notPlayed(url), "warn");
    if (found.use === "link") {
      note.say(t.plainHttp, "warn");
      return extra.replaceChildren(
        h("a", { href: found.href, rel: "noopener noreferrer", target: "_blank" }, t.openVideo),
      );
    }
    note.say(words, kind);
    const video = h("video", {
      src: found.href,
      controls: true,
      playsinline: true,
      preload: "auto",
      "aria-label": title,
      onended: ended,
      onerror: () => broken(video, url),
      ontimeupdate: moved,
    });
    video.addEventListener(
      "loadedmetadata",
      () => {
        if (time > 0) video.currentTime = time;
      },
      { once: true },
    );
    screen.replaceChildren(video);
    video.play().catch((error) => error.name === "NotAllowedError" && note.say(t.blocked, "warn"));
    video.focus({ preventScroll: true });
    let last = 0;
    function moved() {
      if (Math.abs(video.currentTime - last) < 0.5) return;
      last = play.time = video.currentTime;
      keep(play);
    }
  }

  function ended() {
    drop();
    play = null;
    note.say(t.ended);
    idle(t.playAgain);
    screen.querySelector("button").focus({ preventScroll: true });
  }

  function broken(video, url) {
    const missing = video.error?.code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED && !/^https?:/i.test(url);
    note.say(missing ? t.mediaGone : t.cannotShow, "bad");
    extra.replaceChildren(foreign("code", url));
    idle();
  }

  const before = kept(record.id);
  idle();
  if (before && before.user === who().user) {
    play = before;
    if (before.state === "asked") {
      note.say(t.reloadedAsked, "warn");
    } else {
      const time = Number(before.time) || 0;
      note.say(t.reloaded(clock(time)));
      extra.replaceChildren(
        h(
          "button",
          {
            onclick: () => {
              extra.replaceChildren();
              run(before.url, time, t.playing, "good");
            },
          },
          t.goOnFrom(clock(time)),
        ),
      );
    }
  }
  signal.addEventListener("abort", () => {
    // another page of ours, not a reload: the play is over
    screen.querySelector("video")?.pause();
    screen.replaceChildren();
    if (play?.state === "counted") drop();
  });
  stage.note = note;
  return stage;
}
