// The tension curve: uPlot with the bands calm, tense and hot, markers for alerts and turning points, a selected point.

import uPlot from "./vendor/uPlot.esm.js";
import { HOT_FROM, TENSE_FROM, band, clock, score } from "./format.js";
import { h, setText } from "./dom.js";
import { t, words } from "./strings.js";

const SHORTEST_S = 60;
const HEADROOM = 0.06;

/** `onPick(index)` when a point is chosen by pointer or arrow keys. Redraws when its size or the colour scheme changes. */
export class Curve {
  constructor(host, { onPick, height = 220 }) {
    this.host = host;
    this.onPick = onPick;
    this.height = height;
    this.data = { points: [], alerts: [], pivots: [], holds: [], selected: -1, until_s: 0 };
    this.plot = null;
    host.tabIndex = 0;
    host.setAttribute("role", "group");
    host.addEventListener("keydown", (event) => this.#key(event));
    this.tip = h("div", { class: "curve-tip", hidden: true });
    host.append(this.tip);
    new ResizeObserver(() => this.#resize()).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#rebuild());
  }

  /** `points` are point events; `until_s` is the right edge; `selected` an index or -1; all lists in order of time. */
  show(data) {
    this.data = { ...this.data, ...data };
    const { points, selected } = this.data;
    const last = points.at(-1);
    const label = t("curveLabel", { n: points.length, value: score(last?.tension), band: words("band", band(last?.tension)) });
    if (this.host.getAttribute("aria-label") !== label) this.host.setAttribute("aria-label", label);
    if (this.plot === null) this.#rebuild();
    else this.#feed();
    this.selected = selected;
  }

  #feed() {
    const { points } = this.data;
    this.plot.setData([points.map((p) => p.at_s), points.map((p) => p.risk), points.map((p) => p.tension)]);
  }

  #rebuild() {
    const width = Math.floor(this.host.clientWidth);
    if (width === 0) return;
    this.plot?.destroy();
    this.colours = colours(this.host);
    this.plot = new uPlot(this.#options(width), [[], [], []], this.host);
    this.plot.over.addEventListener("click", () => this.#click());
    this.#feed();
    const { left, width: inner } = this.plot.bbox;
    this.onLayout?.(left / devicePixelRatio, width - (left + inner) / devicePixelRatio);
  }

  #resize() {
    const width = Math.floor(this.host.clientWidth);
    if (width === 0) return;
    if (this.plot === null) this.#rebuild();
    else if (width !== this.plot.width) this.plot.setSize({ width, height: this.height });
  }

  #options(width) {
    const c = this.colours;
    const font = `12px ${c.font}`;
    const axis = { stroke: c.muted, font, ticks: { show: false } };
    return {
      width, height: this.height, legend: { show: false }, padding: [10, 20, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: {
        x: { time: false, range: () => [0, Math.max(SHORTEST_S, this.data.until_s)] },
        y: { range: () => [0, 1 + HEADROOM] },
      },
      axes: [
        { ...axis, size: 26, gap: 4, space: 70, grid: { show: false }, values: (_, ticks) => ticks.map(clock), incrs: [5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600] },
        { ...axis, size: 34, gap: 6, splits: () => [0, TENSE_FROM, HOT_FROM, 1], values: (_, ticks) => ticks.map(score), grid: { stroke: c.line, width: 1 } },
      ],
      series: [
        {},
        { stroke: c.muted, width: 1.25, dash: [3, 4], points: { show: false } },
        { stroke: (plot) => byBand(plot, c), width: 2.25, points: { show: (plot) => this.data.points.length < plot.width / 14, size: 6, fill: c.surface, width: 1.75, stroke: (plot) => byBand(plot, c) } },
      ],
      hooks: { drawClear: [(plot) => this.#bands(plot)], draw: [(plot) => this.#marks(plot)], setCursor: [(plot) => this.#hover(plot)] },
    };
  }

  #bands(plot) {
    const { ctx, bbox } = plot;
    const y = (value) => plot.valToPos(value, "y", true);
    const fill = (from, to, colour) => {
      ctx.fillStyle = colour;
      ctx.fillRect(bbox.left, y(to), bbox.width, y(from) - y(to));
    };
    ctx.save();
    fill(0, TENSE_FROM, this.colours.calmWash);
    fill(TENSE_FROM, HOT_FROM, this.colours.tenseWash);
    fill(HOT_FROM, 1 + HEADROOM, this.colours.hotWash);
    ctx.fillStyle = this.colours.holdWash;
    for (const hold of this.data.holds) {
      const from = plot.valToPos(hold.from_s, "x", true);
      ctx.fillRect(from, bbox.top, plot.valToPos(hold.to_s ?? this.data.until_s, "x", true) - from, bbox.height);
    }
    ctx.font = `${11 * devicePixelRatio}px ${this.colours.font}`;
    ctx.textAlign = "left";
    ctx.textBaseline = "top";
    for (const [top, name] of [[TENSE_FROM, "calm"], [HOT_FROM, "tense"], [1, "hot"]]) {
      ctx.fillStyle = this.colours[name];
      ctx.fillText(words("band", name), bbox.left + 8 * devicePixelRatio, y(top) + 5 * devicePixelRatio);
    }
    ctx.restore();
  }

  #marks(plot) {
    const { ctx, bbox } = plot;
    const px = devicePixelRatio;
    const { points, pivots, alerts, selected } = this.data;
    const x = (at_s) => plot.valToPos(at_s, "x", true);
    const tensionAt = (at_s) => points.findLast((p) => p.at_s <= at_s)?.tension ?? 0;
    ctx.save();
    ctx.lineWidth = 1 * px;
    for (const alert of alerts) {
      const colour = alert.severity === "critical" ? this.colours.hot : alert.severity === "warning" ? this.colours.tense : this.colours.accent;
      ctx.strokeStyle = ctx.fillStyle = colour;
      ctx.setLineDash([2 * px, 3 * px]);
      line(ctx, x(alert.firstAt_s), bbox.top + 12 * px, bbox.top + bbox.height);
      ctx.setLineDash([]);
      shape(ctx, x(alert.firstAt_s), bbox.top + 7 * px, [[0, -6], [6, 5], [-6, 5]], px);
      ctx.fill();
    }
    for (const pivot of pivots) {
      const colour = pivot.kind === "eased" ? this.colours.calm : this.colours.hot;
      ctx.fillStyle = this.colours.surface;
      ctx.strokeStyle = colour;
      ctx.lineWidth = 2 * px;
      shape(ctx, x(pivot.at_s), plot.valToPos(tensionAt(pivot.at_s), "y", true), [[0, -6], [6, 0], [0, 6], [-6, 0]], px);
      ctx.fill();
      ctx.stroke();
    }
    if (selected >= 0 && selected < points.length) {
      const at = points[selected];
      ctx.strokeStyle = ctx.fillStyle = this.colours.ink;
      ctx.lineWidth = 1 * px;
      line(ctx, x(at.at_s), bbox.top, bbox.top + bbox.height);
      ctx.beginPath();
      ctx.arc(x(at.at_s), plot.valToPos(at.tension, "y", true), 4.5 * px, 0, 2 * Math.PI);
      ctx.fill();
    }
    ctx.restore();
  }

  #hover(plot) {
    const index = plot.cursor.idx;
    const point = index === null || index === undefined || plot.cursor.left < 0 ? undefined : this.data.points[index];
    this.tip.hidden = point === undefined;
    if (point === undefined) return;
    setText(this.tip, `${clock(point.at_s)} · ${t("tension")} ${score(point.tension)} · ${t("risk")} ${score(point.risk)}`);
    const left = plot.valToPos(point.at_s, "x") + plot.bbox.left / devicePixelRatio;
    this.tip.style.left = `${Math.min(Math.max(left, 90), plot.width - 90)}px`;
  }

