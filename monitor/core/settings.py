"""Every number that the core decides with, with its unit and what it does. Operators set them in `becalm.toml`."""

from __future__ import annotations

from typing import Literal

import msgspec

from stream.settings import AssemblerSettings


class CurveSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the tension of one call moves. Tension lies in [0, 1]: calm below 0.35, tense to 0.65, hot above."""

    half_life_s: float = 90.0
    """Seconds of speech time in which tension halves once the agent has engaged; unattended heat does not cool."""
    asynchronous_factor: float = 240.0
    """Half-life is this many times longer on email, social and portal, where turns are hours apart."""
    rise: float = 0.7
    """Share of the way to a hotter turn's level that the curve takes at once."""
    fall: float = 0.35
    """Share of the way to a calmer turn's level that the curve takes at once."""
    cue_weight: float = 1.0
    """Scales the extra terms of cues such as insults, threats or repetition; 0 turns them off."""
    credit_weight: float = 1.0
    """Scales what an agent's helpful moves take off; 0 turns credit off."""


class StageSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a call is in `vent`, `disarm` or `calm`."""

    upset_heat: float = 1.5
    """Heat (0-4) from which a customer turn counts as upset."""
    calm_below: float = 0.35
    """Tension under which a softened customer counts as calm."""
    pivot_step: float = 0.12
    """Change of tension by one customer turn that makes it a turning point."""


class PolicySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When risk becomes an alert; the risk itself is not touched by any of it."""

    kind: Literal["hysteresis", "deferring"] = "hysteresis"
    """`hysteresis` fires as soon as risk has held; `deferring` waits a little longer while recovery is likely."""
    enter_at: float = 0.92
    """Risk from which an alert fires; at 0.89 one quiet corpus call in ten has one, of the hardest calls at 0.96."""
    exit_at: float = 0.7
    """Risk under which it may resolve; the gap to `enter_at` is the hysteresis."""
    critical_at: float = 0.97
    """Risk from which the alert is critical instead of a warning."""
    hot_heat: float = 3.0
    """Heat of a turn that counts as staying hot."""
    hot_turns: int = 2
    """So many customer turns in a row at `hot_heat`, in spite of the agent, fire the alert whatever the risk."""
    hold_for_s: float = 0.0
    """Seconds for which risk must stay at `enter_at` before the alert fires."""
    defer_for_s: float = 30.0
    """Longest wait of the deferring policy in seconds; it never waits once risk is critical."""
    defer_turns: int = 4
    """Turns of either speaker after which it waits no longer."""
    resolve_after_s: float = 10.0
    """Seconds for which calm must hold before a firing risk alert resolves as recovered."""
    cooldown_s: float = 120.0
    """Seconds after an alert resolved in which no new risk alert fires; a relapse ends it."""
    called_for_s: float = 60.0
    """Seconds after an open threat, safety or escalation-request alert last spoke up in which no risk alert fires
    beside it: somebody has just been called."""


class AlertSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    danger_alone_at: float = 0.6
    """Score from which a danger that no phrase pack found fires an alert."""
    request_alone_at: float = 0.6
    """The same for the wish for a superior."""
    threat_alone_at: float = 0.8
    """The same for a threat: the packs know most, and police, courts and regulators are told of as plain facts too."""
    conduct_alone_at: float = 0.9
    """The same for confronting or taboo wording of an agent: a wrong word about a person weighs more."""
    silence_after_s: float = 6.0
    """Seconds without an answer to an upset caller before a silence alert; frozen on hold."""
    chat_silence_after_s: float = 60.0
    """The same in a chat. Email, social and portal know no silence: an answer there takes hours."""
    checking_allowance_s: float = 40.0
    """Seconds allowed instead when the agent has said that they are looking something up."""
    language: str = "en"
    """Language of the reasons that supervisors read: en, zh-Hans, zh-Hant or hr."""


class PromptSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    min_gap_s: float = 20.0
    """Least seconds between two prompts on an agent's screen."""
    wording_from: float = 0.6
    """Score from which an agent's wording that no phrase pack found brings a prompt."""
    urgent_gap_s: float = 4.0
    """Least seconds before a prompt that cannot wait: a threat, a safety matter, a relapse, the agent's own wording."""


class RepetitionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    similarity: float = 0.86
    """Cosine of two turns' embeddings from which they say the same."""
    overlap: float = 0.5
    """Share of a turn's content that an earlier turn must hold to count as said again."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of the core's settings; one object for all calls."""

    assembler: AssemblerSettings = AssemblerSettings()
    curve: CurveSettings = CurveSettings()
    stage: StageSettings = StageSettings()
    policy: PolicySettings = PolicySettings()
    alerts: AlertSettings = AlertSettings()
    prompts: PromptSettings = PromptSettings()
    repetition: RepetitionSettings = RepetitionSettings()
