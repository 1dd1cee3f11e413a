#!/usr/bin/env python3
"""Check corpus files against the label guide: python3 check_corpus.py FILE.jsonl ... (utterances or calls, told by their keys)."""
import json, re, sys, collections, unicodedata
import os
GUIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "LABELS.md")
guide = open(GUIDE, encoding="utf-8").read()
def section(a, b): return guide.split(a)[1].split(b)[0]
CUES = set(re.findall(r"^\| `(\w+)` \|", section("## 3.", "## 4."), re.M))
MOVES = set(re.findall(r"^\| `(\w+)` \|", section("## 4.", "## 5."), re.M))
FAILING = set(re.findall(r"^\| `(\w+)` \|", section("## 4.", "## 5.").split("| failing |")[1], re.M))
STEPS = set(re.findall(r"`(m\d\d_\w+)`", section("## 5.", "## 6.")))
EMO = {"anger", "disgust", "fear", "sadness", "surprise", "joy"}
BY_ROLE = {"customer": CUES, "agent": MOVES, "manager": STEPS | FAILING}
bad = 0
def err(where, msg):
    global bad; bad += 1
    if bad < 60: print(where, msg)
def turn(where, d, utt):
    role = d.get("role")
    if role not in BY_ROLE: return err(where, f"role {role!r}")
    if not isinstance(d.get("text"), str) or not d["text"].strip(): return err(where, "no text")
    labels = d.get("labels")
    if not isinstance(labels, list): return err(where, "labels must be a list")
    for l in labels:
        if l not in BY_ROLE[role]: err(where, f"label {l!r} is not a {role} label")
    if role == "customer":
        if not isinstance(d.get("emotions"), list) or set(d["emotions"]) - EMO: err(where, "emotions")
        if d.get("heat") not in (0, 1, 2, 3, 4): err(where, "heat 0-4 missing")
    elif "heat" in d or "emotions" in d: err(where, "heat/emotions only on customer turns")
for path in sys.argv[1:]:
    seen = collections.Counter(); labels = collections.Counter(); emo = collections.Counter(); heat = collections.Counter(); roles = collections.Counter(); outcomes = collections.Counter(); n = turns = 0; lens = []
    for i, line in enumerate(open(path, encoding="utf-8"), 1):
        if not line.strip(): continue
        where = f"{path}:{i}"
        try: d = json.loads(line)
        except ValueError as e: err(where, f"not JSON: {e}"); continue
        n += 1
        items = d["turns"] if "turns" in d else [d]
        if "turns" in d:
            outcomes[d.get("outcome")] += 1
            if d.get("outcome") not in ("resolved", "unresolved", "escalated", "abandoned"): err(where, "outcome")
            if d.get("escalation_type") not in ("technical", "supervisor", "department", "management", None, "none"): err(where, "escalation_type")
            ts = [t.get("t") for t in items]
            if any(not isinstance(t, (int, float)) for t in ts) or ts != sorted(ts): err(where, "t must rise")
            et = d.get("escalation_turn")
            if et is not None and not (isinstance(et, int) and 0 <= et < len(items)): err(where, "escalation_turn")
        for j, t in enumerate(items):
            turns += 1; turn(f"{where}[{j}]", t, "turns" not in d)
            roles[t.get("role")] += 1; labels.update(t.get("labels") or ["(none)"]); lens.append(len(t.get("text", "")))
            if t.get("role") == "customer": emo.update(t.get("emotions") or ["neutral"]); heat[t.get("heat")] += 1
            key = re.sub(r"\W+", "", unicodedata.normalize("NFKC", t.get("text", "")).lower())
            seen[key] += 1
    dup = [k for k, v in seen.items() if v > 1 and len(k) > 12]
    print(f"{path}: {n} rows, {turns} turns, roles {dict(roles)}, chars median {sorted(lens)[len(lens)//2] if lens else 0}, duplicates {len(dup)}, outcomes {dict(outcomes)}")
    print("  heat", dict(sorted(heat.items())), " emotions", dict(emo.most_common()))
    known = CUES | MOVES | STEPS
    print("  labels", dict(labels.most_common())); print("  labels with none:", sorted(l for l in known if not labels[l]))
print("problems:", bad); sys.exit(1 if bad else 0)
