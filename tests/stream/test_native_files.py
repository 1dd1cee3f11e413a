"""Recorded calls, one message a line."""

from collections.abc import Iterator

import pytest

from stream.messages import CallHold, CallStart, encode
from stream.native import NativeFileError, read

START, HOLD = encode(CallStart("c")).decode(), encode(CallHold("c", 1.0)).decode()


def test_lines_are_numbered_and_blank_ones_and_a_byte_order_mark_passed_over() -> None:
    lines = ["\ufeff" + START + "\r\n", "\n", "  \t\n", " " + HOLD + "\n", ""]
    assert list(read(lines)) == [(1, CallStart("c")), (4, CallHold("c", 1.0))]


def test_a_bad_line_is_told_by_its_number_after_the_good_ones() -> None:
    messages = read([START, "", '{"type":"call.hold","call_id":"c"}', HOLD])
    assert next(messages) == (1, CallStart("c"))
    with pytest.raises(NativeFileError, match=r"^line 3: The field at_s is missing: send a number") as caught:
        next(messages)
    assert (caught.value.line, caught.value.reason.field) == (3, "at_s")


def test_lines_are_read_as_they_are_asked_for() -> None:
    def lines() -> Iterator[str]:
        yield START
        raise AssertionError("read ahead")

    assert next(read(lines())) == (1, CallStart("c"))


def test_a_byte_order_mark_inside_is_no_json() -> None:
    with pytest.raises(NativeFileError, match="line 2"):
        list(read([START, "\ufeff" + HOLD]))
