// One call's events -> its transcript, curve and alerts. Pure; live and replay build the same thing with it.

import { mergeAlert } from "./store.js";

export function emptyRecord(callId) {
  return { id: callId, call: {}, turns: [], turnOf: new Map(), points: [], pivots: [], stages: [], holds: [], alerts: new Map(),
    prompts: new Map(), suggestion: null, wants: null, interim: null, stage: null, ended: null, seen: new Set(), last_s: 0 };
}

/** Takes one event (or interim) in; what was taken before changes nothing. Returns whether anything changed. */
export function addEvent(record, event) {
  if (event.type === "interim") {
    record.interim = event.text === "" ? null : event;
    return true;
  }
  const key = keyOf(event);
  if (record.seen.has(key)) return false;
  record.seen.add(key);
  record.last_s = Math.max(record.last_s, event.at_s);
  TAKERS[event.type]?.(record, event);
  return true;
}

/** The record as it was at `until_s`: the events up to then, in their order (an alert may stand before earlier turns). */
export function recordAt(callId, events, until_s) {
  const record = emptyRecord(callId);
  for (const event of events) {
    if (event.at_s <= until_s) addEvent(record, event);
  }
  return record;
}

function keyOf(event) {
  const { seq, ...said } = event;
  return JSON.stringify(said);
}

const TAKERS = {
  turn(record, event) {
    record.turns.push(event);
    for (const id of event.segments) record.turnOf.set(id, event);
    if (record.interim !== null && (event.segments.includes(record.interim.segment_id) || record.interim.role === event.role)) record.interim = null;
  },
  point(record, event) {
    record.points.push(event);
    record.stage = event.stage;
    record.wants = event.wants ?? record.wants;
  },
  stage(record, event) {
    record.stages.push(event);
    record.stage = event.to;
  },
  pivot(record, event) {
    record.pivots.push(event);
  },
  alert(record, event) {
    record.alerts.set(event.alert_id, mergeAlert(record.alerts.get(event.alert_id), event, 0));
  },
  prompt(record, event) {
    record.prompts.set(event.prompt_id, event);
  },
  suggestion(record, event) {
    record.suggestion = event;
  },
  call(record, event) {
    if (event.state === "start") record.call = event;
    if (event.state === "hold") record.holds.push({ from_s: event.at_s, to_s: null });
    if (event.state === "resume" && record.holds.length > 0) record.holds.at(-1).to_s = event.at_s;
    if (event.state === "end") {
      record.ended = event;
      record.interim = null;
    }
  },
};

/** Index of the point that a turn caused, or of the last one before `at_s`; -1 when there is none. */
export function pointAt(record, at_s) {
  let found = -1;
  for (let i = 0; i < record.points.length && record.points[i].at_s <= at_s; i++) found = i;
  return found;
}

/** Times worth jumping to: where alerts began or changed of themselves, and turning points; sorted, an alert first. */
export function marks(events) {
  const found = new Map();
  for (const event of events) {
    const alert = event.type === "alert" && (event.state === "firing" || event.state === "updated");
    if (alert || (event.type === "pivot" && !found.has(event.at_s))) found.set(event.at_s, { at_s: event.at_s, type: event.type });
  }
  return [...found.values()].sort((a, b) => a.at_s - b.at_s);
}
