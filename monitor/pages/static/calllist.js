// The list of calls: only the rows in sight exist, whatever the number; order is held while someone points at it.

import { band, clock, languageTag, languageName, score, slope, trend } from "./format.js";
import { h, icon, setText, svg } from "./dom.js";
import { t, words } from "./strings.js";
import { needsAnswer, openAlerts, waiting } from "./store.js";

export const ROW_PX = 60;
const SPARE_ROWS = 4;
const HOLD_ORDER_MS = 2500;
const SEVERITIES = [null, "info", "warning", "critical"];

/** `onOpen(id)` on a click or Enter. `cursor` is the row the keyboard is on, `opened` the call being read. */
export class CallList {
  constructor(host, { onOpen, onHold, onSeen }) {
    this.host = host;
    this.onOpen = onOpen;
    this.onHold = onHold;
    this.onSeen = onSeen;
    this.order = [];
    this.rows = new Map();
    this.cursor = null;
    this.opened = null;
    this.pointedAt_ms = -Infinity;
    this.canvas = h("div", { class: "list-canvas" });
    host.append(this.canvas);
    host.tabIndex = 0;
    host.setAttribute("role", "listbox");
    host.addEventListener("scroll", () => this.#render());
    host.addEventListener("pointermove", () => { this.pointedAt_ms = performance.now(); });
    host.addEventListener("pointerleave", () => { this.pointedAt_ms = -Infinity; });
    new ResizeObserver(() => this.#render()).observe(host);
  }

  /** Takes the ranked calls; keeps the old order for a moment while the pointer moves over the list. */
  show(state, calls) {
    this.state = state;
    const held = performance.now() - this.pointedAt_ms < HOLD_ORDER_MS && this.order.length > 0;
    this.onHold(held);
    const keepCursor = document.activeElement === this.host ? this.#indexOf(this.cursor) : -1;
    this.order = held ? inOldOrder(this.order, calls) : calls;
    if (this.cursor !== null && this.#indexOf(this.cursor) < 0) this.cursor = null;
    this.canvas.style.height = `${this.order.length * ROW_PX}px`;
    const moved = keepCursor < 0 ? 0 : this.#indexOf(this.cursor) - keepCursor;
    if (moved !== 0 && this.cursor !== null) this.host.scrollTop += moved * ROW_PX;
    this.#render();
  }

  /** Moves the cursor by `step` rows, keeps it in sight, returns the call's id (null in an empty list). */
  move(step) {
    if (this.order.length === 0) return null;
    const at = this.#indexOf(this.cursor ?? this.opened);
    const to = at < 0 ? 0 : Math.min(this.order.length - 1, Math.max(0, at + step));
    this.cursor = this.order[to].id;
    const top = to * ROW_PX;
    if (top < this.host.scrollTop) this.host.scrollTop = top;
    if (top + ROW_PX > this.host.scrollTop + this.host.clientHeight) this.host.scrollTop = top + ROW_PX - this.host.clientHeight;
    this.#render();
    return this.cursor;
  }

  #indexOf(id) {
    return id === null ? -1 : this.order.findIndex((call) => call.id === id);
  }

  #render() {
    const first = Math.max(0, Math.floor(this.host.scrollTop / ROW_PX) - SPARE_ROWS);
    const last = Math.min(this.order.length, Math.ceil((this.host.scrollTop + this.host.clientHeight) / ROW_PX) + SPARE_ROWS);
    const wanted = new Set();
    for (let i = first; i < last; i++) {
      const call = this.order[i];
      wanted.add(call.id);
      this.#row(call, i);
    }
    for (const [id, row] of this.rows) {
      if (wanted.has(id)) continue;
      row.node.remove();
      this.rows.delete(id);
    }
    const active = this.rows.get(this.cursor)?.node.id;
    if (active === undefined) this.host.removeAttribute("aria-activedescendant");
    else this.host.setAttribute("aria-activedescendant", active);
  }

  #row(call, index) {
    this.onSeen(call);
    let row = this.rows.get(call.id);
    if (row === undefined) {
      row = new Row(call.id, () => this.onOpen(call.id));
      this.rows.set(call.id, row);
      this.canvas.append(row.node);
    }
    row.place(index, this.order.length);
    row.fill(this.state, call, call.id === this.cursor, call.id === this.opened);
  }
}

function inOldOrder(before, now) {
  const alive = new Map(now.map((call) => [call.id, call]));
  const kept = before.filter((call) => alive.delete(call.id));
  return [...kept, ...alive.values()];
}

let rowNumber = 0;

