// Feed frames -> what the pages know. Pure: no DOM, no clock (the time of arrival comes in), so node can test it.

const SPARK_POINTS = 90;
const SEVERITY = { critical: 3, warning: 2, info: 1 };

/** @returns calls by id, alerts by id, prompts by id and the last `seq`. */
export function emptyState() {
  return { seq: 0, calls: new Map(), alerts: new Map(), prompts: new Map(), interims: new Map(), droppedPoints: 0, loaded: false };
}

/**
 * Takes one frame in. Returns what changed: `reset` (all of it), the ids in `calls` and `alerts`, and `news`,
 * alerts that began to need an answer just now. Frames seen before (by `seq`) change nothing, nor does the snapshot
 * of a resumed feed: what happened since follows it, event by event.
 */
export function reduce(state, frame, now_ms) {
  const changes = { reset: false, calls: new Set(), alerts: new Set(), news: [] };
  if (frame.type === "snapshot") {
    if (frame.resumed && state.loaded) return changes;
    takeSnapshot(state, frame, now_ms);
    changes.reset = true;
    return changes;
  }
  if (frame.type === "dropped") {
    state.droppedPoints += frame.points;
    return changes;
  }
  if (frame.seq !== undefined) {
    if (frame.seq <= state.seq) return changes;
    state.seq = frame.seq;
  }
  const take = TAKERS[frame.type];
  if (take === undefined || frame.call_id === undefined) return changes;
  const call = callOf(state, frame.call_id);
  take(state, call, frame, now_ms, changes);
  call.at_s = Math.max(call.at_s, frame.at_s ?? 0);
  call.heardAt_ms = now_ms;
  changes.calls.add(call.id);
  return changes;
}

function takeSnapshot(state, frame, now_ms) {
  const before = state.calls;
  state.seq = frame.seq;
  state.loaded = true;
  state.calls = new Map();
  state.alerts = new Map();
  state.interims = new Map();
  for (const view of frame.calls) {
    const call = callOf(state, view.call_id);
    fromView(call, view, now_ms);
    call.points = before.get(call.id)?.points ?? [];
    if (call.tension !== null && call.points.length === 0 && view.turns > 0) call.points.push([call.at_s, call.tension, call.risk]);
  }
  for (const alert of frame.alerts) {
    const call = state.calls.get(alert.call_id) ?? endedCall(state, alert, now_ms);
    takeAlert(state, call, alert, now_ms, { alerts: new Set(), news: [] });
  }
}

function callOf(state, id) {
  let call = state.calls.get(id);
  if (call === undefined) {
    call = { id, channel: null, language: null, agent: null, team: null, queue: null, customer: null, state: "live",
      tension: null, risk: null, stage: null, degraded: null, at_s: 0, turns: 0, points: [],
      alerts: new Set(), heardAt_ms: 0, partial: false };
    state.calls.set(id, call);
  }
  return call;
}

/** A call that is over but left an open alert: what the alert says of it, until its events are read. */
function endedCall(state, alert, now_ms) {
  return Object.assign(callOf(state, alert.call_id), { agent: alert.agent_id ?? null, team: alert.team ?? null, state: "ended", at_s: alert.at_s, heardAt_ms: now_ms, partial: true });
}

/** Fills a call from its events: the points before the page was opened, and all of it where only an alert was known. */
export function learn(call, events) {
  const points = events.filter((event) => event.type === "point");
  if (call.points.length < points.length) call.points = points.slice(-SPARK_POINTS).map((point) => [point.at_s, point.tension, point.risk]);
  if (!call.partial) return;
  call.partial = false;
  const aside = emptyState();
  aside.calls.set(call.id, call);
  for (const event of events) if (event.type === "call" || event.type === "turn" || event.type === "stage") reduce(aside, event, call.heardAt_ms);
  const last = points.at(-1);
  if (last !== undefined) Object.assign(call, { tension: last.tension, risk: last.risk, stage: last.stage });
}

function fromView(call, view, now_ms) {
  Object.assign(call, { channel: view.channel ?? null, language: view.language ?? null, agent: view.agent_id ?? null,
    team: view.team ?? null, queue: view.queue ?? null, customer: view.customer_id ?? null, state: view.state ?? "live",
    stage: view.stage ?? null, at_s: view.last_at_s ?? 0, turns: view.turns ?? 0, heardAt_ms: now_ms });
  call.tension = call.turns === 0 ? null : view.tension ?? null;
  call.risk = call.turns === 0 ? null : view.risk ?? null;
}

const CALL_STATES = { start: "live", resume: "live", hold: "hold", end: "ended" };

function takeCall(state, call, event) {
  call.state = CALL_STATES[event.state] ?? call.state;
  const names = { channel: "channel", language: "language", agent_id: "agent", team: "team", queue: "queue", customer_id: "customer" };
  for (const [from, to] of Object.entries(names)) if (event[from] !== undefined && event[from] !== null) call[to] = event[from];
  if (event.state === "transfer" && event.to !== undefined) {
    call.agent = event.to.agent ?? call.agent;
  }
  if (event.state === "end") state.interims.delete(call.id);
}

function takeTurn(state, call, event) {
  call.turns += 1;
  if (event.role === "customer" && event.language !== null) call.language = event.language;
  const interim = state.interims.get(call.id);
  if (interim !== undefined && (event.segments.includes(interim.segment_id) || interim.role === event.role)) state.interims.delete(call.id);
}

