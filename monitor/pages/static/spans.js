// Character spans of labels -> pieces of text to show. Pure. Spans count Unicode code points, JavaScript UTF-16 units.

const URGENT = new Set(["threat_complaint", "threat_regulator", "threat_media", "threat_legal", "self_harm", "threat_violence",
  "emergency", "ask_superior"]);
const HELPFUL = new Set(["cooperates", "eased", "listen", "empathise", "reassure", "own", "clarify", "restate", "solve",
  "alternatives", "customer_view", "lead_back", "set_expectation", "hold_boundary", "appreciate", "promise_inquiry",
  "announce_escalation", "warm_transfer"]);

const WORDINGS = new Set(["stock_apology", "confront", "taboo", "disbelieve", "deflect", "defend", "judge", "helpless", "hesitate",
  "rush_close", "overpromise", "cold_transfer", "procedure_only", "miss_emotion"]);

/** `urgent` (must reach someone), `helpful`, `cue` (of the customer) or `move` (wording that did not help; shown quietly). */
export function tone(label) {
  if (URGENT.has(label)) return "urgent";
  if (WORDINGS.has(label)) return "move";
  return HELPFUL.has(label) || /^m\d\d_/.test(label) ? "helpful" : "cue";
}

/** `[{text, labels}]` that joined give `text`; `labels` names those whose span covers the piece. Overlaps are split. */
export function pieces(text, labels) {
  const chars = Array.from(text);
  const spans = labels.filter((l) => l.start !== undefined && l.end !== undefined && l.start < l.end && l.end <= chars.length);
  if (spans.length === 0) return [{ text, labels: [] }];
  const cuts = [...new Set([0, chars.length, ...spans.flatMap((l) => [l.start, l.end])])].sort((a, b) => a - b);
  const found = [];
  for (let i = 0; i + 1 < cuts.length; i++) {
    const [from, to] = [cuts[i], cuts[i + 1]];
    const names = spans.filter((l) => l.start <= from && l.end >= to).map((l) => l.name);
    found.push({ text: chars.slice(from, to).join(""), labels: [...new Set(names)] });
  }
  return found;
}

/** The gravest tone among label names. */
export function gravest(labels) {
  const tones = labels.map(tone);
  return ["urgent", "cue", "helpful", "move"].find((name) => tones.includes(name));
}
