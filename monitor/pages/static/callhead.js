// The line above an open call: who, where, how long, the stage it is in, tension and risk, and what help would fit.

import { band, clock, languageName, score, slope, trend } from "./format.js";
import { h, icon, setText } from "./dom.js";
import { t, words } from "./strings.js";
import { timeIn } from "./calllist.js";

const STAGES = ["vent", "disarm", "calm"];

/** Builds the head into `host`; the returned function fills it from a record, the store's call (null in a replay) and the time. */
export function callHead(host) {
  const shape = h("span", { class: "head-shape" });
  const value = h("span", { class: "head-value num" });
  const arrow = h("span", { class: "head-arrow" });
  const bandWord = h("span", { class: "head-band" });
  const risk = h("span", { class: "num" });
  const title = h("h2", { id: "call-title", class: "head-title", tabindex: "-1" });
  const facts = h("p", { class: "head-facts" });
  const stages = STAGES.map((name) => h("li", { data: { stage: name } }, words("stage", name)));
  const fits = h("p", { class: "head-fits", hidden: true });
  const wants = h("span", {});
  const suggestion = h("span", {});
  fits.append(wants, suggestion);
  host.append(
    h("div", { class: "head-main" }, title, h("ol", { class: "stages", "aria-label": t("stage") }, ...stages)),
    h("div", { class: "head-figures" },
      h("div", { class: "figure" }, h("span", { class: "figure-name" }, t("tension")), h("span", { class: "figure-line" }, shape, value, arrow, bandWord)),
      h("div", { class: "figure" }, h("span", { class: "figure-name" }, t("risk")), h("span", { class: "figure-line" }, risk))),
    facts, fits,
  );
  let shownBand = null;
  let shownFacts = null;
  return (record, call, at_s = call === null ? record.last_s : timeIn(call)) => {
    const facts_ = factsOf(record, call, at_s);
    setText(title, facts_.agent ?? record.id);
    const line = facts_.parts.join("\n");
    if (line !== shownFacts) facts.replaceChildren(...facts_.parts.map((part) => h("span", {}, part)));
    shownFacts = line;
    const last = record.points.at(-1);
    const level = band(last?.tension);
    if (level !== shownBand) {
      shape.replaceChildren(icon(level));
      host.dataset.band = level;
      shownBand = level;
    }
    const change = trend(slope(record.points.map((p) => [p.at_s, p.tension])));
    setText(value, score(last?.tension));
    setText(arrow, change.arrow);
    arrow.title = t(change.key);
    setText(bandWord, words("band", level));
    setText(risk, score(last?.risk));
    for (const node of stages) markStage(node, record);
    fits.hidden = record.suggestion === null && record.wants === null;
    setText(wants, record.wants === null ? "" : `${t("wants", { what: words("want", record.wants) })} `);
    if (record.suggestion === null) setText(suggestion, "");
    else setText(suggestion, `${t("suggestion", { type: words("escalation", record.suggestion.escalation_type), tier: record.suggestion.tier })}. ${record.suggestion.reason}`);
  };
}

function markStage(node, record) {
  if (node.dataset.stage === record.stage) node.setAttribute("aria-current", "step");
  else node.removeAttribute("aria-current");
}

function factsOf(record, call, at_s) {
  const start = record.call;
  const team = call?.team ?? start.team ?? null;
  const queue = call?.queue ?? start.queue ?? null;
  const state = record.ended !== null ? t("ended") : call?.state === "hold" ? t("onHold") : null;
  const parts = [team, queue === team ? null : queue, words("channel", call?.channel ?? start.channel), languageName(call?.language ?? start.language),
    (call?.customer ?? start.customer_id) ? `${t("customer")} ${call?.customer ?? start.customer_id}` : null, clock(at_s), state];
  return { agent: call?.agent ?? start.agent_id ?? null, parts: parts.filter(Boolean) };
}
