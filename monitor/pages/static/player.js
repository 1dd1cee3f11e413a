// The player under the curve: play and pause, speed, a slider over the call's time, jumps to what matters.

import { clock } from "./format.js";
import { h, setText, svg } from "./dom.js";
import { t } from "./strings.js";

export const SPEEDS = [1, 2, 4, 8, 16, 32];
const PATHS = { play: "M4 2.5v11l9-5.5z", pause: "M4 2.5h3v11H4zM9 2.5h3v11H9z", next: "M3 2.5v11l7-5.5zM11 2.5h2v11h-2z", prev: "M13 2.5v11L6 8zM3 2.5h2v11H3z" };

/** `onTime(at_s)` at every move of the position, at most once a frame. */
export class Player {
  constructor(host, { onTime }) {
    this.onTime = onTime;
    this.at_s = 0;
    this.end_s = 0;
    this.speed = 1;
    this.marks = [];
    this.playing = false;
    this.slider = h("input", { type: "range", min: 0, max: 1, step: 0.1, "aria-label": t("position"), class: "slider" });
    this.ticks = h("div", { class: "ticks", "aria-hidden": "true" });
    this.toggle = h("button", { class: "button round primary", type: "button" });
    this.time = h("span", { class: "player-time num" });
    this.speeds = SPEEDS.map((speed) => h("button", { type: "button", onclick: () => this.setSpeed(speed) }, t("times", { n: speed })));
    host.append(
      h("div", { class: "track" }, this.ticks, this.slider),
      h("div", { class: "player-row" }, jump("prev", t("prevMark"), () => this.jump(-1)), this.toggle, jump("next", t("nextMark"), () => this.jump(1)), this.time,
        h("div", { class: "speeds", role: "group", "aria-label": t("speed") }, ...this.speeds)));
    this.host = host;
    this.slider.addEventListener("input", () => this.seek(Number(this.slider.value)));
    this.toggle.addEventListener("click", () => this.playPause());
    this.setSpeed(1);
    this.#paint();
  }

  /** A new recording: its length, the times worth a jump, where to begin. */
  load(end_s, marks, at_s) {
    this.playing = false;
    this.end_s = end_s;
    this.marks = marks;
    this.slider.max = String(end_s);
    this.ticks.replaceChildren(...marks.map((mark) => {
      const tick = h("span", { class: `tick tick-${mark.type}` });
      tick.style.left = `${(100 * mark.at_s) / Math.max(end_s, 1)}%`;
      return tick;
    }));
    this.seek(at_s);
  }

  seek(at_s) {
    this.at_s = Math.min(this.end_s, Math.max(0, at_s));
    this.#paint();
    this.onTime(this.at_s);
  }

  playPause() {
    this.playing = !this.playing && this.end_s > 0;
    if (this.playing) {
      if (this.at_s >= this.end_s) this.seek(0);
      this.frameAt_ms = performance.now();
      requestAnimationFrame((now) => this.#step(now));
    }
    this.#paint();
  }

  setSpeed(speed) {
    this.speed = speed;
    this.speeds.forEach((button, i) => button.setAttribute("aria-pressed", String(SPEEDS[i] === speed)));
  }

  changeSpeed(step) {
    const at = SPEEDS.indexOf(this.speed) + step;
    this.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at))]);
  }

  /** To the next (1) or the previous (-1) alert or turning point. */
  jump(step) {
    const to = step > 0 ? this.marks.find((mark) => mark.at_s > this.at_s + 0.05) : this.marks.findLast((mark) => mark.at_s < this.at_s - 0.05);
    this.seek(to?.at_s ?? (step > 0 ? this.end_s : 0));
  }

  #step(now_ms) {
    if (!this.playing) return;
    const at_s = this.at_s + (this.speed * (now_ms - this.frameAt_ms)) / 1000;
    this.frameAt_ms = now_ms;
    if (at_s >= this.end_s) this.playing = false;
    this.seek(at_s);
    if (this.playing) requestAnimationFrame((next) => this.#step(next));
  }

  #paint() {
    this.slider.value = String(this.at_s);
    this.slider.setAttribute("aria-valuetext", t("ofTime", { at: clock(this.at_s), end: clock(this.end_s) }));
    setText(this.time, t("ofTime", { at: clock(this.at_s), end: clock(this.end_s) }));
    const name = this.playing ? "pause" : "play";
    if (this.toggle.dataset.shows === name) return;
    this.toggle.dataset.shows = name;
    this.toggle.setAttribute("aria-label", t(name));
    this.toggle.title = t(name);
    this.toggle.replaceChildren(glyph(name));
  }
}

function glyph(name) {
  return svg("svg", { viewBox: "0 0 16 16", class: "glyph", "aria-hidden": "true" }, svg("path", { d: PATHS[name], fill: "currentColor" }));
}

function jump(name, label, go) {
  return h("button", { class: "button round", type: "button", "aria-label": label, title: label, onclick: go }, glyph(name));
}
