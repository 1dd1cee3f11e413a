// What every page has around its content: the connection's state, the banner when it is bad, keys help, spoken news.

import * as api from "./api.js";
import { clock, wallTime } from "./format.js";
import { h, setText } from "./dom.js";
import { KEYS, t } from "./strings.js";

/** The pill in the header and the banner below it, for the states of `feed.js`. */
export class Connection {
  constructor(pill, banner, retry) {
    this.pill = pill;
    this.banner = banner;
    this.bannerText = h("span", {});
    this.button = h("button", { class: "button small", type: "button", onclick: retry }, t("retryNow"));
    banner.append(this.bannerText, this.button);
    this.state = "connecting";
    this.detail = {};
    this.since_ms = Date.now();
    setInterval(() => this.paint(), 1000);
    this.paint();
  }

  set(state, detail) {
    if (state === "connecting" && this.state === "disconnected") this.wasLost = true;
    if (state === "live") this.wasLost = false;
    this.state = state;
    this.detail = { ...this.detail, ...detail };
    this.paint();
  }

  paint() {
    const shown = this.state === "connecting" && this.wasLost ? "disconnected" : this.state;
    this.pill.className = `pill pill-${shown}`;
    setText(this.pill, t(shown));
    document.documentElement.dataset.connection = shown;
    const heard = this.detail.heardAt_ms ?? 0;
    const bad = shown === "stale" || (shown === "disconnected" && heard > 0) || (shown === "disconnected" && Date.now() - this.since_ms > 3000);
    this.banner.hidden = !bad;
    if (!bad) return;
    const since = heard > 0 ? wallTime(heard) : "–";
    setText(this.bannerText, shown === "stale" ? t("staleHelp", { s: Math.round((Date.now() - heard) / 1000) }) : t("disconnectedHelp", { time: since }));
    this.button.hidden = shown === "stale";
  }
}

/** Who is signed in, with the way out; nothing on an open service. */
export async function signedIn(host) {
  const me = await api.me();
  if (me.open) return;
  host.append(h("form", { method: "post", action: "/logout", class: "signed-in" }, h("span", { class: "muted" }, me.name), h("button", { class: "button small quiet" }, t("signOut"))));
}

/** Says things to screen readers: `polite` waits its turn, `assertive` interrupts. */
export function announcer() {
  const polite = h("div", { class: "sr-only", "aria-live": "polite", role: "status" });
  const assertive = h("div", { class: "sr-only", "aria-live": "assertive", role: "alert" });
  document.body.append(polite, assertive);
  return { polite: (text) => setText(polite, text), assertive: (text) => setText(assertive, text) };
}

/** The dialog with the page's keys; returns its opener. */
export function keysHelp(page) {
  const close = h("button", { class: "button", type: "button" }, t("close"));
  const rows = KEYS[page].map(([keys, what]) => h("tr", {}, h("th", { scope: "row" }, ...keys.split(" ").map((key) => h("kbd", {}, key))), h("td", {}, what)));
  const dialog = h("dialog", { class: "dialog", "aria-label": t("keys") }, h("h2", {}, t("keys")), h("table", {}, h("tbody", {}, ...rows)), h("p", { class: "muted" }, t("notice")), close);
  close.addEventListener("click", () => dialog.close());
  document.body.append(dialog);
  return () => (dialog.open ? dialog.close() : dialog.showModal());
}

/** Single-key commands; typing in a field or holding a modifier is left alone. `handlers[key]()` may return false to pass. */
export function onKeys(handlers) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    const typing = event.target.closest?.("input, textarea, select") ?? null;
    const handler = handlers[event.key];
    if (handler === undefined || (typing !== null && event.key !== "Escape")) return;
    if ((event.key === "Enter" || event.key === " ") && event.target.closest("button, a, summary")) return;
    if (document.querySelector("dialog[open]") !== null && event.key !== "?") return;
    if (handler(event) !== false) event.preventDefault();
  });
}

/** What the address's hash says, as an object; and the reverse, without a new entry in the history. */
export function readHash() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

export function writeHash(values) {
  const kept = Object.entries(values).filter(([, value]) => value !== null && value !== "" && value !== false && value !== undefined);
  const hash = new URLSearchParams(kept.map(([key, value]) => [key, String(value)])).toString();
  history.replaceState(null, "", hash === "" ? location.pathname + location.search : `#${hash}`);
}

/** The points as a table, for those who cannot see the curve; built when it is opened. */
export function pointsTable(details, record, onPick) {
  const body = h("tbody", {});
  details.replaceChildren(h("summary", {}, t("pointsTable")), h("div", { class: "table-scroll" }, h("table", { class: "points" },
    h("thead", {}, h("tr", {}, ...["time", "tension", "risk", "stage"].map((key) => h("th", { scope: "col" }, t(key))))), body)));
  details.addEventListener("toggle", () => details.open && fillPoints(body, record(), onPick));
  return () => details.open && fillPoints(body, record(), onPick);
}

function fillPoints(body, record, onPick) {
  const points = record?.points ?? [];
  while (body.children.length > points.length) body.lastElementChild.remove();
  points.forEach((point, index) => {
    const cells = [clock(point.at_s), String(Math.round(point.tension * 100)), String(Math.round(point.risk * 100)), point.stage];
    const row = body.children[index] ?? body.appendChild(h("tr", {}, h("td", {}, h("button", { class: "link", type: "button", onclick: () => onPick(index) })), h("td", {}), h("td", {}), h("td", {})));
    cells.forEach((text, column) => setText(column === 0 ? row.children[0].firstElementChild : row.children[column], text));
  });
}
