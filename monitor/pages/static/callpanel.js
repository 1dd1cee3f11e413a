// One call to read: its curve, its transcript and why the chosen point stands where it does. Live and replay share it.

import { Curve } from "./curve.js";
import { clock } from "./format.js";
import { setText } from "./dom.js";
import { pointAt } from "./record.js";
import { pointsTable } from "./chrome.js";
import { t } from "./strings.js";
import { Transcript } from "./transcript.js";
import { showWhy } from "./why.js";

/** `root` holds elements marked data-part: curve, points, transcript, why, why-at, follow. `onPick(at_s)` hears of a choice. */
export class CallPanel {
  constructor(root, { onPick = () => {}, height } = {}) {
    const part = (name) => root.querySelector(`[data-part="${name}"]`);
    this.record = null;
    this.chosen = null;
    this.onPick = onPick;
    this.curve = new Curve(part("curve"), { onPick: (index) => this.pickPoint(index), height });
    this.transcript = new Transcript(part("transcript"), { onPick: (turn) => this.pickTurn(turn) });
    this.fillTable = pointsTable(part("points"), () => this.record, (index) => this.pickPoint(index));
    this.why = part("why");
    this.whyAt = part("why-at");
    this.followButton = part("follow");
    this.followButton.addEventListener("click", () => this.follow());
    this.shown = { point: null, segment: null };
  }

  /** `until_s` is the right edge of the curve. A choice made on another call is forgotten. */
  show(record, until_s) {
    if (record.id !== this.record?.id) this.chosen = null;
    this.record = record;
    this.until_s = until_s;
    if (this.chosen !== null && this.chosen >= record.points.length) this.chosen = null;
    this.transcript.show(record);
    this.curve.show({ points: record.points, pivots: record.pivots, alerts: [...record.alerts.values()], holds: record.holds, selected: this.chosen ?? -1, until_s });
    this.fillTable();
    this.#explain();
  }

  pickPoint(index) {
    this.chosen = index;
    const point = this.record.points[index];
    this.transcript.select(point.segment_id ?? null);
    this.#again();
    this.onPick(point.at_s);
  }

  pickTurn(turn) {
    const own = this.record.points.findIndex((point) => turn.segments.includes(point.segment_id));
    const index = own >= 0 ? own : pointAt(this.record, turn.at_s);
    this.chosen = index < 0 ? null : index;
    this.transcript.select(turn.segment_id ?? turn.segments[0]);
    this.#again();
    this.onPick(turn.at_s);
  }

  pickSegment(segmentId) {
    const turn = this.record?.turnOf.get(segmentId);
    if (turn !== undefined) this.pickTurn(turn);
  }

  pickTime(at_s) {
    const index = pointAt(this.record, at_s);
    if (index >= 0) this.pickPoint(index);
  }

  /** Back to the newest point. */
  follow() {
    this.chosen = null;
    this.transcript.select(null);
    this.transcript.host.scrollTop = this.transcript.host.scrollHeight;
    this.#again();
    this.onPick(null);
  }

  #again() {
    if (this.record !== null) this.show(this.record, this.until_s);
  }

  #explain() {
    const points = this.record.points;
    const point = points[this.chosen ?? points.length - 1] ?? null;
    this.followButton.hidden = this.chosen === null;
    setText(this.whyAt, point === null ? "" : this.chosen === null ? t("latest") : clock(point.at_s));
    if (point === this.shown.point && this.record.id === this.shown.call) return;
    this.shown = { point, call: this.record.id };
    showWhy(this.why, point, (segmentId) => this.record.turnOf.get(segmentId), (turn) => this.pickTurn(turn));
  }
}
