// The replay page: a recorded call, as it was known at each moment.

import * as api from "./api.js";
import { AlertCards } from "./alertcards.js";
import { callHead } from "./callhead.js";
import { CallPanel } from "./callpanel.js";
import { keysHelp, onKeys, readHash, signedIn, writeHash } from "./chrome.js";
import { blank, h, setText } from "./dom.js";
import { Notes } from "./notes.js";
import { Player } from "./player.js";
import { RecordedCalls } from "./recorded.js";
import { addEvent, emptyRecord, marks } from "./record.js";
import { fillStrings, t } from "./strings.js";

const $ = (id) => document.getElementById(id);
const REFRESH_MS = 20_000;
const SKIP_S = 5;

fillStrings(document);
const help = keysHelp("qa");
const state = { id: null, file: false, events: [], taken: 0, record: null, end_s: 0 };

const panel = new CallPanel($("call"), { height: 200 });
const head = callHead($("call-head"));
const player = new Player($("player"), { onTime: (at_s) => showAt(at_s) });
const notes = new Notes($("notes"), { now: () => player.at_s, onGo: (at_s) => player.seek(at_s) });
const cards = new AlertCards($("alerts"), {
  nameOf: () => t("goTo"), onOpen: (alert) => { player.seek(alert.firstAt_s); panel.pickTime(alert.firstAt_s); },
  languageOf: () => state.record?.call.language ?? null,
  onQuote: (alert, evidence) => panel.pickSegment(evidence.segment_id), empty: () => blank(t("noAlertsYet"), ""),
});
const recorded = new RecordedCalls($("recorded"), $("search"), { onOpen: (id) => open(id) });
panel.curve.onLayout = (left_px, right_px) => {
  $("player").style.setProperty("--plot-left", `${left_px}px`);
  $("player").style.setProperty("--plot-right", `${right_px}px`);
};

async function open(id, at_s = null) {
  empty("loading");
  recorded.mark(id);
  try {
    start(id, await api.callEvents(id), at_s, false);
  } catch (error) {
    empty("failed", error.message);
  }
}

async function openFile(file) {
  setText($("drop-help"), t("loading"));
  try {
    const { events } = await api.replayFile(await file.text());
    const ids = [...new Set(events.map((event) => event.call_id))];
    if (ids.length === 0) throw new Error(t("fileEmpty"));
    setText($("drop-help"), ids.length === 1 ? t("fileName", { name: file.name }) : t("severalCalls", { n: ids.length }));
    recorded.mark(null);
    offer(ids, events);
    start(ids[0], events.filter((event) => event.call_id === ids[0]), null, true);
  } catch (error) {
    setText($("drop-help"), t("fileBad", { name: file.name, why: error.message }));
  }
}

/** Several calls in one file: buttons to choose between them. */
function offer(ids, events) {
  $("drop-help").after(...(ids.length < 2 ? [] : [h("div", { class: "offer", id: "offer" }, ...ids.map((id) =>
    h("button", { class: "link", type: "button", onclick: () => start(id, events.filter((event) => event.call_id === id), null, true) }, id)))]));
}

function start(id, events, at_s, file) {
  if (!file) document.getElementById("offer")?.remove();
  const end_s = events.reduce((latest, event) => Math.max(latest, event.at_s), 0);
  Object.assign(state, { id, file, events, end_s, taken: 0, record: null });
  $("call").hidden = false;
  $("call-empty").hidden = true;
  notes.open(file ? null : id);
  player.load(end_s, marks(events), at_s ?? end_s);
  document.title = `${id} · ${t("qa")} · Becalm`;
}

/** What was known at `at_s`: on the way forward only the new events are taken, on the way back all from the start. */
function showAt(at_s) {
  if (state.id === null) return;
  if (state.record === null || at_s < state.shownAt_s) {
    state.record = emptyRecord(state.id);
    state.taken = 0;
  }
  while (state.taken < state.events.length && state.events[state.taken].at_s <= at_s) addEvent(state.record, state.events[state.taken++]);
  state.shownAt_s = at_s;
  head(state.record, null, at_s);
  panel.show(state.record, state.end_s);
  cards.show([...state.record.alerts.values()].reverse());
  notes.moved();
  writeHash(state.file ? {} : { call: state.id, t: at_s >= state.end_s ? null : at_s.toFixed(1) });
}

function empty(why, detail = "") {
  $("call").hidden = true;
  $("call-empty").hidden = false;
  state.id = null;
  const texts = { pick: [t("pickRecording"), t("pickRecordingHelp")], loading: [t("loading"), ""], failed: [t("loadFailed", { why: detail }), ""] };
  $("call-empty").replaceChildren(blank(...texts[why]));
}

$("file").addEventListener("change", () => $("file").files.length > 0 && openFile($("file").files[0]));
for (const name of ["dragenter", "dragover"]) document.addEventListener(name, (event) => { event.preventDefault(); $("desk").classList.add("dropping"); });
for (const name of ["dragleave", "drop"]) document.addEventListener(name, (event) => { event.preventDefault(); if (name === "drop" || event.relatedTarget === null) $("desk").classList.remove("dropping"); });
document.addEventListener("drop", (event) => event.dataTransfer.files.length > 0 && openFile(event.dataTransfer.files[0]));

const playing = (act) => () => (state.id === null ? false : act());
onKeys({
  "?": help, "/": () => $("search").focus(), Escape: () => document.activeElement?.blur(),
  " ": playing(() => player.playPause()), n: playing(() => player.jump(1)), p: playing(() => player.jump(-1)),
  ArrowLeft: playing(() => player.seek(player.at_s - SKIP_S)), ArrowRight: playing(() => player.seek(player.at_s + SKIP_S)),
  "<": () => player.changeSpeed(-1), ">": () => player.changeSpeed(1),
});
$("help").addEventListener("click", help);
setInterval(() => document.hidden || recorded.calls.length > 50 || recorded.load(), REFRESH_MS);

empty("pick");
cards.show([]);
signedIn($("who"));
recorded.load();
const hash = readHash();
if (hash.call) open(hash.call, hash.t === undefined ? null : Number(hash.t));
