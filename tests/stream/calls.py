"""Strategies: tidy calls, and the orders in which a network may deliver them."""

import uuid
from collections.abc import Callable

import msgspec
from hypothesis import strategies as st

from stream.messages import (
    CallEnd,
    CallHold,
    CallResume,
    CallStart,
    CallTransfer,
    Message,
    Transcript,
    TransferTo,
)

WINDOW_S = 1.0
Name = Callable[[int], str]

NAMINGS: dict[str, Name] = {
    "numbers": str,
    "prefixed": lambda n: f"call-7/seg-{n}",
    "padded": lambda n: f"s{n:04d}",
    "uuids": lambda n: str(uuid.uuid5(uuid.NAMESPACE_URL, str(n))),
}


def time_of(message: Message) -> float:
    """The call time that decides how far a message may lag."""
    if isinstance(message, CallStart):
        return 0.0
    return message.time_s if isinstance(message, Transcript) else message.at_s


@st.composite
def tidy_calls(
    draw: st.DrawFn, name: Name, call_id: str = "c", fragments: bool = False, missing: bool = False
) -> list[Message]:
    """A call in its tidy order: start (perhaps), finals with rising times, marks, end (perhaps).

    `missing`: some numbers of the sequence never come.
    """
    texts = st.sampled_from(["yes", "yes", "no.", "I waited", "太慢了", "等了三天。", " ", "Nein!", "tko?"])
    messages: list[Message] = []
    at_s, number = 0.0, 0
    for _ in range(draw(st.integers(1, 12))):
        start_s = at_s + draw(st.sampled_from([0.1, 0.3, 0.6, 1.0, 1.5, 4.0]))
        at_s = start_s + draw(st.sampled_from([0.0, 0.2, 0.5, 2.0]))
        if missing and draw(st.booleans()):
            number += draw(st.integers(1, 3))
        segment_id, number = name(number), number + 1
        messages.append(
            Transcript(
                call_id,
                segment_id,
                draw(st.sampled_from(["customer", "agent"])),
                draw(texts),
                True,
                round(start_s, 3),
                None if at_s == start_s else round(at_s, 3),
                language=draw(st.sampled_from([None, "en"])),
                confidence=draw(st.sampled_from([None, 0.25, 0.75])),
                end_of_turn=draw(st.sampled_from([None, False, True])) if fragments else None,
            )
        )
        if draw(st.integers(0, 4)) == 0:
            mark_s = round(at_s + draw(st.sampled_from([0.0, 0.05, 0.4])), 3)
            marks = [CallHold(call_id, mark_s), CallResume(call_id, mark_s)]
            messages.append(draw(st.sampled_from([*marks, CallTransfer(call_id, mark_s, TransferTo("billing"))])))
    messages.sort(key=time_of)
    if draw(st.booleans()):
        messages.append(CallEnd(call_id, round(at_s + draw(st.sampled_from([0.0, 0.3, 5.0])), 3), "hangup"))
    if draw(st.booleans()):
        messages.insert(0, CallStart(call_id, language="en"))
    return messages


@st.composite
def in_window(draw: st.DrawFn, tidy: list[Message]) -> list[Message]:
    """The same messages; none comes after one that is `WINDOW_S` or more later than itself."""
    left, out = list(tidy), []
    while left:
        limit_s = min(time_of(message) for message in left) + WINDOW_S
        allowed = [i for i, message in enumerate(left) if time_of(message) < limit_s]
        out.append(left.pop(draw(st.sampled_from(allowed))))
    return out


@st.composite
def noisy(draw: st.DrawFn, messages: list[Message]) -> list[Message]:
    """The same messages with repeats (some reworded) after, and interims anywhere."""
    out = list(messages)
    for message in messages:
        for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
            again = message
            if isinstance(message, Transcript):
                again = draw(st.sampled_from([message, msgspec.structs.replace(message, text="reworded")]))
            out.insert(draw(st.integers(out.index(message) + 1, len(out))), again)
        if isinstance(message, Transcript) and draw(st.booleans()):
            interim = msgspec.structs.replace(message, final=False, text="an interim", end_s=message.time_s + 50.0)
            out.insert(draw(st.integers(0, len(out))), interim)
    return out