function takePoint(state, call, event) {
  call.tension = event.tension;
  call.risk = event.risk;
  call.stage = event.stage;
  call.degraded = event.degraded;
  call.points.push([event.at_s, event.tension, event.risk]);
  if (call.points.length > SPARK_POINTS) call.points.shift();
}

function takeAlert(state, call, event, now_ms, changes) {
  const before = state.alerts.get(event.alert_id);
  const alert = mergeAlert(before, event, now_ms);
  state.alerts.set(alert.id, alert);
  call.alerts.add(alert.id);
  changes.alerts.add(alert.id);
  if (needsAnswer(alert) && (before === undefined || !needsAnswer(before) || rank(alert) > rank(before))) changes.news.push(alert);
}

/** One alert's states folded. An `updated` one needs an answer again: the service is silent where that given still holds. */
export function mergeAlert(before, event, now_ms) {
  const answer = event.state === "updated" ? "firing" : event.state;
  const same = answer === before?.answer;
  return {
    id: event.alert_id, call: event.call_id, kind: event.kind, severity: event.severity, reason: event.reason,
    evidence: event.evidence ?? [], audience: event.audience, at_s: event.at_s, segment: event.segment_id ?? before?.segment ?? null,
    answer, by: event.by ?? event.acknowledged_by ?? (same ? before.by : null), note: event.note ?? before?.note ?? null,
    firstAt_s: before?.firstAt_s ?? event.at_s, updates: (before?.updates ?? 0) + (event.state === "updated" && before !== undefined ? 1 : 0),
    heardAt_ms: before?.heardAt_ms ?? wallOf(event.fired_at) ?? now_ms,
    answeredAt_ms: answer === "firing" ? null : same ? before.answeredAt_ms : wallOf(event.acknowledged_at) ?? now_ms,
    verdict: before?.verdict ?? null,
  };
}

/** RFC 3339 or seconds since 1970 -> milliseconds; null where there is none. */
function wallOf(when) {
  if (when === undefined || when === null) return null;
  return typeof when === "number" ? when * 1000 : Date.parse(when);
}

function takePrompt(state, call, event) {
  state.prompts.set(event.prompt_id, event);
}

function takeInterim(state, call, frame) {
  if (frame.text === "") state.interims.delete(call.id);
  else state.interims.set(call.id, frame);
}

function nothing() {}

const TAKERS = { call: takeCall, turn: takeTurn, point: takePoint, alert: takeAlert, prompt: takePrompt, interim: takeInterim,
  stage: (state, call, event) => { call.stage = event.to; }, pivot: nothing, suggestion: nothing };

export function rank(alert) {
  return SEVERITY[alert.severity] ?? 0;
}

export function needsAnswer(alert) {
  return alert.answer === "firing";
}

export function isOpen(alert) {
  return alert.answer !== "resolved";
}

/** The gravest severity of a call that waits for an answer, 0 when none does. */
export function waiting(state, call) {
  let gravest = 0;
  for (const id of call.alerts) {
    const alert = state.alerts.get(id);
    if (alert !== undefined && needsAnswer(alert)) gravest = Math.max(gravest, rank(alert));
  }
  return gravest;
}

/** How many alerts of this call are open, answered or not. */
export function openAlerts(state, call) {
  let open = 0;
  for (const id of call.alerts) if (isOpen(state.alerts.get(id))) open += 1;
  return open;
}

/** `filters`: `text`, `team`, `language`, `alerts` (only with open ones); empty means all. */
export function matches(state, call, filters) {
  if (filters.team && call.team !== filters.team) return false;
  if (filters.language && call.language !== filters.language) return false;
  if (filters.alerts && openAlerts(state, call) === 0) return false;
  if (!filters.text) return true;
  const wanted = filters.text.toLowerCase();
  return [call.id, call.agent, call.team, call.queue, call.customer].some((value) => value !== null && value.toLowerCase().includes(wanted));
}

/** The list: calls going on, and ended ones that still have an open alert or are `kept`; gravest first. */
export function ranked(state, filters, kept = null) {
  const rows = [];
  for (const call of state.calls.values()) {
    if (call.state === "ended" && call.id !== kept && openAlerts(state, call) === 0) continue;
    if (matches(state, call, filters)) rows.push([waiting(state, call) === 3 ? 1 : 0, call.state === "ended" ? 0 : 1, call.risk ?? -1, call.tension ?? -1, call]);
  }
  rows.sort((a, b) => b[0] - a[0] || b[1] - a[1] || b[2] - a[2] || b[3] - a[3] || (a[4].id < b[4].id ? -1 : 1));
  return rows.map((row) => row[4]);
}

/** Alerts to show: unanswered first, graver first, newest first; then answered ones, then the latest closed. */
export function rankedAlerts(state, closedToo = 20) {
  const group = (alert) => (needsAnswer(alert) ? 2 : isOpen(alert) ? 1 : 0);
  const all = [...state.alerts.values()].sort((a, b) => group(b) - group(a) || (group(a) === 0 ? 0 : rank(b) - rank(a)) || b.heardAt_ms - a.heardAt_ms);
  const open = all.filter(isOpen);
  return [...open, ...all.slice(open.length, open.length + closedToo)];
}

/** Forgets calls that ended long ago, and their closed alerts, so that a page left open for days stays small. */
export function forgetOld(state, now_ms, kept, after_ms = 10 * 60_000) {
  for (const call of state.calls.values()) {
    if (call.state !== "ended" || call.id === kept || now_ms - call.heardAt_ms < after_ms || openAlerts(state, call) > 0) continue;
    for (const id of call.alerts) state.alerts.delete(id);
    state.calls.delete(call.id);
  }
}
