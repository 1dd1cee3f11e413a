"""A few short labelled calls, and scores of a perfect ear for them."""

from __future__ import annotations

from models.types import Score
from monitor.labelled_calls import LabelledCall, LabelledTurn, gold_scores


def call(call_id: str, outcome: str, *turns: LabelledTurn, due: int | None = None, lang: str = "en") -> LabelledCall:
    return LabelledCall(call_id, lang, "voice", outcome, list(turns), due)


def customer(t: float, text: str, heat: int, *labels: str) -> LabelledTurn:
    return LabelledTurn(t, "customer", text, ["anger"] if heat >= 2 else [], heat, list(labels))


def agent(t: float, text: str, *labels: str) -> LabelledTurn:
    return LabelledTurn(t, "agent", text, labels=list(labels))


BAD = call(
    "bad",
    "escalated",
    customer(0, "This is the third time that I am calling you about this bill", 2, "repeat_contact"),
    agent(10, "I need your customer number first, please", "procedure_only"),
    customer(20, "I gave you that number twice already, are you deaf or what", 3, "insult"),
    agent(30, "There is nothing I can do about it from here", "helpless"),
    customer(40, "Unbelievable, you useless people, I have had enough of you all", 4, "insult"),
    agent(50, "As I said, there is nothing I can do", "helpless"),
    customer(60, "Then let me speak to your manager right now", 3, "ask_superior"),
    due=2,
)
"""Two turns at heat 3 or more in a row fire a risk alert on turn 4 whatever the risk; the wish comes on turn 6."""
QUIET = call(
    "quiet",
    "resolved",
    customer(0, "Good morning, I would like to change the address on my account", 0),
    agent(10, "Of course, I have changed it for you now", "solve"),
    customer(20, "Wonderful, that was quick, thank you very much for that", 0, "eased"),
)
WATCHED = call(
    "watched",
    "resolved",
    customer(0, "If this is not settled today I will report you to the ombudsman", 3, "threat_regulator"),
    agent(10, "I am sorry that we booked it twice; I have paid it back just now", "own", "solve"),
    customer(20, "All right, that helps, thank you for sorting it out", 0, "eased", "cooperates"),
    due=0,
)
CALLS = (BAD, QUIET, WATCHED)
SCORES: dict[tuple[str, int], Score] = {key: score for one in CALLS for key, score in gold_scores(one).items()}
