// The alerts: severity, kind, the reason in a sentence, the words that caused it, and what people did about it.

import { clock, wallTime } from "./format.js";
import { blank, h, icon } from "./dom.js";
import { isOpen, needsAnswer } from "./store.js";
import { t, words } from "./strings.js";

/** `act(alert, action)` returns a promise; `onOpen(alert)` follows the link that `nameOf(alert)` names; `languageOf(alert)` is that of its quotes. */
export class AlertCards {
  constructor(host, { act = null, onOpen, nameOf, languageOf, onQuote = null, empty = () => blank(t("noAlerts"), t("noAlertsHelp")) }) {
    this.host = host;
    this.options = { act, onOpen, nameOf, languageOf, onQuote, empty };
    this.cards = new Map();
    this.failures = new Map();
    this.busy = new Set();
  }

  /** Shows the alerts in the given order; cards are kept, so focus and selection stay where they are. */
  show(alerts) {
    const focused = focusKey(this.host);
    const wanted = new Set(alerts.map((alert) => alert.id));
    for (const [id, card] of this.cards) {
      if (wanted.has(id)) continue;
      card.node.remove();
      this.cards.delete(id);
    }
    this.host.querySelector(":scope > .blank")?.remove();
    if (alerts.length === 0) this.host.append(this.options.empty());
    let place = null;
    for (const alert of alerts) {
      const node = this.#card(alert);
      const next = place === null ? this.host.firstElementChild : place.nextElementSibling;
      if (next !== node) this.host.insertBefore(node, next);
      place = node;
    }
    restoreFocus(this.host, focused);
  }

  /** Runs an action, shows that it is under way and, if it fails, why. */
  async act(alert, action) {
    const key = alert.id;
    if (this.busy.has(key)) return;
    this.busy.add(key);
    this.failures.delete(key);
    this.#card(alert);
    try {
      await this.options.act(alert, action);
    } catch (error) {
      this.failures.set(key, error.message);
    }
    this.busy.delete(key);
    this.#card(alert);
  }

  #card(alert) {
    const signature = JSON.stringify([alert, this.options.nameOf(alert), this.busy.has(alert.id), this.failures.get(alert.id)]);
    let card = this.cards.get(alert.id);
    if (card === undefined) {
      card = { node: h("article", { tabindex: "-1" }), signature: null };
      card.node.dataset.alert = alert.id;
      this.cards.set(alert.id, card);
    }
    if (card.signature !== signature) {
      card.signature = signature;
      const focused = focusKey(card.node);
      card.node.className = `alert sev-${alert.severity} ${needsAnswer(alert) ? "firing" : isOpen(alert) ? "answered" : "closed"}`;
      card.node.replaceChildren(...this.#parts(alert));
      restoreFocus(card.node, focused);
    }
    return card.node;
  }

  #parts(alert) {
    const failure = this.failures.get(alert.id);
    const updates = alert.updates > 0 ? ` · ${t("updatedTimes", { n: alert.updates })}` : "";
    return [
      h("header", { class: "alert-head" }, icon(alert.severity in SHAPED ? alert.severity : "info"), h("span", { class: "alert-kind" }, words("kind", alert.kind)),
        h("span", { class: "alert-severity" }, words("severity", alert.severity))),
      h("p", { class: "alert-where" },
        h("button", { class: "link", type: "button", data: { action: "open" }, onclick: () => this.options.onOpen(alert) }, this.options.nameOf(alert)),
        h("span", { class: "num" }, ` · ${clock(alert.firstAt_s)}${updates}`)),
      h("p", { class: "alert-reason" }, alert.reason),
      ...byQuote(alert.evidence).map((evidence) => this.#quote(alert, evidence)),
      this.#answer(alert),
      failure === undefined ? null : h("p", { class: "alert-failure" }, t("actionFailed", { why: failure })),
      this.options.act !== null && isOpen(alert) ? this.#buttons(alert) : null,
    ].filter((part) => part !== null);
  }

  #quote(alert, evidence) {
    const quote = h("blockquote", { class: "quote" }, h("p", { dir: "auto", lang: this.options.languageOf(alert) }, evidence.quote),
      h("footer", {}, evidence.labels.map((label) => words("label", label)).join(", ")));
    if (this.options.onQuote === null) return quote;
    quote.classList.add("pick");
    quote.addEventListener("click", () => this.options.onQuote(alert, evidence));
    return quote;
  }

  #answer(alert) {
    if (needsAnswer(alert)) return null;
    const by = alert.by;
    const key = { acknowledged: ["ackedBy", "acked"], snoozed: ["snoozedBy", "snoozed"], resolved: ["resolvedBy", "resolved"] }[alert.answer] ?? ["ackedBy", "acked"];
    const said = by ? t(key[0], { by }) : t(key[1]);
    const when = alert.answeredAt_ms > 0 ? `, ${wallTime(alert.answeredAt_ms)}` : "";
    const verdict = alert.verdict === "false" ? ` · ${t("falseMarked")}` : "";
    return h("p", { class: "alert-answer" }, `${said}${when}${verdict}`, alert.note ? h("span", { class: "alert-note", dir: "auto" }, alert.note) : null);
  }

  #buttons(alert) {
    const offered = needsAnswer(alert) ? [["ack", "primary"], ["snooze", ""], ["resolve", ""], ["falseAlarm", "quiet"]] : [["resolve", ""], ["falseAlarm", "quiet"]];
    return h("div", { class: "alert-buttons" }, ...offered.map(([action, style]) =>
      h("button", { type: "button", class: `button small ${style}`, data: { action }, disabled: this.busy.has(alert.id), onclick: () => this.act(alert, action) }, t(action))));
  }
}

/** The same words heard as several things are one quote. */
function byQuote(evidence) {
  const found = new Map();
  for (const { segment_id, quote, label } of evidence) {
    const key = `${segment_id}\n${quote}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, { segment_id, quote, labels: [label] });
    else if (!known.labels.includes(label)) known.labels.push(label);
  }
  return [...found.values()];
}

const SHAPED = { info: true, warning: true, critical: true };

function focusKey(host) {
  const active = document.activeElement;
  if (active === null || active === document.body || !host.contains(active)) return null;
  return { alert: active.closest("[data-alert]")?.dataset.alert, action: active.dataset.action ?? null };
}

function restoreFocus(host, key) {
  if (key === null || key.alert === undefined || (host.contains(document.activeElement) && document.activeElement !== host)) return;
  const card = host.dataset.alert === key.alert ? host : host.querySelector(`[data-alert="${CSS.escape(key.alert)}"]`);
  const target = (key.action === null ? null : card?.querySelector(`[data-action="${key.action}"]:not([disabled])`)) ?? card;
  target?.focus({ preventScroll: true });
}
