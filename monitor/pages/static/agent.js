// The agent's page: one hint at a time, which call it is about, and nothing that judges.

import * as api from "./api.js";
import { timeIn } from "./calllist.js";
import { Connection, onKeys } from "./chrome.js";
import { h, setText, soon } from "./dom.js";
import { Feed } from "./feed.js";
import { clock } from "./format.js";
import { tone } from "./spans.js";
import { emptyState, reduce } from "./store.js";
import { fillStrings, t, words } from "./strings.js";

const $ = (id) => document.getElementById(id);
const agent = decodeURIComponent(location.pathname.split("/").at(-1));

fillStrings(document);
const state = emptyState();
const HINT_FOR_S = 60;
const MEMORY = `becalm.agent.${agent}`;
const remembered = JSON.parse(sessionStorage.getItem(MEMORY) ?? "null");
const answered = new Set();
let shown = null;

if (remembered?.prompt) state.prompts.set(remembered.prompt.prompt_id, remembered.prompt);

const feed = new Feed({ filters: { agent }, since: () => (state.loaded ? state.seq : remembered?.seq ?? 0), onFrame, onState: (name, detail) => connection.set(name, detail) });
const connection = new Connection($("connection"), $("banner"), () => feed.retryNow());

function onFrame(frame) {
  const first = !state.loaded;
  reduce(state, frame, Date.now());
  if (first && !frame.resumed) catchUp().catch((error) => showFailure(error.message));
  soon(paint);
}

/** On a page opened for the first time in mid-call: the hint that stands. Only those who may read events can ask. */
async function catchUp() {
  const me = await api.me();
  if (me.role === "agent") return;
  for (const call of liveCalls()) {
    for (const event of await api.callEvents(call.id)) if (event.type === "prompt") state.prompts.set(event.prompt_id, event);
  }
  soon(paint);
}

/** A page opened again goes on where it was: the hint on the screen, and what happened since. */
function remember(prompt) {
  sessionStorage.setItem(MEMORY, JSON.stringify({ seq: state.seq, prompt }));
}

function liveCalls() {
  return [...state.calls.values()].filter((call) => call.state !== "ended").sort((a, b) => b.heardAt_ms - a.heardAt_ms);
}

/** The newest hint of a call that goes on, if it still stands; a conversation moves on, and so does a hint. */
function currentPrompt(calls) {
  const hints = [...state.prompts.values()].filter((prompt) => calls.some((call) => call.id === prompt.call_id && timeIn(call) - prompt.at_s < HINT_FOR_S));
  const newest = hints.at(-1);
  return newest === undefined || newest.state !== "shown" || answered.has(newest.prompt_id) ? null : newest;
}

function paint() {
  const calls = liveCalls();
  const prompt = currentPrompt(calls);
  const call = state.calls.get(prompt?.call_id) ?? calls[0] ?? null;
  if (state.loaded) remember(prompt);
  const key = prompt?.prompt_id ?? (call === null ? "idle" : "none");
  if (key !== shown) {
    shown = key;
    $("now").replaceChildren(...(prompt !== null ? hint(prompt) : call !== null ? [h("p", { class: "hint-none" }, t("noPrompt"))] : idle()));
    $("buttons").hidden = prompt === null;
    $("failure").hidden = true;
  }
  document.title = `${prompt === null ? "" : "• "}${t("agent")} ${agent} · Becalm`;
  setText($("where"), call === null ? "" : t("onCall", { channel: words("channel", call.channel), time: clock(timeIn(call)) }) + (calls.length > 1 ? ` · ${call.customer ?? call.id}` : ""));
  setText($("stage"), call === null ? "" : call.state === "hold" ? t("onHold") : call.stage === null ? "" : t(`stageWords_${call.stage}`));
}

/** The hint and what the customer said or did to cause it; a hint about one's own wording needs no label beside it. */
function hint(prompt) {
  const because = prompt.because.filter((name) => tone(name) !== "move").map((name) => words("label", name)).join(", ");
  return [h("p", { class: "hint-text", lang: prompt.language, dir: "auto" }, prompt.text),
    because === "" ? null : h("p", { class: "hint-because" }, t("because", { what: because }))].filter((part) => part !== null);
}

function idle() {
  return [h("p", { class: "hint-none" }, t("agentIdle")), h("p", { class: "muted" }, t("agentIdleHelp"))];
}

async function answer(action) {
  const prompt = currentPrompt(liveCalls());
  if (prompt === null) return;
  answered.add(prompt.prompt_id);
  paint();
  try {
    await api.promptAction(prompt, action);
  } catch (error) {
    answered.delete(prompt.prompt_id);
    paint();
    showFailure(error.message);
  }
}

function showFailure(why) {
  $("failure").hidden = false;
  setText($("failure"), t("actionFailed", { why }));
}

$("used").addEventListener("click", () => answer("used"));
$("dismissed").addEventListener("click", () => answer("dismissed"));
onKeys({ u: () => answer("used"), d: () => answer("dismissed") });
setInterval(() => soon(paint), 1000);
feed.open();
paint();
