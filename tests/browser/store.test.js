import assert from "node:assert/strict";
import { test } from "node:test";

import { sparkline } from "./static/calllist.js";
import { band, clock, signed, slope, trend } from "./static/format.js";
import { addEvent, emptyRecord, marks, pointAt, recordAt } from "./static/record.js";
import { parseSearch } from "./static/recorded.js";
import { gravest, pieces, tone } from "./static/spans.js";
import { emptyState, forgetOld, learn, openAlerts, ranked, rankedAlerts, reduce, waiting } from "./static/store.js";

const view = (call_id, more = {}) => ({ call_id, channel: "voice", language: "en", agent_id: `a-${call_id}`, team: "billing", queue: null,
  customer_id: null, state: "live", tension: 0.2, risk: 0.1, stage: "calm", last_at_s: 30, turns: 3, open_alerts: 0, ...more });
const point = (seq, call_id, at_s, tension, risk = tension) => ({ seq, type: "point", call_id, at_s, segment_id: `${at_s}`, tension, risk, stage: "vent", degraded: null, contributions: [] });
const alert = (seq, call_id, state, more = {}) => ({ seq, type: "alert", call_id, at_s: 40, alert_id: `al-${call_id}`, state, kind: "must_report",
  severity: "critical", reason: "Because.", evidence: [], audience: "supervisor", ...more });
const turn = (at_s, segment, role = "customer", more = {}) => ({ type: "turn", call_id: "c", at_s, segment_id: segment, segments: [segment], role, text: `t${segment}`,
  start_s: at_s - 2, end_s: at_s, language: "hr", emotions: {}, heat: 1, labels: [], abstained: null, ...more });

function fed(...frames) {
  const state = emptyState();
  const changes = frames.map((frame) => reduce(state, frame, 1000));
  return { state, changes };
}
const snapshot = (calls, alerts = [], seq = 10) => ({ type: "snapshot", seq, resumed: false, calls, alerts });

test("a snapshot gives calls and alerts; a frame seen before changes nothing", () => {
  const { state, changes } = fed(snapshot([view("1")], [alert(undefined, "1", "firing")]), point(11, "1", 35, 0.8), point(11, "1", 36, 0.1), point(9, "1", 37, 0.1));
  assert.equal(state.calls.get("1").tension, 0.8);
  assert.equal(waiting(state, state.calls.get("1")), 3);
  assert.deepEqual([...changes[1].calls], ["1"]);
  assert.equal(changes[2].calls.size + changes[3].calls.size, 0);
});

test("a resumed feed goes on from what is known", () => {
  const { state } = fed(snapshot([view("1")]), point(11, "1", 35, 0.8), { type: "snapshot", seq: 11, resumed: true, calls: [], alerts: [] }, point(12, "1", 40, 0.5));
  assert.deepEqual(state.calls.get("1").points.map((p) => p[1]), [0.2, 0.8, 0.5]);
});

test("news are alerts that begin to need an answer, once", () => {
  const { state, changes } = fed(snapshot([view("1")]), alert(11, "1", "firing", { severity: "warning" }), alert(12, "1", "updated"), alert(13, "1", "acknowledged", { by: "maja" }),
    alert(14, "1", "resolved", { by: "maja" }));
  assert.deepEqual(changes.map((c) => c.news.length), [0, 1, 1, 0, 0]);
  const [closed] = rankedAlerts(state);
  assert.equal(closed.by, "maja");
  assert.equal(closed.updates, 1);
  assert.equal(openAlerts(state, state.calls.get("1")), 0);
});

test("the order: unanswered critical first, then risk; ended calls leave unless an alert is open", () => {
  const { state } = fed(snapshot([view("1", { risk: 0.9 }), view("2", { risk: 0.1 }), view("3", { risk: 0.5 }), view("4", { risk: 0.99 })]), alert(11, "2", "firing"),
    { seq: 12, type: "call", call_id: "4", at_s: 50, state: "end" });
  const ids = (filters = {}, kept = null) => ranked(state, filters, kept).map((call) => call.id);
  assert.deepEqual(ids(), ["2", "1", "3"]);
  assert.deepEqual(ids({}, "4"), ["2", "1", "3", "4"]);
  assert.deepEqual(ids({ alerts: true }), ["2"]);
  assert.deepEqual(ids({ text: "A-3" }), ["3"]);
});

