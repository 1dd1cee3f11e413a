"""What goes into the scorer and what comes out. Pure data, no torch."""

import msgspec


class ScoreInput(msgspec.Struct, frozen=True):
    """One turn to score, with the context that its labels may need."""

    text: str
    """The turn itself, redacted or not."""
    role: str
    """`customer`, `agent`, `manager`, `bot` or `unknown`."""
    prev: str | None = None
    """The other party's turn just before."""
    history: tuple[str, ...] = ()
    """Earlier turns of the same speaker, oldest first."""
    language: str | None = None
    channel: str = "voice"


class Score(msgspec.Struct, frozen=True, omit_defaults=False):
    """What was heard in one turn. Every probability is rounded to 4 decimals; a label holds from 0.5 up."""

    emotions: dict[str, float]
    """All six for a customer, empty otherwise."""
    heat: float | None
    """Expected heat, 0 to 4, for a customer; None otherwise."""
    labels: dict[str, float]
    """The role's labels at 0.1 or more, and every threat, danger and request; mapped so that each label's threshold
    lies at 0.5."""
    embedding: bytes
    """Unit vector of the turn's own text, `int8[hidden]`, scaled by 127."""
    abstained: str | None = None
    """Why the numbers must not be used, e.g. `too_little_text`; None when they may be."""
