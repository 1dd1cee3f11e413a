"""Which ids count upwards, and which have been taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.ids import Numbering, Ranges, TakenIds, split_number

UUID_IN_DIGITS = "3f2c11aa-0000-4000-8000-000000000001"


def holds(ids: list[str]) -> bool:
    numbering = Numbering()
    for segment_id in ids:
        numbering.number(segment_id)
    return numbering.holds


@pytest.mark.parametrize(
    ("segment_id", "parts"),
    [
        ("12", ("", "12")),
        ("seg12", ("seg", "12")),
        ("call-7/12", ("call-7/", "12")),
        ("2026-11-22 12", ("2026-11-22 ", "12")),
        (UUID_IN_DIGITS, None),
        ("V1StGXR8", None),
        ("12a", None),
        ("1234567890123456", None),
        ("", None),
        ("١٢", None),
    ],
)
def test_a_numbered_id_is_a_number_alone_after_letters_or_after_a_separator(segment_id: str, parts: object) -> None:
    assert split_number(segment_id) == parts


@pytest.mark.parametrize(
    ("ids", "answer"),
    [
        (["0", "9", "10", "100"], True),
        (["s001", "s010", "s100", "s1000"], True),
        (["a-1", "a-2"], True),
        (["a-1", "b-2"], False),
        (["7", "07"], False),
        (["10", "007"], False),
        (["07", "007"], False),
        (["0", "05"], False),
        (["1", "x"], False),
    ],
)
@given(st.data())
def test_numbering_holds_for_one_prefix_and_one_spelling_in_whatever_order(
    ids: list[str], answer: bool, data: st.DataObject
) -> None:
    assert holds(data.draw(st.permutations(ids))) is answer


def test_numbers_are_the_places() -> None:
    numbering = Numbering()
    assert [numbering.number(segment_id) for segment_id in ("s09", "s10", "s07")] == [9, 10, 7]
    assert numbering.number("other") == numbering.number("s11") == -1


@given(st.lists(st.integers(0, 30)))
def test_ranges_are_a_set(numbers: list[int]) -> None:
    ranges = Ranges()
    for number in numbers:
        ranges.add(number)
    assert [n for n in range(32) if n in ranges] == sorted(set(numbers))
    gaps = sum(n - 1 not in set(numbers) for n in set(numbers))
    assert len(ranges) == gaps


@given(st.lists(st.sampled_from(["1", "2", "01", "a1", "a-1", "b-1", "x", "1x", UUID_IN_DIGITS]), max_size=6))
def test_taken_ids_are_told_apart_as_strings(ids: list[str]) -> None:
    taken = TakenIds()
    for segment_id in ids:
        taken.add(segment_id)
    for segment_id in ["1", "2", "01", "001", "a1", "a-1", "b-1", "x", "1x", UUID_IN_DIGITS, "3"]:
        assert (segment_id in taken) is (segment_id in ids)