test("zero is a value", () => {
  const { state } = fed(snapshot([view("1", { tension: 0, risk: 0 }), view("2", { turns: 0 })]));
  assert.equal(state.calls.get("1").tension, 0);
  assert.equal(state.calls.get("2").tension, null);
  assert.equal(band(0), "calm");
  assert.equal(band(null), "unknown");
});

test("ended calls are forgotten after a while, but not open alerts", () => {
  const { state } = fed(snapshot([view("1"), view("2")]), alert(11, "2", "firing"), ...["1", "2"].map((id, i) => ({ seq: 12 + i, type: "call", call_id: id, at_s: 50, state: "end" })));
  forgetOld(state, 1000 + 11 * 60_000, null);
  assert.deepEqual([...state.calls.keys()], ["2"]);
});

test("an interim shows until its final", () => {
  const { state } = fed(snapshot([view("c")]), { type: "interim", call_id: "c", segment_id: "7", role: "customer", text: "I wa" });
  assert.equal(state.interims.get("c").text, "I wa");
  reduce(state, { seq: 11, ...turn(40, "7") }, 1000);
  assert.equal(state.interims.size, 0);
});

test("a record holds each event once and can be had as of any time", () => {
  const events = [turn(5, "1"), { ...point(1, "c", 5, 0.4), seq: undefined }, turn(9, "2", "agent"), alert(undefined, "c", "firing"), turn(41, "3")];
  const record = emptyRecord("c");
  for (const event of [...events, { seq: 99, ...events[0] }]) addEvent(record, event);
  assert.deepEqual(record.turns.map((t) => t.segment_id), ["1", "2", "3"]);
  assert.equal(recordAt("c", events, 9).turns.length, 2);
  assert.equal(recordAt("c", events, 9).alerts.size, 0);
  assert.equal(recordAt("c", events, 40).alerts.size, 1);
  assert.equal(pointAt(record, 4), -1);
  assert.equal(pointAt(record, 60), 0);
  assert.deepEqual(marks(events), [{ at_s: 40, type: "alert" }]);
});

test("spans count code points, overlap and never leave the text", () => {
  const text = "😡 升级投诉，马上！";
  const found = pieces(text, [{ name: "threat_complaint", start: 2, end: 6 }, { name: "urgency", start: 4, end: 9 }, { name: "insult", start: 5, end: 99 }, { name: "churn" }]);
  assert.equal(found.map((p) => p.text).join(""), text);
  assert.deepEqual(found.map((p) => [p.text, p.labels.join("+")]), [["😡 ", ""], ["升级", "threat_complaint"], ["投诉", "threat_complaint+urgency"], ["，马上", "urgency"], ["！", ""]]);
  assert.equal(gravest(["urgency", "threat_complaint"]), "urgent");
  assert.equal(tone("stock_apology"), "move");
  assert.equal(tone("m03_confirm_issue"), "helpful");
});

test("numbers and times", () => {
  assert.deepEqual([clock(0), clock(59.9), clock(61), clock(3671)], ["0:00", "0:59", "1:01", "1:01:11"]);
  assert.deepEqual([signed(0.18), signed(-0.2), signed(0.004), signed(0)], ["+18", "−20", "+0.4", "0"]);
  assert.equal(trend(slope([[0, 0.1], [50, 0.2], [70, 0.6]])).arrow, "↑");
  assert.equal(trend(slope([[0, 0.1]])).arrow, "");
  assert.deepEqual(sparkline([[10, 0.5]]), [[58, 14]]);
});

test("a search names fields or says words", () => {
  assert.deepEqual(parseSearch(" agent:a-4  my refund peak:65 "), { agent: "a-4", min_peak: "0.65", text: "my refund" });
  assert.deepEqual(parseSearch("http://x"), { text: "http://x" });
});

test("an open alert of a call that is over keeps the call, ended, until its events say more", () => {
  const { state } = fed(snapshot([view("1")], [alert(undefined, "c", "firing", { agent_id: "a-7", team: "sales" })]));
  const call = state.calls.get("c");
  assert.deepEqual([call.state, call.agent, call.at_s, call.tension], ["ended", "a-7", 40, null]);
  learn(call, [{ type: "call", call_id: "c", at_s: 0, state: "start", agent_id: "a-7", language: "hr" }, turn(5, "1"), point(undefined, "c", 5, 0.4), { type: "call", call_id: "c", at_s: 60, state: "end" }]);
  assert.deepEqual([call.state, call.tension, call.language, call.at_s, call.points.length], ["ended", 0.4, "hr", 60, 1]);
});