class Row {
  constructor(id, open) {
    this.shape = h("span", { class: "row-shape" });
    this.agent = h("span", { class: "row-agent" });
    this.badge = h("span", { class: "badge", hidden: true });
    this.facts = h("span", { class: "row-facts" });
    this.time = h("span", { class: "row-time num" });
    this.line = svg("polyline", { class: "spark-line" });
    this.dot = svg("circle", { class: "spark-dot", r: 2.5 });
    this.spark = svg("svg", { class: "spark", viewBox: "0 0 60 28", "aria-hidden": "true" }, svg("path", { class: "spark-mark", d: "M0 10.4H60" }), this.line, this.dot);
    this.value = h("span", { class: "row-value num" });
    this.arrow = h("span", { class: "row-arrow" });
    this.words = h("span", { class: "sr-only" });
    this.node = h("div", { class: "row", role: "option", id: `call-row-${(rowNumber += 1)}`, onclick: open },
      this.shape, h("span", { class: "row-main" }, h("span", { class: "row-top" }, this.agent, this.time, this.badge), h("span", { class: "row-sub" }, this.facts)),
      this.spark, h("span", { class: "row-score", "aria-hidden": "true" }, this.value, this.arrow), this.words);
    this.node.dataset.call = id;
  }

  place(index, total) {
    if (this.index === index) return;
    this.index = index;
    this.node.style.transform = `translateY(${index * ROW_PX}px)`;
    this.node.setAttribute("aria-posinset", String(index + 1));
    this.node.setAttribute("aria-setsize", String(total));
  }

  fill(state, call, cursor, opened) {
    const level = band(call.tension);
    const ended = call.state === "ended";
    this.node.className = `row band-${level}${cursor ? " cursor" : ""}${opened ? " opened" : ""}${ended ? " ended" : ""}`;
    this.node.setAttribute("aria-selected", String(opened));
    if (this.level !== level) this.shape.replaceChildren(icon(level));
    this.level = level;
    setText(this.agent, call.agent ?? call.id);
    setText(this.time, clock(timeIn(call)));
    const where = call.state === "hold" ? t("onHold") : ended ? t("ended") : call.stage === null ? words("channel", call.channel) : words("stage", call.stage);
    const facts = [where, languageTag(call.language), call.team, call.queue === call.team ? null : call.queue].filter(Boolean).join(" · ");
    setText(this.facts, facts);
    this.facts.title = facts;
    const change = trend(slope(call.points));
    setText(this.value, score(call.tension));
    setText(this.arrow, change.arrow);
    this.#badge(state, call);
    this.#spark(call);
    setText(this.words, `${t("tension")} ${score(call.tension)}, ${words("band", level)}, ${t(change.key)}, ${languageName(call.language)}`);
  }

  #badge(state, call) {
    const gravest = waiting(state, call);
    const count = gravest > 0 ? [...call.alerts].filter((id) => needsAnswer(state.alerts.get(id))).length : openAlerts(state, call);
    const key = `${gravest}/${count}`;
    if (this.badgeKey === key) return;
    this.badgeKey = key;
    this.badge.hidden = count === 0;
    this.badge.className = `badge ${gravest > 0 ? `sev-${SEVERITIES[gravest]}` : "answered"}`;
    const name = gravest > 0 ? words("severity", SEVERITIES[gravest]) : t("acked");
    this.badge.title = name;
    this.badge.replaceChildren(gravest > 0 ? icon(SEVERITIES[gravest]) : "", h("span", { class: "badge-word" }, name), count > 1 ? ` ${count}` : "");
  }

  #spark(call) {
    const last = call.points.at(-1);
    if (this.sparkAt === last) return;
    this.sparkAt = last;
    const xy = sparkline(call.points);
    this.line.setAttribute("points", xy.map((p) => p.join(",")).join(" "));
    this.dot.classList.toggle("none", xy.length === 0);
    const [x, y] = xy.at(-1) ?? [0, 0];
    this.dot.setAttribute("cx", x);
    this.dot.setAttribute("cy", y);
  }
}

/** Points scaled to the 60 x 28 box: the whole width is the time that the points cover, at least two minutes. */
export function sparkline(points) {
  if (points.length === 0) return [];
  const end = points.at(-1)[0];
  const from = Math.min(points[0][0], end - 120);
  return points.map(([at, tension]) => [round(2 + (56 * (at - from)) / (end - from)), round(26 - 24 * tension)]);
}

function round(value) {
  return Math.round(value * 10) / 10;
}

/** Call time now: that of the last event, plus the wall time since, while the call goes on. */
export function timeIn(call) {
  return call.state === "ended" ? call.at_s : call.at_s + (Date.now() - call.heardAt_ms) / 1000;
}
