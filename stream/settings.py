"""What an operator may set of the way a call is put together."""

import msgspec

ASYNCHRONOUS_CHANNELS = frozenset({"email", "social", "portal"})
"""Channels on which an answer may take hours or days."""


class AssemblerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Times are seconds of the call's own time."""

    reorder_window_s: float = 1.0
    """How far a message may lag behind later ones and still come out in order.
    Where ids are consecutive numbers nothing waits for it unless one is missing."""

    first_segment: int = 0
    """The number of a call's first segment, where ids are numbers. A source that counts from 1 sets 1 and
    spares its first final the window: otherwise a call that begins with 1 may yet be missing 0."""

    turn_pause_s: float = 1.2
    """A pause between two fragments of one speaker that ends a turn."""

    turn_wait_s: float = 3.0
    """How long an unfinished turn waits for its next fragment, which arrives only once it has been said:
    longer than `turn_pause_s`, or live calls would be cut where recorded ones are not."""

    idle_timeout_s: float = 300.0
    """A voice call or chat in which nothing happens for so long is over; frozen on hold."""

    asynchronous_idle_timeout_s: float = 1_209_600.0
    """The same on email, social and portal, where an answer takes days: 14 of them."""

    hold_timeout_s: float = 86_400.0
    """A call on hold of which nothing is heard for so long is over: its source has forgotten it."""

    max_turn_chars: int = 2000
    """A turn of fragments is cut before it grows longer."""

    max_waiting: int = 1000
    """Messages of one call that may wait at a time; beyond it the earliest goes out, gap or not."""
