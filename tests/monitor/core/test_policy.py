"""When risk becomes an alert: hysteresis, hold, cooldown, and waiting while recovery is likely."""

from __future__ import annotations

import pytest

from monitor.core.policy import DeferringPolicy, HysteresisPolicy, Reading, policy_of
from monitor.core.settings import PolicySettings

SETTINGS = PolicySettings(
    enter_at=0.8,
    exit_at=0.5,
    critical_at=0.95,
    hold_for_s=5.0,
    resolve_after_s=10.0,
    cooldown_s=60.0,
    defer_for_s=20.0,
    defer_turns=3,
)
HIGH, LOW = Reading(0.85), Reading(0.1, calm=True)
MENDING = Reading(0.85, recovering=True)
AT_ONCE = PolicySettings(enter_at=0.8, exit_at=0.5, critical_at=0.95, hold_for_s=0.0, defer_for_s=20.0, defer_turns=3)


def test_the_setting_chooses_the_policy() -> None:
    assert type(policy_of(SETTINGS)) is HysteresisPolicy
    assert type(policy_of(PolicySettings(kind="deferring"))) is DeferringPolicy


def test_it_fires_once_risk_has_held_and_says_what_it_waits_for() -> None:
    policy = HysteresisPolicy(SETTINGS)
    assert policy.observe(10.0, HIGH) == "none"
    assert (policy.held_back(10.0), policy.wake_s) == ("hold", 15.0)
    assert policy.tick(14.9) == "none"
    assert policy.tick(15.0) == "fire"
    assert policy.held_back(15.0) is None


def test_risk_that_falls_starts_the_hold_again() -> None:
    policy = HysteresisPolicy(SETTINGS)
    policy.observe(10.0, HIGH)
    policy.observe(12.0, Reading(0.79))
    assert (policy.held_back(12.0), policy.wake_s) == (None, None)
    policy.observe(13.0, HIGH)
    assert policy.wake_s == 18.0


def test_it_recovers_only_under_the_exit_and_then_cools_down() -> None:
    policy = HysteresisPolicy(SETTINGS)
    policy.observe(10.0, HIGH)
    assert policy.observe(20.0, HIGH) == "fire"
    assert policy.observe(30.0, Reading(0.6, calm=True)) == "none"
    assert policy.wake_s is None, "between exit and enter nothing happens"
    policy.observe(40.0, LOW)
    assert policy.tick(50.0) == "recover"
    policy.observe(60.0, HIGH)
    assert policy.tick(70.0) == "none"
    assert (policy.held_back(70.0), policy.wake_s) == ("cooldown", 110.0)
    assert policy.tick(110.0) == "fire"


def test_a_relapse_ends_the_cooldown() -> None:
    policy = HysteresisPolicy(AT_ONCE)
    policy.observe(10.0, HIGH)
    policy.released(12.0)
    assert policy.observe(20.0, HIGH) == "none"
    assert policy.observe(21.0, Reading(0.85, relapse=True)) == "fire"


def test_deferring_waits_while_recovery_is_likely_but_not_longer_than_it_may() -> None:
    policy = DeferringPolicy(AT_ONCE)
    assert policy.observe(10.0, MENDING) == "none"
    assert (policy.held_back(10.0), policy.wake_s) == ("deferred", 30.0)
    assert policy.tick(29.9) == "none"
    assert policy.tick(30.0) == "fire"


def test_deferring_fires_as_soon_as_recovery_is_not_likely_any_more() -> None:
    policy = DeferringPolicy(AT_ONCE)
    assert policy.observe(10.0, MENDING) == "none"
    assert policy.observe(12.0, HIGH) == "fire"


def test_deferring_spares_an_alert_when_risk_falls_in_time() -> None:
    policy = DeferringPolicy(AT_ONCE)
    policy.observe(10.0, MENDING)
    assert policy.observe(20.0, LOW) == "none"
    assert policy.tick(100.0) == "none"


def test_deferring_waits_no_more_than_so_many_turns() -> None:
    policy = DeferringPolicy(AT_ONCE)
    said = [policy.observe(10.0 + at_s, MENDING) for at_s in range(4)]
    assert said == ["none", "none", "none", "fire"]


def test_the_count_of_turns_begins_anew_with_the_next_rise() -> None:
    policy = DeferringPolicy(AT_ONCE)
    for at_s in (10.0, 11.0, 12.0):
        policy.observe(at_s, MENDING)
    policy.observe(13.0, LOW)
    assert policy.observe(14.0, MENDING) == "none"


@pytest.mark.parametrize("risk", [0.95, 0.99])
def test_deferring_never_waits_at_critical_risk(risk: float) -> None:
    assert DeferringPolicy(AT_ONCE).observe(10.0, Reading(risk, recovering=True)) == "fire"
