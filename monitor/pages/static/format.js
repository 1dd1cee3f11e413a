// Pure formatting: numbers, times, bands, languages. No DOM.

export const TENSE_FROM = 0.35;
export const HOT_FROM = 0.65;

/** `calm`, `tense`, `hot`, or `unknown` where there is no number. */
export function band(tension) {
  if (tension === null || tension === undefined) return "unknown";
  if (tension < TENSE_FROM) return "calm";
  return tension < HOT_FROM ? "tense" : "hot";
}

/** A ratio as a whole number from 0 to 100; a dash where there is none. */
export function score(ratio) {
  return ratio === null || ratio === undefined ? "–" : String(Math.round(ratio * 100));
}

/** A signed contribution on the same 0 to 100 scale, with a true minus sign; small ones with a decimal. */
export function signed(value) {
  const size = Math.abs(value * 100);
  const text = size < 0.95 ? size.toFixed(1) : String(Math.round(size));
  return value === 0 ? "0" : `${value > 0 ? "+" : "−"}${text}`;
}

/** Seconds since the call's start as `m:ss` or `h:mm:ss`. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const s = String(whole % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${s}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${s}`;
}

export function wallTime(when) {
  return new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(when));
}

/** The time of day for today, with the day for other days. */
export function wallDate(when) {
  const today = new Date().toDateString() === new Date(when).toDateString();
  if (today) return new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" }).format(new Date(when));
  return new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).format(new Date(when));
}

const names = typeof Intl.DisplayNames === "function" ? new Intl.DisplayNames(["en"], { type: "language" }) : null;

/** A language code as a person reads it: `hr` -> Croatian, `zh-Hans` -> Simplified Chinese; the code itself where unknown. */
export function languageName(code) {
  if (code === null || code === undefined || code === "") return "–";
  try {
    return names?.of(code) ?? code;
  } catch (error) {
    if (error instanceof RangeError) return code;
    throw error;
  }
}

/** Short form for tight places: `HR`, `ZH-HANS`. */
export function languageTag(code) {
  return code === null || code === undefined || code === "" ? "–" : code.toUpperCase();
}

/** Change of tension over the last minute of call time, from points `[at_s, tension, ...]`; null with fewer than two. */
export function slope(points, window_s = 60) {
  if (points.length < 2) return null;
  const [lastAt, last] = points.at(-1);
  let first = points.at(-2);
  for (let i = points.length - 2; i >= 0 && lastAt - points[i][0] <= window_s; i--) first = points[i];
  return last - first[1];
}

/** Arrow and the key of its words for a slope. */
export function trend(change) {
  if (change === null) return { arrow: "", key: "steady" };
  if (change >= 0.2) return { arrow: "↑", key: "risingFast" };
  if (change >= 0.05) return { arrow: "↗", key: "rising" };
  if (change <= -0.2) return { arrow: "↓", key: "fallingFast" };
  if (change <= -0.05) return { arrow: "↘", key: "falling" };
  return { arrow: "→", key: "steady" };
}
