// The supervisor's page: calls by risk, one call to read, the alerts to answer. One socket, one paint a frame.

import * as api from "./api.js";
import { AlertCards } from "./alertcards.js";
import { CallList, timeIn } from "./calllist.js";
import { CallPanel } from "./callpanel.js";
import { callHead } from "./callhead.js";
import { announcer, Connection, keysHelp, onKeys, readHash, signedIn, writeHash } from "./chrome.js";
import { blank, h, setText, soon } from "./dom.js";
import { Feed } from "./feed.js";
import { band } from "./format.js";
import { addEvent, emptyRecord } from "./record.js";
import { fillFilters } from "./filters.js";
import { PastCurves } from "./pastcurves.js";
import { emptyState, forgetOld, isOpen, needsAnswer, openAlerts, rank, ranked, rankedAlerts, reduce } from "./store.js";
import { fillStrings, t, words } from "./strings.js";

const SNOOZE_S = 300;
const $ = (id) => document.getElementById(id);

fillStrings(document);
const state = emptyState();
const hash = readHash();
const filters = { text: hash.q ?? "", team: hash.team ?? "", language: hash.language ?? "", alerts: hash.alerts === "true" };
const say = announcer();
const help = keysHelp("supervisor");
const history = new PastCurves(() => soon(paint));
let orderHeld = false;
let opened = { id: null, record: null, waiting: null, failed: null, at_s: hash.t === undefined ? null : Number(hash.t) };

const panel = new CallPanel($("call"), { height: 210, onPick: (at_s) => { opened.at_s = at_s; remember(); } });
const paintFilters = fillFilters($("filters"), $("only-alerts"), filters, () => { remember(); paint(); });
const list = new CallList($("calls"), { onOpen: (id) => open(id), onHold: (held) => { orderHeld = held; }, onSeen: (call) => history.want(call) });
const cards = new AlertCards($("alerts"), {
  act, nameOf: (alert) => state.calls.get(alert.call)?.agent ?? alert.call, onOpen: (alert) => open(alert.call, alert.segment),
  languageOf: (alert) => state.calls.get(alert.call)?.language ?? null,
  onQuote: (alert, evidence) => open(alert.call, evidence.segment_id),
});
const feed = new Feed({ since: () => state.seq, onFrame, onState: (name, detail) => connection.set(name, detail) });
const connection = new Connection($("connection"), $("banner"), () => feed.retryNow());
const head = callHead($("call-head"));

function onFrame(frame) {
  const changes = reduce(state, frame, Date.now());
  if (changes.reset) {
    if (opened.id !== null || hash.call) load(opened.id ?? hash.call);
  } else if (frame.call_id !== undefined && frame.call_id === opened.id) {
    if (opened.waiting !== null) opened.waiting.push(frame);
    else if (opened.record !== null) addEvent(opened.record, frame);
  }
  for (const alert of changes.news) announce(alert);
  soon(paint);
}

function announce(alert) {
  const agent = state.calls.get(alert.call)?.agent ?? t("unknown");
  const text = { kind: words("kind", alert.kind), agent, reason: alert.reason };
  if (alert.severity === "critical") say.assertive(t("newCritical", text));
  else say.polite(t("newAlert", text));
}

/** Opens a call and, when given, the turn of `segmentId`. */
async function open(id, segmentId = null) {
  if (id !== opened.id) {
    opened.at_s = null;
    await load(id);
  }
  if (segmentId !== null && opened.record !== null) panel.pickSegment(segmentId);
  remember();
}

async function load(id) {
  const fresh = id !== opened.id;
  opened = { ...opened, id, record: fresh ? null : opened.record, waiting: [], failed: null };
  list.opened = id;
  soon(paint);
  try {
    const events = await api.callEvents(id);
    if (opened.id !== id) return;
    const record = emptyRecord(id);
    for (const event of [...events, ...opened.waiting]) addEvent(record, event);
    opened.record = record;
    history.take(state.calls.get(id), events);
  } catch (error) {
    if (opened.id !== id) return;
    opened.failed = error.message;
  }
  opened.waiting = null;
  paint();
  if (opened.at_s !== null && opened.record !== null) panel.pickTime(opened.at_s);
}

function remember() {
  writeHash({ call: opened.id, t: opened.at_s, q: filters.text, team: filters.team, language: filters.language, alerts: filters.alerts });
}

async function act(alert, action) {
  if (action === "falseAlarm") {
    await api.alertAction(alert.id, "feedback", { verdict: "false" });
    state.alerts.get(alert.id).verdict = "false";
    await api.alertAction(alert.id, "resolve", { note: t("falseMarked") });
  } else {
    await api.alertAction(alert.id, action, action === "snooze" ? { for_s: SNOOZE_S } : {});
  }
}

function paint() {
  const calls = ranked(state, filters, opened.id);
  if (opened.id === null && calls.length > 0 && !hash.call) {
    load(calls[0].id);
    return;
  }
  list.opened = opened.id;
  list.show(state, calls);
  paintFilters(state);
  paintCounts(calls);
  paintAlerts();
  paintCall();
}

