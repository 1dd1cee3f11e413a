// The list of recorded calls: searched on the service, page by page.

import * as api from "./api.js";
import { band, clock, languageTag, score, wallDate } from "./format.js";
import { blank, h, icon } from "./dom.js";
import { t, words } from "./strings.js";

const NAMED = { agent: "agent", team: "team", label: "label", language: "language", customer: "customer", outcome: "outcome", peak: "min_peak" };
const WAIT_MS = 250;

/** What was typed -> the parameters of the search: `agent:a-4 refund` -> {agent: "a-4", text: "refund"}. Pure. */
export function parseSearch(typed) {
  const query = {};
  const free = [];
  for (const word of typed.trim().split(/\s+/).filter(Boolean)) {
    const [, name, value] = /^(\w+):(.+)$/.exec(word) ?? [];
    if (name in NAMED) query[NAMED[name]] = name === "peak" ? String(Math.min(1, Math.max(0, Number(value) / 100 || 0))) : value;
    else free.push(word);
  }
  if (free.length > 0) query.text = free.join(" ");
  return query;
}

export class RecordedCalls {
  constructor(host, search, { onOpen }) {
    this.host = host;
    this.search = search;
    this.onOpen = onOpen;
    this.opened = null;
    this.calls = [];
    this.next = null;
    this.asked = 0;
    search.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.load(), WAIT_MS);
    });
  }

  /** Asks for the first page; `cursor` for a further one. Later answers win over earlier ones. */
  async load(cursor = null) {
    const asked = (this.asked += 1);
    if (this.calls.length === 0) this.host.replaceChildren(blank(t("loading"), ""));
    try {
      const page = await api.calls({ ...parseSearch(this.search.value), limit: 50, ...(cursor === null ? {} : { cursor }) });
      if (asked !== this.asked) return;
      this.calls = cursor === null ? page.calls : [...this.calls, ...page.calls];
      this.next = page.next;
      this.#paint();
    } catch (error) {
      if (asked === this.asked) this.host.replaceChildren(blank(t("loadFailed", { why: error.message }), "", h("button", { class: "button", type: "button", onclick: () => this.load() }, t("retry"))));
    }
  }

  mark(callId) {
    this.opened = callId;
    for (const node of this.host.querySelectorAll("[data-call]")) mark(node, callId);
  }

  #paint() {
    const focused = this.host.contains(document.activeElement) ? document.activeElement.dataset.call : undefined;
    const top = this.host.scrollTop;
    if (this.calls.length === 0) {
      const searched = this.search.value.trim() !== "";
      this.host.replaceChildren(searched ? blank(t("noMatch"), "") : blank(t("noRecorded"), t("noRecordedHelp")));
      return;
    }
    this.host.replaceChildren(h("ul", {}, ...this.calls.map((call) => h("li", {}, this.#item(call)))),
      ...(this.next === null ? [] : [h("button", { class: "button small more", type: "button", onclick: () => this.load(this.next) }, t("more"))]));
    this.host.scrollTop = top;
    if (focused !== undefined) this.host.querySelector(`[data-call="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  #item(call) {
    const level = call.turns === 0 ? "unknown" : band(call.peak_tension);
    const end = call.outcome ?? call.outcome_guess;
    const facts = [clock(call.duration_s), call.state === "ended" ? end : t("inProgress"), languageTag(call.language), call.team].filter(Boolean).join(" · ");
    const alerts = call.alerts === 0 ? null : call.alerts === 1 ? t("alertCount1") : t("alertsCount", { n: call.alerts });
    const node = h("button", { class: `recording plain band-${level}`, type: "button", data: { call: call.call_id }, onclick: () => this.onOpen(call.call_id) },
      icon(level), h("span", { class: "recording-main" },
        h("span", { class: "recording-top" }, h("strong", {}, call.agent_id ?? call.call_id), h("span", { class: "muted" }, wallDate(call.opened_at))),
        h("span", { class: "recording-facts muted" }, facts)),
      h("span", { class: "recording-end" }, h("span", { class: "num recording-peak" }, t("peak", { n: score(call.peak_tension) })), h("span", { class: "muted" }, alerts ?? "")));
    mark(node, this.opened);
    return node;
  }
}

function mark(node, callId) {
  if (node.dataset.call === callId) node.setAttribute("aria-current", "true");
  else node.removeAttribute("aria-current");
}
