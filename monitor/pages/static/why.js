// Why the tension is what it is at one point: its named contributions, largest first, each leading to its turn.

import { clock, score, signed } from "./format.js";
import { fill, h } from "./dom.js";
import { t, termWords, words } from "./strings.js";

const MOST_ROWS = 9;

/** Fills `host` for `point` (null: nothing yet). `turnOf(segmentId)` finds the turn, `onPick(turn)` is told of a choice. */
export function showWhy(host, point, turnOf, onPick) {
  if (point === null) {
    host.replaceChildren(h("p", { class: "muted" }, t("noTurns")));
    return;
  }
  const terms = [...point.contributions].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const sum = point.contributions.reduce((total, term) => total + term.value, 0);
  const widest = Math.max(0.05, ...terms.map((term) => Math.abs(term.value)));
  fill(
    host,
    h("p", { class: "why-sum" }, h("strong", {}, t("sum", { value: score(point.tension) })), h("span", { class: "muted" }, " ", t("atTime", { time: clock(point.at_s) })),
      Math.abs(sum - point.tension) > 0.005 ? h("span", { class: "muted" }, ", ", t("clipped", { value: signed(sum) })) : null),
    point.degraded ? h("p", { class: "turn-note" }, t("degraded", { why: words("abstained", point.degraded) })) : null,
    terms.length === 0 ? h("p", { class: "muted" }, t("nothingAdds")) : h("ol", { class: "terms" }, ...shown(terms).map((term) => row(term, widest, turnOf, onPick))),
  );
}

/** The largest terms; the small rest is one line, so that the list still adds up. */
function shown(terms) {
  if (terms.length <= MOST_ROWS) return terms;
  const rest = terms.slice(MOST_ROWS - 1);
  return [...terms.slice(0, MOST_ROWS - 1), { name: `${rest.length} smaller ones`, value: rest.reduce((sum, term) => sum + term.value, 0) }];
}

function row(term, widest, turnOf, onPick) {
  const turn = term.segment_id === undefined ? undefined : turnOf(term.segment_id);
  const bar = h("span", { class: term.value < 0 ? "term-bar down" : "term-bar up" });
  bar.style.setProperty("--share", String(Math.abs(term.value) / widest));
  const name = h("span", { class: "term-name" }, termWords(term.name));
  const when = turn === undefined ? null : h("span", { class: "muted" }, clock(turn.start_s ?? turn.at_s), " ", h("span", { lang: turn.language }, turn.text));
  const line = [h("span", { class: "term-what" }, name, when), h("span", { class: "term-track", "aria-hidden": "true" }, bar), h("span", { class: "term-value num" }, signed(term.value))];
  if (turn === undefined) return h("li", { class: "term" }, ...line);
  return h("li", {}, h("button", { class: "term plain", type: "button", onclick: () => onPick(turn) }, ...line));
}