function paintCounts(calls) {
  const live = [...state.calls.values()].filter((call) => call.state !== "ended");
  const unanswered = [...state.alerts.values()].filter(needsAnswer).length;
  setText($("count-live"), t("liveCalls", { n: live.length }));
  setText($("count-hot"), t("hotCalls", { n: live.filter((call) => band(call.tension) === "hot").length }));
  setText($("count-alerts"), t("openAlerts", { n: unanswered }));
  $("count-alerts").classList.toggle("urgent", unanswered > 0);
  setText($("shown"), orderHeld ? t("orderHeld") : t("shownOf", { n: calls.length, total: state.calls.size }));
  document.title = `${unanswered > 0 ? `(${unanswered}) ` : ""}${t("supervisor")} · Becalm`;
  const empty = calls.length > 0 ? null : !state.loaded ? "loading" : state.calls.size === 0 || !filtering() ? "none" : "nomatch";
  if ($("calls-empty").dataset.why === (empty ?? "")) return;
  $("calls-empty").dataset.why = empty ?? "";
  $("calls-empty").replaceChildren(...(empty === null ? [] : [emptyList(empty)]));
}

function filtering() {
  return filters.text !== "" || filters.team !== "" || filters.language !== "" || filters.alerts;
}

function emptyList(why) {
  if (why === "loading") return blank(t("loading"), "");
  if (why === "none") return blank(t("noCalls"), t("noCallsHelp"));
  return blank(t("noMatch"), t("noMatchHelp"), h("button", { class: "button", type: "button", onclick: clearFilters }, t("clearFilter")));
}

function clearFilters() {
  Object.assign(filters, { text: "", team: "", language: "", alerts: false });
  remember();
  paint();
}

function paintAlerts() {
  const shown = rankedAlerts(state, 5).filter((alert) => filters.team === "" || state.calls.get(alert.call)?.team === filters.team);
  cards.show(shown.slice(0, 60));
}

function paintCall() {
  const { id, record, failed } = opened;
  const why = id === null ? "pick" : failed !== null ? "failed" : record === null ? "loading" : null;
  $("call").hidden = why !== null;
  $("call-empty").hidden = why === null;
  if (why === null) {
    const call = state.calls.get(id);
    record.interim = state.interims.get(id) ?? null;
    head(record, call ?? null);
    panel.show(record, Math.max(record.last_s, call === undefined ? 0 : timeIn(call)));
    return;
  }
  if ($("call-empty").dataset.why === `${why}${failed ?? ""}`) return;
  $("call-empty").dataset.why = `${why}${failed ?? ""}`;
  const again = () => h("button", { class: "button", type: "button", onclick: () => load(id) }, t("retry"));
  $("call-empty").replaceChildren(why === "pick" ? blank(t("pickCall"), t("pickCallHelp")) : why === "loading" ? blank(t("loading"), "") : blank(t("loadFailed", { why: failed }), "", again()));
}

/** The alert that a key means: the card in focus, else the open call's gravest, else the gravest of all. */
function meantAlert() {
  const focused = state.alerts.get(document.activeElement?.closest("[data-alert]")?.dataset.alert);
  if (focused !== undefined) return focused;
  const call = state.calls.get(list.cursor ?? opened.id);
  const own = call === undefined ? [] : [...call.alerts].map((id) => state.alerts.get(id)).filter(isOpen);
  return own.sort((a, b) => needsAnswer(b) - needsAnswer(a) || rank(b) - rank(a))[0];
}

function answerByKey(action) {
  const alert = meantAlert();
  if (alert === undefined || !needsAnswer(alert)) return false;
  return cards.act(alert, action);
}

function move(step) {
  list.host.focus({ preventScroll: true });
  list.move(step);
}

function leave() {
  if ($("filter-text") === document.activeElement && filters.text !== "") {
    filters.text = "";
    remember();
    paint();
  } else list.host.focus({ preventScroll: true });
}

onKeys({
  j: () => move(1), k: () => move(-1), "?": help, Escape: leave, a: () => answerByKey("ack"), s: () => answerByKey("snooze"),
  ArrowDown: () => document.activeElement === list.host && move(1), ArrowUp: () => document.activeElement === list.host && move(-1),
  "/": () => $("filter-text").focus(), Enter: () => list.cursor !== null && document.activeElement === list.host && openCursor(),
});

async function openCursor() {
  await open(list.cursor);
  $("call-title").focus({ preventScroll: true });
}

$("shown").title = t("orderHelp");
$("help").addEventListener("click", help);
window.addEventListener("hashchange", () => { const now = readHash(); if (now.call && now.call !== opened.id) open(now.call); });
setInterval(() => { forgetOld(state, Date.now(), opened.id); soon(paint); }, 1000);
signedIn($("who"));
feed.open();
paint();
