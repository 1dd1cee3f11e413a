// The transcript: one entry a turn with its words highlighted, what was heard in it, and the turn being spoken, greyed.

import { clock } from "./format.js";
import { h } from "./dom.js";
import { gravest, pieces, tone } from "./spans.js";
import { t, words } from "./strings.js";

const NEAR_END_PX = 60;

/** `onPick(turn)` when a turn's time is chosen. Follows the end while the reader is there. */
export class Transcript {
  constructor(host, { onPick }) {
    this.host = host;
    this.onPick = onPick;
    this.list = h("div", { class: "turns", role: "log", "aria-live": "off", "aria-label": t("transcript") });
    this.interim = h("div", { class: "turn turn-interim", hidden: true });
    this.empty = h("p", { class: "muted turns-empty" }, t("noTurns"));
    host.append(this.list, this.interim, this.empty);
    this.callId = null;
    this.selected = null;
  }

  /** Shows `record.turns` (append-only, or cut short by a scrub back) and the interim, if there is one. */
  show(record) {
    const atEnd = this.host.scrollHeight - this.host.scrollTop - this.host.clientHeight < NEAR_END_PX;
    const before = this.list.children.length;
    if (record.id !== this.callId) this.list.replaceChildren();
    const fresh = record.id !== this.callId;
    this.callId = record.id;
    this.#reconcile(record.turns);
    this.#showInterim(record.interim);
    this.empty.hidden = record.turns.length > 0 || record.interim !== null;
    if (fresh || (atEnd && (this.list.children.length !== before || record.interim !== null))) this.host.scrollTop = this.host.scrollHeight;
  }

  /** Marks the turn of this segment and brings it into view. */
  select(segmentId, scroll = true) {
    if (this.selected !== null) this.selected.classList.remove("selected");
    this.selected = segmentId === null ? null : this.#find(segmentId);
    if (this.selected === null) return;
    this.selected.classList.add("selected");
    if (scroll) bringIntoView(this.host, this.selected);
  }

  #find(segmentId) {
    for (const node of this.list.children) if (node.dataset.segments.split("\n").includes(segmentId)) return node;
    return null;
  }

  #reconcile(turns) {
    const nodes = this.list.children;
    let same = 0;
    while (same < turns.length && same < nodes.length && nodes[same].dataset.segments === turns[same].segments.join("\n")) same += 1;
    while (nodes.length > same) nodes[same].remove();
    for (const turn of turns.slice(same)) this.list.append(this.#turn(turn));
  }

  #showInterim(interim) {
    this.interim.hidden = interim === null;
    if (interim === null) return;
    this.interim.replaceChildren(
      h("span", { class: "turn-time" }, "…"),
      h("div", { class: "turn-body" }, h("p", { class: "turn-who" }, words("role", interim.role), " · ", t("interim")),
        h("p", { class: "turn-text", lang: interim.language, dir: "auto" }, interim.text)),
    );
  }

  #turn(turn) {
    const labels = turn.labels.map((label) => label.name);
    return h("article", { class: `turn turn-${turn.role}`, data: { segments: turn.segments.join("\n") } },
      h("button", { class: "turn-time plain", type: "button", onclick: () => this.onPick(turn) }, clock(turn.start_s ?? turn.at_s)),
      h("div", { class: "turn-body" },
        h("p", { class: "turn-who" }, words("role", turn.role), turn.heat === null || turn.heat === undefined ? null : heatMeter(turn.heat),
          turn.interrupted ? h("span", { class: "muted" }, ` · ${t("interrupted")}`) : null),
        h("p", { class: "turn-text", lang: turn.language, dir: "auto" }, ...pieces(turn.text, turn.labels).map(piece)),
        heard(turn, labels)));
  }
}

function piece({ text, labels }) {
  if (labels.length === 0) return text;
  const names = labels.map((name) => words("label", name)).join(", ");
  return h("mark", { class: `mark-${gravest(labels)}`, title: names }, text);
}

function heatMeter(heat) {
  const whole = Math.round(heat);
  const dots = [1, 2, 3, 4].map((n) => h("span", { class: n <= whole ? "dot on" : "dot" }));
  return h("span", { class: `heat heat-${whole}`, role: "img", "aria-label": t("heat", { n: whole }), title: t("heat", { n: whole }) }, ...dots);
}

/** Emotions and labels of a turn as small tags; why nothing was concluded, where nothing was. */
function heard(turn, labels) {
  if (turn.abstained) return h("p", { class: "turn-note" }, t("abstained", { why: words("abstained", turn.abstained) }));
  const emotions = Object.entries(turn.emotions).filter(([, p]) => p >= 0.5).sort((a, b) => b[1] - a[1]);
  if (emotions.length + labels.length === 0) return null;
  return h("ul", { class: "tags" },
    ...emotions.map(([name, p]) => h("li", { class: "tag tag-emotion" }, name, h("span", { class: "tag-p" }, String(Math.round(p * 100))))),
    ...[...new Set(labels)].map((name) => h("li", { class: `tag tag-${tone(name)}` }, words("label", name))));
}

/** Scrolls only the given box, never the page. */
function bringIntoView(box, node) {
  const top = node.offsetTop - box.offsetTop;
  if (top < box.scrollTop || top + node.offsetHeight > box.scrollTop + box.clientHeight) {
    box.scrollTop = top - box.clientHeight / 3;
  }
}
