"""Whatever the network does to a call, the same utterances come out."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.assembler import Assembler, AssemblerSettings, Output, Utterance
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
from tests.stream.calls import NAMINGS, in_window, noisy, tidy_calls, time_of

names = st.sampled_from(list(NAMINGS.values()))


def run(messages: list[Message], fragments: bool = False) -> list[Output]:
    """All outputs of a recorded call."""
    assembler = Assembler(source_fragments=fragments)
    out = [output for message in messages for output in assembler.feed(message)]
    return out + assembler.close()


def final(
    segment_id: str, start_s: float, end_s: float | None = None, text: str = "words", **more: object
) -> Transcript:
    return Transcript("c", segment_id, more.pop("role", "customer"), text, True, start_s, end_s, **more)  # type: ignore[arg-type]


def texts(outputs: list[Output]) -> list[str]:
    return [output.text for output in outputs if isinstance(output, Utterance)]


def kinds(outputs: list[Output]) -> list[str]:
    return [output.text if isinstance(output, Utterance) else type(output).__name__ for output in outputs]


# The order


@settings(max_examples=200)
@given(st.data(), names, st.booleans(), st.booleans())
def test_any_order_inside_the_window_with_repeats_and_interims_gives_what_the_tidy_order_gives(
    data: st.DataObject, name: object, fragments: bool, missing: bool
) -> None:
    tidy = data.draw(tidy_calls(name, fragments=fragments, missing=missing))  # type: ignore[arg-type]
    shuffled = data.draw(in_window(tidy))
    assert run(data.draw(noisy(shuffled)), fragments) == run(tidy, fragments)


@settings(max_examples=200)
@given(st.data(), names)
def test_the_tidy_order_itself_comes_out_as_it_stands(data: st.DataObject, name: object) -> None:
    tidy = data.draw(tidy_calls(name))  # type: ignore[arg-type]
    spoken = [m.text.strip() for m in tidy if isinstance(m, Transcript) and m.text.strip()]
    outputs = run(data.draw(in_window(tidy)))
    assert texts(outputs) == spoken
    assert isinstance(outputs[0], CallStart)
    assert [type(o) for o in outputs if isinstance(o, CallEnd)] == [type(m) for m in tidy if isinstance(m, CallEnd)]
    marks = [o for o in outputs if isinstance(o, CallHold | CallResume)]
    assert Counter(marks) == Counter({m for m in tidy if isinstance(m, CallHold | CallResume)})


@settings(max_examples=200)
@given(st.data(), names)
def test_the_clock_changes_nothing_while_messages_are_no_later_than_the_window(
    data: st.DataObject, name: object
) -> None:
    tidy = data.draw(tidy_calls(name))  # type: ignore[arg-type]
    assembler, out = Assembler(), []
    left = data.draw(in_window(tidy))
    while left:
        limit_s = min(time_of(message) for message in left) + 1.0
        out += assembler.advance(limit_s - data.draw(st.sampled_from([0.01, 0.5])))
        out += assembler.feed(left.pop(0))
    assert out + assembler.close() == run(tidy)


@settings(max_examples=100)
@given(st.data())
def test_calls_may_interleave_in_any_way(data: st.DataObject) -> None:
    calls = {call_id: data.draw(tidy_calls(NAMINGS["numbers"], call_id)) for call_id in "abc"}
    order = data.draw(st.permutations([call_id for call_id, messages in calls.items() for _ in messages]))
    assemblers = {call_id: Assembler() for call_id in calls}
    out: dict[str, list[Output]] = {call_id: [] for call_id in calls}
    rest = {call_id: iter(messages) for call_id, messages in calls.items()}
    for call_id in order:
        out[call_id] += assemblers[call_id].feed(next(rest[call_id]))
    assert {call_id: out[call_id] + assemblers[call_id].close() for call_id in calls} == {
        call_id: run(messages) for call_id, messages in calls.items()
    }


@settings(max_examples=150)
@given(st.data(), names, st.booleans())
def test_nothing_is_lost_or_doubled_in_any_order_at_all(data: st.DataObject, name: object, fragments: bool) -> None:
    tidy = data.draw(tidy_calls(name, fragments=fragments, missing=True))  # type: ignore[arg-type]
    shuffled = data.draw(st.permutations(tidy))
    outputs = run(data.draw(noisy(shuffled)), fragments)
    segments = Counter(s for o in outputs if isinstance(o, Utterance) for s in o.segments)
    assert segments == Counter(m.segment_id for m in tidy if isinstance(m, Transcript) and m.text.strip())
    marks = Counter(o for o in outputs if isinstance(o, CallHold | CallResume))
    assert marks == Counter({m for m in tidy if isinstance(m, CallHold | CallResume)})
    assert [o for o in outputs if isinstance(o, CallEnd)] == [m for m in tidy if isinstance(m, CallEnd)]
    assert len([o for o in outputs if isinstance(o, CallStart)]) == 1


@pytest.mark.parametrize("name", NAMINGS.values(), ids=NAMINGS.keys())
def test_as21_chunk_3_before_2_and_twice_with_partials_gives_the_clean_call(name: object) -> None:
    said = [
        (0, "I have been waiting for two hours."),
        (6, "Let me check that for you."),
        (10, "This is unacceptable."),
    ]
    said += [(16, "yes"), (20, "yes")]
    clean: list[Message] = [final(name(i), t, text=text) for i, (t, text) in enumerate(said)]  # type: ignore[operator]
    partial = Transcript("c", name(2), "customer", "This is", False, 10.0)  # type: ignore[operator]
    faulty = [clean[0], partial, clean[2], clean[1], clean[2], partial, *clean[3:], *clean[2:]]
    assert texts(run(faulty)) == [text for _, text in said]
    assert run(faulty) == run(clean)


def test_a_tidy_numbered_call_waits_for_nothing() -> None:
    assembler = Assembler()
    assert kinds(assembler.feed(CallStart("c"))) == ["CallStart"]
    for n in range(5):
        assert kinds(assembler.feed(final(str(n), n * 4.0, n * 4.0 + 3, text=str(n)))) == [str(n)]
    assert assembler.next_deadline == 19.0 + AssemblerSettings().idle_timeout_s


def test_a_call_counted_from_1_waits_once_unless_it_starts_with_the_call_or_the_setting_says_so() -> None:
    for message, options, prompt in [
        (final("1", 2.0, 4.0), {}, False),
        (final("1", 0.0, 4.0), {}, True),
        (final("1", 2.0, 4.0), {"first_segment": 1}, True),
    ]:
        assembler = Assembler(AssemblerSettings(**options))
        assembler.feed(CallStart("c"))
        assert bool(assembler.feed(message)) is prompt
        assert bool(assembler.advance(5.0)) is not prompt
        assert kinds(assembler.feed(final("2", 5.0, 6.0, text="at once"))) == ["at once"]


def test_a_gap_waits_for_its_window_and_no_longer_and_the_late_final_still_comes() -> None:
    assembler = Assembler()
    assembler.feed(CallStart("c"))
    assembler.feed(final("0", 1, 2))
    assert assembler.feed(final("2", 5, 6, text="two")) == []
    assert assembler.next_deadline == 7.0
    assert assembler.advance(6.9) == []
    assert kinds(assembler.advance(7.0)) == ["two"]
    assert kinds(assembler.feed(final("3", 7, 7.5, text="three"))) == ["three"]
    assert kinds(assembler.feed(final("1", 3, 4, text="one, late"))) == ["one, late"]
    assert kinds(assembler.feed(final("4", 8, 9, text="four"))) == ["four"]


def test_finals_without_numbers_wait_for_the_window() -> None:
    assembler = Assembler()
    assembler.feed(CallStart("c"))
    assert assembler.feed(final("x1y", 5, 6, text="later")) == []
    assert assembler.feed(final("a9b", 4, 5.5, text="sooner")) == []
    assert assembler.next_deadline == 6.5
    assert kinds(assembler.feed(final("q", 6, 6.5))) == ["sooner"]
    assert kinds(assembler.advance(7.0)) == ["later"]


def test_numbers_that_run_against_the_clock_are_no_order() -> None:
    call: list[Message] = [CallStart("c")]
    for n, segment_id in enumerate(["500", "20", "300", "7", "350", "41"]):
        call.append(final(segment_id, n * 2.0, n * 2.0 + 1, text=segment_id))
    assert texts(run(call)) == ["500", "20", "300", "7", "350", "41"]


def test_a_lower_number_that_begins_after_higher_ones_went_out_ends_the_numbering() -> None:
    assembler = Assembler()
    for message in [CallStart("c"), final("500", 0, 1), final("501", 2, 3)]:
        assembler.feed(message)
    assert assembler.feed(final("20", 4, 5, text="waits, for numbers say nothing now")) == []
    assert assembler.next_deadline == 6.0


def test_a_mark_moves_the_call_on_like_a_final_does() -> None:
    assembler = Assembler()
    assembler.feed(CallStart("c"))
    assembler.feed(final("3", 1, 2, text="after a gap"))
    assert kinds(assembler.feed(CallTransfer("c", 3.0, TransferTo("billing")))) == ["after a gap"]
    assembler.advance(5.0)
    assert assembler.next_deadline == 303.0


def test_overlapping_speech_goes_by_number() -> None:
    call: list[Message] = [CallStart("c"), final("0", 0, 1, text="0")]
    long, short = final("1", 2, 4.0, text="a long turn"), final("2", 3, 3.5, text="mhm", role="agent")
    assert texts(run([*call, short, long])) == texts(run([*call, long, short])) == ["0", "a long turn", "mhm"]


def test_two_turns_with_the_same_words_are_two_turns() -> None:
    assert texts(run([final("0", 0, 1, text="yes"), final("1", 2, 3, text="yes")])) == ["yes", "yes"]


def test_ids_that_differ_in_leading_zeros_are_two_segments() -> None:
    assert sorted(texts(run([final("7", 0, 1, text="a"), final("07", 2, 3, text="b")]))) == ["a", "b"]


def test_no_more_than_max_waiting_finals_wait() -> None:
    assembler = Assembler(AssemblerSettings(max_waiting=10))
    out = [o for n in range(1, 101) for o in assembler.feed(final(str(n), 0.0, 0.0, text=str(n)))]
    assert texts(out) == [str(n) for n in range(1, 101)][: len(texts(out))]
    assert len(texts(out)) >= 90


# Start, marks and end


def test_a_first_final_without_a_start_waits_then_opens_the_call_and_a_later_start_is_ignored() -> None:
    assembler = Assembler()
    assert assembler.feed(final("0", 1, 2)) == []
    assert assembler.advance(3.0) == [CallStart("c"), Utterance(("0",), "customer", "words", 1.0, 2.0)]
    assert assembler.feed(CallStart("c", queue="late")) == []


def test_a_start_inside_the_window_opens_the_call() -> None:
    start = CallStart("c", queue="billing")
    assert run([final("0", 1, 2), start])[0] == start


def test_a_mark_goes_out_with_a_later_final_or_after_the_window() -> None:
    assembler = Assembler()
    assembler.feed(CallStart("c"))
    assembler.feed(final("0", 1, 2))
    assert assembler.feed(CallHold("c", 2.5)) == []
    assert kinds(assembler.feed(final("1", 2, 3.4, text="just before"))) == ["just before"]
    assert kinds(assembler.feed(final("2", 2, 3.5, text="after"))) == ["CallHold", "after"]
    assert assembler.feed(CallResume("c", 5.0)) == []
    assert assembler.next_deadline == 7.0
    assert kinds(assembler.advance(7.0)) == ["CallResume"]


def test_an_end_is_the_last_of_all_even_where_its_time_is_wrong() -> None:
    assembler = Assembler()
    assembler.feed(CallStart("c"))
    assert assembler.feed(CallEnd("c", 0.0)) == []
    assert kinds(assembler.feed(final("0", 10, 12, text="said"))) == ["said"]
    assert assembler.advance(13.9) == []
    assert not assembler.ended
    assert assembler.advance(14.0) == [CallEnd("c", 0.0)]
    assert assembler.ended
    assert assembler.next_deadline is None
    assert assembler.feed(final("1", 13, 14)) == assembler.advance(1e9) == assembler.close() == []


def test_a_silent_call_times_out_once() -> None:
    assembler = Assembler()
    assembler.feed(CallStart("c"))
    assembler.feed(final("0", 1, 2))
    assert assembler.next_deadline == 302.0
    assert assembler.advance(301.9) == []
    assert assembler.advance(302.0) == [CallEnd("c", 302.0, "idle_timeout")]
    assert assembler.ended
    assert assembler.advance(900.0) == []


@pytest.mark.parametrize("channel", ["voice", "chat", "email", "social", "portal"])
def test_threads_of_letters_wait_for_days_and_calls_for_minutes(channel: str) -> None:
    idle_s = 300.0 if channel in ("voice", "chat") else 14 * 86_400.0
    assembler = Assembler()
    assembler.feed(CallStart("c", channel))  # type: ignore[arg-type]
    assembler.feed(final("0", 1, 2))
    assert assembler.next_deadline == 2.0 + idle_s
    assert assembler.advance(1.0 + idle_s) == []
    assert assembler.advance(2.0 + idle_s) == [CallEnd("c", 2.0 + idle_s, "idle_timeout")]


def test_a_call_on_hold_is_not_idle_until_its_source_has_forgotten_it() -> None:
    assembler = Assembler()
    for message in [CallStart("c"), final("0", 1, 2), CallHold("c", 10.0)]:
        assembler.feed(message)
    assert kinds(assembler.advance(2000.0)) == ["CallHold"]
    assert kinds(assembler.feed(final("1", 2000.0, 2001.0, text="still there?"))) == ["still there?"]
    assembler.feed(CallHold("c", 2500.0))
    assert kinds(assembler.feed(CallResume("c", 5000.0))) == ["CallHold"]
    assert kinds(assembler.advance(5002.0)) == ["CallResume"]
    assert assembler.next_deadline == 5300.0
    assembler.feed(CallHold("c", 5100.0))
    assert kinds(assembler.advance(5102.0)) == ["CallHold"]
    assert assembler.next_deadline == 5100.0 + AssemblerSettings().hold_timeout_s
    assert kinds(assembler.advance(1e9)) == ["CallEnd"]


def test_what_waits_goes_out_before_the_time_out_and_an_end_in_waiting_stands_for_it() -> None:
    assembler = Assembler()
    assembler.feed(final("5", 1, 2))
    assert kinds(assembler.advance(1000.0)) == ["CallStart", "words", "CallEnd"]
    assembler = Assembler()
    assembler.feed(final("5", 1, 2))
    assembler.feed(CallEnd("c", 3.0, "hangup"))
    assert assembler.advance(1000.0)[-1] == CallEnd("c", 3.0, "hangup")


def test_a_call_of_interims_alone_leaves_no_trace() -> None:
    assembler = Assembler()
    assembler.feed(Transcript("c", "0", "customer", "hm", False, 1.0))
    assert assembler.advance(300.0) == []
    assert assembler.ended


def test_an_interim_opens_nothing_and_leaves_the_start_to_the_start() -> None:
    assembler = Assembler()
    assert assembler.feed(Transcript("c", "0", "customer", "I hav", False, 1.0)) == []
    assert assembler.feed(CallStart("c", "email")) == [CallStart("c", "email")]
    assert kinds(assembler.feed(final("0", 1, 2, text="I have waited"))) == ["I have waited"]


def test_close_invents_no_end() -> None:
    assert kinds(run([CallStart("c"), final("5", 1, 2), CallHold("c", 3.0)])) == [
        "CallStart",
        "words",
        "CallHold",
    ]
    assert Assembler().close() == []


@settings(max_examples=200)
@given(st.data(), names, st.booleans())
def test_advancing_to_the_next_deadline_always_makes_progress(
    data: st.DataObject, name: object, fragments: bool
) -> None:
    assembler = Assembler(source_fragments=fragments)
    for message in data.draw(in_window(data.draw(tidy_calls(name)))):  # type: ignore[arg-type]
        assembler.feed(message)
    for _ in range(100):
        if (deadline_s := assembler.next_deadline) is None:
            break
        assert assembler.advance(deadline_s) or assembler.ended or assembler.next_deadline != deadline_s
    assert assembler.ended


def test_knows_what_it_took() -> None:
    assembler = Assembler()
    assembler.feed(Transcript("c", "0", "customer", "interim", False, 1.0))
    assert not assembler.knows("0")
    assembler.feed(final("0", 1, 2, text=" "))
    assert assembler.knows("0")
    assert not assembler.knows("1")
    assert not assembler.knows("00")


def test_another_calls_message_is_a_mistake_of_the_caller() -> None:
    assembler = Assembler()
    assembler.feed(CallStart("c"))
    with pytest.raises(ValueError, match="one call"):
        assembler.feed(CallStart("d"))
