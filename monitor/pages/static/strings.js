// Every word the pages show, in one place. Names of labels, kinds and stages are those of the label guide.

const TEXT = {
  supervisor: "Supervisor", qa: "Replay", agent: "Agent",
  calls: "Calls", alerts: "Alerts", transcript: "Transcript", why: "Why", curve: "Tension", notes: "Notes",
  filter: "Filter by agent, team, queue or call", allTeams: "All teams", allLanguages: "All languages",
  onlyAlerts: "Only open alerts", keys: "Keys", close: "Close",
  order: "Sorted by risk", orderHeld: "order held", orderHelp: "Calls with an unanswered critical alert first, then by risk",
  liveCalls: "{n} live", hotCalls: "{n} hot", openAlerts: "{n} to answer", shownOf: "{n} of {total}",
  connecting: "Connecting", live: "Live", stale: "No news for a while", disconnected: "Disconnected",
  retryIn: "Disconnected · next try in {s} s", retryNow: "Try now",
  staleHelp: "The service has not been heard for {s} s. What you see may be old.",
  disconnectedHelp: "The service cannot be reached. What you see was true at {time}. Becalm keeps trying.",
  droppedHelp: "This page was too slow and skipped {n} points. No alert was lost.",
  noCalls: "No live calls", noCallsHelp: "Calls appear here as soon as one starts.",
  noMatch: "No call matches", noMatchHelp: "Clear the filter to see all calls.", clearFilter: "Clear filter",
  noAlerts: "Nothing to answer", noAlertsHelp: "An alert appears here with its reason and the words that caused it.",
  pickCall: "Choose a call", pickCallHelp: "Press j and k to move, Enter to open.",
  loading: "Loading", loadFailed: "This could not be loaded: {why}", retry: "Try again",
  noTurns: "Nothing has been said yet", answered: "Answered and closed", openCall: "Open call",
  unknownAgent: "No agent", unknown: "unknown", team: "Team", queue: "Queue", customer: "Customer", channel: "Channel",
  language: "Language", time: "Time", tension: "Tension", risk: "Risk", stage: "Stage", call: "Call",
  rising: "rising", risingFast: "rising fast", falling: "falling", fallingFast: "falling fast", steady: "steady",
  ack: "Acknowledge", snooze: "Snooze 5 min", resolve: "Resolve", falseAlarm: "False alarm",
  falseMarked: "Marked as a false alarm", falseBy: "Marked as a false alarm by {by}",
  ackedBy: "Acknowledged by {by}", acked: "Acknowledged", snoozedBy: "Snoozed by {by}", snoozed: "Snoozed",
  resolvedBy: "Resolved by {by}", resolved: "Resolved", claimedBy: "Claimed by {by}", notAnswered: "Not answered yet",
  updatedTimes: "updated {n}×", actionFailed: "That did not work: {why}",
  newCritical: "New critical alert. {kind}, agent {agent}. {reason}", newAlert: "New alert. {kind}, agent {agent}.",
  sum: "Tension {value}", clipped: "clipped from {value}", nothingAdds: "Nothing has added to the tension.",
  degraded: "This point knows less than it should: {why}", followLive: "Follow live", atTime: "at {time}",
  latest: "latest", abstained: "Nothing was concluded from this turn: {why}", interim: "speaking",
  heat: "Heat {n} of 4", pointsTable: "Points as a table", because: "The customer: {what}",
  suggestion: "Fits: {type}, tier {tier}", wants: "Seems to want {what}.", interrupted: "spoken into the customer's words", notice: "Wording and timing only. Becalm does not rate agents.",
  curveLabel: "Tension over the call, {n} points, now {value}, {band}. Left and right arrow keys move the selected point.",
  legendTension: "tension", legendRisk: "risk", legendAlert: "alert", legendPivot: "turning point",
  // agent page
  listening: "Listening", agentIdle: "No call right now", agentIdleHelp: "A hint appears here when it may help.",
  noPrompt: "Nothing to add", used: "Used it", dismiss: "Not now", onCall: "{channel} · {time}",
  stageWords_vent: "The customer is letting it out. Room to talk helps most.",
  stageWords_disarm: "It is getting easier. Small, concrete steps help now.",
  stageWords_calm: "The conversation is calm.", onHold: "On hold",
  agentPrivacy: "Only you see this page. Hints are about the conversation, not about you.",
  // replay page
  recorded: "Recorded calls", search: "Search what was said",
  searchHelp: "Also agent:a-4 team:billing label:churn language:hr peak:65", latestPoint: "Latest point", drop: "Open file",
  noRecorded: "No recorded calls yet",
  noRecordedHelp: "Calls are listed here once they have begun. You can also open a file.", play: "Play", pause: "Pause", speed: "Speed",
  position: "Position in the call", nextMark: "Next alert or turning point", prevMark: "Previous alert or turning point", times: "{n}×", ofTime: "{at} / {end}",
  pickRecording: "Choose a call or open a file", pickRecordingHelp: "It plays back what was known at each moment, exactly as live. A .jsonl file can be dropped anywhere on this page.",
  fileName: "File: {name}", fileBad: "{name} could not be read: {why}", fileEmpty: "it holds no call", goTo: "Go there", peak: "peak {n}", alertsCount: "{n} alerts",
  alertCount1: "1 alert", noAlertsYet: "No alert up to this moment", signedIn: "{name}", signOut: "Sign out", addNote: "Add a note", saveNote: "Save note",
  noteAt: "Note at {time}", noNotes: "No notes yet", notesNotKept: "Notes belong to recorded calls. Files you open are not stored.",
  severalCalls: "This file holds {n} calls", outcome: "Outcome", more: "Show more", ended: "ended", inProgress: "in progress",
  // login
  signIn: "Sign in", token: "Access token", tokenHelp: "Your operator makes one with: becalm token",
  tokenWrong: "This token is not valid.", productLine: "Becalm",
};

