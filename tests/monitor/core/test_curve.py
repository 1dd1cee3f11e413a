"""The curve: named terms that add up, quick up, slow down, never out of bounds."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.curve import Curve, band, level_of, tension_of
from monitor.core.settings import CurveSettings

moves = st.lists(
    st.one_of(
        st.tuples(st.just("rise"), st.floats(0, 1)),
        st.tuples(st.just("fall"), st.floats(0, 1)),
        st.tuples(st.just("cue"), st.floats(0, 0.3)),
        st.tuples(st.just("credit"), st.floats(0, 0.3)),
        st.tuples(st.just("decay"), st.floats(0, 600)),
    ),
    max_size=120,
)


def drive(steps: list[tuple[str, float]]) -> Curve:
    curve = Curve(CurveSettings(), half_life_s=90)
    for number, (what, value) in enumerate(steps):
        segment = str(number)
        match what:
            case "rise":
                curve.rise_to(value, "heat", segment)
            case "fall":
                curve.fall_to(value, "calmer", segment)
            case "cue":
                curve.raise_by(value, "cue:insult", segment)
            case "credit":
                curve.lower_by(value, "credit:solve", segment)
            case _:
                curve.decay(value)
    return curve


@given(moves)
def test_contributions_add_up_to_the_tension(steps: list[tuple[str, float]]) -> None:
    curve = drive(steps)
    parts = curve.contributions()
    total = math.fsum(part.value for part in parts)
    assert abs(min(1.0, max(0.0, total)) - tension_of(parts)) <= 1e-6
    assert abs(total - curve.tension) <= 1e-4
    assert 0 <= tension_of(parts) <= 1


@given(moves)
def test_terms_stay_bounded(steps: list[tuple[str, float]]) -> None:
    curve = drive([*steps, ("decay", 0.0)])
    assert len(curve.contributions()) <= 49


@given(moves, st.floats(0, 1))
def test_a_hotter_turn_never_lowers_and_a_calmer_never_raises(steps: list[tuple[str, float]], level: float) -> None:
    curve = drive(steps)
    before = curve.tension
    curve.rise_to(level, "heat", "x")
    assert curve.tension >= before - 1e-12
    before = curve.tension
    curve.fall_to(level, "calmer", "y")
    assert curve.tension <= before + 1e-12


@given(st.floats(0, 4), st.floats(0, 4))
def test_levels_rise_with_heat(one: float, other: float) -> None:
    assert (level_of(one) <= level_of(other)) == (one <= other) or level_of(one) == level_of(other)


def test_half_of_it_is_gone_after_a_half_life() -> None:
    curve = drive([("rise", 1.0)])
    before = curve.tension
    curve.decay(90)
    assert math.isclose(curve.tension, before / 2, rel_tol=1e-9)


def test_bands_are_those_of_the_contract() -> None:
    assert [band(value) for value in (0.0, 0.349, 0.35, 0.65, 0.651)] == ["calm", "calm", "tense", "tense", "hot"]
