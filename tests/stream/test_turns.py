"""Fragments of one speaker become turns."""

import pytest

from stream.assembler import Assembler, AssemblerSettings, Output, Utterance
from stream.messages import CallHold, CallStart, Message, Transcript
from stream.turns import TurnJoiner, join


def part(n: int, text: str, start_s: float, end_s: float, role: str = "customer", **more: object) -> Transcript:
    return Transcript("c", str(n), role, text, True, start_s, end_s, **more)  # type: ignore[arg-type]


def turns(*parts: Message, fragments: bool = True, settings: AssemblerSettings | None = None) -> list[str]:
    """The texts of the turns, an unfinished one too."""
    joiner = TurnJoiner(settings or AssemblerSettings(), fragments)
    out: list[Output] = [turn for one in parts for turn in joiner.take(one)]
    return [turn.text for turn in out + joiner.flush() if isinstance(turn, Utterance)]


def test_a_native_final_is_a_turn_and_fragments_join() -> None:
    parts = part(0, "I have been", 0, 1), part(1, "waiting", 1.1, 2)
    assert turns(*parts, fragments=False) == ["I have been", "waiting"]
    assert turns(*parts) == ["I have been waiting"]


def test_a_native_final_may_say_that_its_turn_goes_on() -> None:
    parts = (
        part(0, "I have been", 0, 1, end_of_turn=False),
        part(1, "waiting", 1.1, 2),
        part(2, "Yes", 2.1, 3),
    )
    assert turns(*parts, fragments=False) == ["I have been waiting", "Yes"]


def test_an_end_of_turn_ends_it_even_without_words() -> None:
    assert turns(part(0, "one", 0, 1, end_of_turn=True), part(1, "two", 1, 2)) == ["one", "two"]
    mute = part(1, " ", 1, 1, end_of_turn=True)
    assert turns(part(0, "one", 0, 1), mute, part(2, "two", 1, 2)) == ["one", "two"]
    other = part(1, " ", 1, 1, "agent", end_of_turn=True)
    assert turns(part(0, "one", 0, 1), other, part(2, "two", 1, 2)) == ["one two"]


def test_another_speaker_ends_it() -> None:
    assert turns(part(0, "so I", 0, 1), part(1, "mhm", 0.5, 1, "agent"), part(2, "wait", 1, 2)) == [
        "so I",
        "mhm",
        "wait",
    ]


@pytest.mark.parametrize(
    "end", ["done.", "done?", 'done!"', "好。", "好？」", "gotovo…", "（是！）", "fertig.“", "¿no?", "x.)"]
)
def test_a_sentences_end_ends_it(end: str) -> None:
    assert turns(part(0, end, 0, 1), part(1, "next", 1, 2)) == [end, "next"]


@pytest.mark.parametrize("open_end", ["and,", "am 3.", "好，", "it's", "50", "well:"])
def test_other_ends_do_not(open_end: str) -> None:
    assert turns(part(0, open_end, 0, 1), part(1, "next", 1, 2)) != [open_end, "next"]


def test_a_pause_ends_it() -> None:
    settings = AssemblerSettings(turn_pause_s=1.25)
    assert turns(part(0, "one", 0, 1), part(1, "two", 2.24, 3), settings=settings) == ["one two"]
    assert turns(part(0, "one", 0, 1), part(1, "two", 2.25, 3), settings=settings) == ["one", "two"]
    assert turns(part(0, "one", 0, 1), part(1, "two", 2.19, 3)) == ["one two"]


def test_it_is_cut_before_it_grows_too_long() -> None:
    parts = [part(n, "abcd", n, n + 0.9) for n in range(5)]
    assert turns(*parts, settings=AssemblerSettings(max_turn_chars=9)) == ["abcd abcd", "abcd abcd", "abcd"]
    assert turns(part(0, "x" * 50, 0, 1), settings=AssemblerSettings(max_turn_chars=9)) == ["x" * 50]


def test_any_event_of_the_call_ends_it() -> None:
    assert turns(part(0, "one", 0, 1), CallHold("c", 1.0), part(1, "two", 1, 2)) == ["one", "two"]


def test_words_are_spaced_as_their_script_is() -> None:
    assert turns(part(0, "等了", 0, 1), part(1, "三天", 1, 2)) == ["等了三天"]
    assert turns(part(0, "我的", 0, 1), part(1, "iPhone", 1, 2), part(2, "坏了", 2, 3)) == ["我的iPhone坏了"]
    assert turns(part(0, "čekam", 0, 1), part(1, "već", 1, 2), part(2, ", satima", 2, 3)) == ["čekam već, satima"]


def test_a_turn_sums_up_its_fragments() -> None:
    parts = [
        part(4, "ab", 1.0, 2.0, confidence=0.5, speech_rate=3.0),
        part(5, " abcdef ", 1.5, 1.8, confidence=0.9, language="hr"),
        part(6, "x", 1.9, 3.0, language="en"),
    ]
    assert join(parts) == Utterance(("4", "5", "6"), "customer", "ab abcdef x", 1.0, 3.0, "hr", 0.8, 3.0)
    assert join(parts).segment_id == "4"


def test_an_unfinished_turn_waits_for_its_next_fragment_but_not_for_ever() -> None:
    assembler = Assembler(source_fragments=True)
    assembler.feed(CallStart("c"))
    assert assembler.feed(part(0, "so I", 0, 1)) == []
    assert assembler.next_deadline == 4.0
    assert assembler.advance(3.9) == []
    assert [o.text for o in assembler.advance(4.0) if isinstance(o, Utterance)] == ["so I"]


def test_an_unfinished_turn_waits_for_a_fragment_that_waits_for_its_place() -> None:
    assembler = Assembler(source_fragments=True)
    assembler.feed(CallStart("c"))
    assembler.feed(part(0, "so I", 0, 1))
    assembler.feed(part(2, "here", 1.5, 3.9))
    assert assembler.advance(4.1) == []
    assert assembler.next_deadline == 4.9
    assembler.feed(part(1, "wait", 1.1, 1.4))
    assert [o.text for o in assembler.close() if isinstance(o, Utterance)] == ["so I wait here"]