  #click() {
    const index = this.plot.cursor.idx;
    if (index !== null && index !== undefined && index < this.data.points.length) this.onPick(index);
  }

  #key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const { points, selected } = this.data;
    if (step === undefined || points.length === 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const from = selected < 0 ? points.length - 1 : selected;
    this.onPick(Math.min(points.length - 1, Math.max(0, from + step)));
  }
}

/** The line takes the colour of the band it runs through. */
function byBand(plot, c) {
  const { top, height } = plot.bbox;
  if (!Number.isFinite(top) || height <= 0) return c.calm;
  const gradient = plot.ctx.createLinearGradient(0, top + height, 0, top);
  const stops = [[0, c.calm], [TENSE_FROM, c.calm], [TENSE_FROM, c.tense], [HOT_FROM, c.tense], [HOT_FROM, c.hot], [1, c.hot]];
  for (const [at, colour] of stops) gradient.addColorStop(Math.min(1, at / (1 + HEADROOM)), colour);
  return gradient;
}

function line(ctx, x, top, bottom) {
  ctx.beginPath();
  ctx.moveTo(x, top);
  ctx.lineTo(x, bottom);
  ctx.stroke();
}

function shape(ctx, x, y, corners, px) {
  ctx.beginPath();
  for (const [dx, dy] of corners) ctx.lineTo(x + dx * px, y + dy * px);
  ctx.closePath();
}

/** The colours of the style sheet, so that the canvas follows light and dark. */
function colours(host) {
  const style = getComputedStyle(host);
  const value = (name) => style.getPropertyValue(name).trim();
  return {
    ink: value("--ink"), muted: value("--muted"), line: value("--line"), surface: value("--surface"), accent: value("--accent"),
    calm: value("--calm"), tense: value("--tense"), hot: value("--hot"), calmWash: value("--calm-wash"),
    tenseWash: value("--tense-wash"), hotWash: value("--hot-wash"), holdWash: value("--hold-wash"), font: style.fontFamily,
  };
}