export function t(key, values = {}) {
  const text = TEXT[key];
  if (text === undefined) throw new Error(`no text named ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** Fills `data-t` (text) and `data-t-label` (aria-label and tooltip) in the page's own markup. */
export function fillStrings(root) {
  for (const node of root.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of root.querySelectorAll("[data-t-label]")) {
    node.setAttribute("aria-label", t(node.dataset.tLabel));
    if (node.matches("input")) node.placeholder = t(node.dataset.tLabel);
    else node.title = t(node.dataset.tLabel);
  }
}

const WORDS = {
  kind: {
    risk: "Risk of escalation", must_report: "Must be reported", safety: "Safety", escalation_request: "Asks for a superior",
    relapse: "Heating up again", agent_conduct: "Conversation needs help", silence: "Long silence",
    unsatisfied_close: "Ended unsatisfied",
  },
  severity: { info: "Info", warning: "Warning", critical: "Critical" },
  stage: { vent: "Venting", disarm: "Softening", calm: "Calm" },
  band: { calm: "calm", tense: "tense", hot: "hot", unknown: "not known" },
  pivot: { intensified: "Heats up", eased: "Eases", relapse: "Heats up again" },
  role: { customer: "Customer", agent: "Agent", manager: "Manager", bot: "Bot", unknown: "Speaker" },
  channel: { voice: "Call", chat: "Chat", email: "E-mail", social: "Social", portal: "Portal" },
  escalation: { technical: "technical help", supervisor: "a supervisor", department: "another department", management: "management" },
  want: {
    safety: "help at once", someone_in_charge: "someone in charge", consequences: "consequences", compensation: "compensation", a_reason: "a reason",
    to_leave: "to leave", speed: "speed", a_fix_that_lasts: "a fix that lasts", to_be_heard: "to be heard",
  },
  label: {
    threat_complaint: "threatens a complaint", threat_regulator: "names a regulator", threat_media: "threatens publicity",
    threat_legal: "threatens legal steps", self_harm: "may be in danger", threat_violence: "threatens violence",
    emergency: "danger now", ask_superior: "asks for a superior", churn: "may leave", insult: "insult", urgency: "presses for now",
    repeat_contact: "has contacted before", repetition: "says it again", bounced: "was sent around", exaggeration: "exaggerates",
    avoidance: "does not answer", compensation_demand: "presses for compensation", extreme_demand: "extreme demand",
    insists_reason: "insists on a reason", prior_doubt: "earlier distrust", grievance: "feels wronged", hardship: "hardship",
    loyalty: "long-standing customer", resigned: "gives up", sarcasm: "sarcasm", blocked: "solution fell through",
    heat: "upset", interruption: "was not done speaking", silence: "waiting in silence", cool_down: "the call is over", cooperates: "cooperates", eased: "eases", m01_introduce: "introduces", m02_empathise: "empathises",
    m03_confirm_issue: "confirms the issue", m04_explain_process: "explains the process", m05_ask_details: "asks for details",
    m06_set_expectation: "sets expectations", m07_reassure_apologise: "reassures", m08_confirm_contact: "confirms contact",
    m09_thank: "thanks", m10_wrap_up: "sums up", m11_document: "documents", m12_reference_number: "reference number",
    m13_gratitude: "thanks for patience", m14_next_steps: "next steps", m15_closing: "asks for anything else", m16_farewell: "parts",
  },
  term: {
    heat: "heat of the turn", sarcasm: "sarcasm", earlier: "earlier in the call", calmer: "calmer words",
    solution_accepted: "a solution was accepted", eased: "eases", cooperates: "cooperates",
  },
  origin: { credit: "helped: {name}", charge: "not well received: {name}" },
  abstained: {
    too_little_text: "too little text", low_confidence: "the transcription is uncertain", unsupported_language: "this language is not supported",
    unknown_language: "no language to be recognised",
  },
};

/** The words for a name of the contract; a name not listed is shown as it stands, underscores as spaces. */
export function words(group, name) {
  if (name === null || name === undefined || name === "") return t("unknown");
  return WORDS[group]?.[name] ?? String(name).replaceAll("_", " ").replaceAll(":", ": ");
}

/** A contribution's name in words: `heat`, or a label behind `cue:`, `credit:` or `charge:`. */
export function termWords(term) {
  const [origin, label] = term.split(":");
  if (label === undefined) return WORDS.term[term] ?? words("label", term);
  return (WORDS.origin[origin] ?? "{name}").replace("{name}", words("label", label));
}

export const KEYS = {
  supervisor: [["j k", "next, previous call"], ["Enter", "open the call"], ["a", "acknowledge"], ["s", "snooze for 5 minutes"],
    ["/", "filter"], ["Esc", "leave the filter, back to the list"], ["?", "this help"]],
  qa: [["Space", "play or pause"], ["← →", "5 seconds back, on"], ["n p", "next, previous alert or turning point"],
    ["< >", "slower, faster"], ["/", "search"], ["?", "this help"]],
  agent: [["u", "used it"], ["d", "not now"]],
};
