"""What the core makes of a call, with given scores: each term of the curve, each stage and turning point, each alert,
repetition, the kind of customer, the suggestion and the end, all in several languages; the last tests keep it complete.
"""

from __future__ import annotations

import ast
import math
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.labels import FAILING_MOVES
from monitor import core
from monitor.config import load
from monitor.core.closing import SIGNALS, TYPES
from monitor.core.curve import CALM_BELOW, HOT_ABOVE, tension_of
from monitor.core.deciding import ON_THE_TURN
from monitor.core.events import (
    Alert,
    Call,
    Contribution,
    Event,
    Evidence,
    Pivot,
    Point,
    Stage,
    Suggestion,
    Turn,
    encode,
)
from monitor.core.fold import Fold
from monitor.core.inputs import Tick
from monitor.core.movement import _EASING, CREDIT_SHARES, CUE_SHARES
from monitor.core.risk import FEATURES, RiskModel
from monitor.core.rules import Rules
from monitor.packs import Packs
from monitor.texts import REASON_LANGUAGES, REASONS
from stream.messages import CallTransfer, TransferTo
from tests.monitor.core.calls import CALL, Conversation, Line, agent, conversation, customer, play, settle

AnyEvent = TypeVar("AnyEvent", bound=Event)

UPSET = {
    "en": "This is the third engineer who never came.",
    "hr": "Ovo je već treći majstor koji nije došao.",
    "de": "Das ist schon der dritte Techniker, der nicht kam.",
    "es": "Es el tercer técnico que no aparece.",
    "zh-Hans": "这已经是第三个没来的师傅了。",
    "zh-Hant": "這已經是第三個沒來的師傅了。",
}
STILL_UPSET = {
    "en": "And tomorrow it starts all over, does it?",
    "hr": "I sutra opet sve ispočetka, je li?",
    "de": "Und morgen geht alles von vorne los, oder?",
    "es": "¿Y mañana otra vez desde el principio?",
    "zh-Hans": "明天又得从头再来，是吗？",
    "zh-Hant": "明天又得從頭再來，是嗎？",
}
SOLVED = {
    "en": "I have booked a van for two o'clock and will stay on it.",
    "hr": "Naručila sam kombi za dva sata i pratim ga do kraja.",
    "de": "Ich habe den Wagen für zwei Uhr bestellt und bleibe dran.",
    "es": "He pedido la furgoneta para las dos y sigo pendiente.",
    "zh-Hans": "我已经安排了两点的车，会一直跟进。",
    "zh-Hant": "我已經安排了兩點的車，會一直跟進。",
}
AGREED = {
    "en": "Two o'clock works, go ahead.",
    "hr": "Dva sata mi odgovara, može.",
    "de": "Zwei Uhr passt, machen Sie das.",
    "es": "A las dos me viene bien, adelante.",
    "zh-Hans": "两点可以，就这样办。",
    "zh-Hant": "兩點可以，就這樣辦。",
}
RELIEVED = {
    "en": "That is a load off my mind.",
    "hr": "Pao mi je kamen sa srca.",
    "de": "Da fällt mir ein Stein vom Herzen.",
    "es": "Qué peso me quita de encima.",
    "zh-Hans": "这下我放心多了。",
    "zh-Hant": "這下我放心多了。",
}
FELL_THROUGH = {
    "en": "What, the van is cancelled as well?",
    "hr": "Što, i kombi ste otkazali?",
    "de": "Was, der Wagen ist auch abgesagt?",
    "es": "¿Cómo, también cancelan la furgoneta?",
    "zh-Hans": "什么，车也取消了？",
    "zh-Hant": "什麼，車也取消了？",
}
LANGUAGES = tuple(UPSET)

CUE_WORDS = {
    "threat_legal": {"en": "You will hear from my solicitor.", "hr": "Javit će vam se moj odvjetnik."},
    "threat_regulator": {"de": "Dann gehe ich zur Verbraucherzentrale.", "es": "Mañana voy a la oficina de consumo."},
    "threat_media": {"zh-Hans": "那我只好找记者了。", "zh-Hant": "那我只好找記者了。"},
    "threat_complaint": {"en": "I am making this a formal complaint.", "zh-Hant": "我要正式客訴。"},
    "ask_superior": {"hr": "Dajte mi voditelja.", "de": "Geben Sie mir die Leitung."},
    "insult": {"es": "Son unos inútiles.", "zh-Hans": "你们都是骗子。"},
    "repetition": {"de": "Ich sage es noch einmal: kein Wagen.", "zh-Hant": "我再說一次，車沒來。"},
    "blocked": {"en": "So that does not work either.", "hr": "Znači ni to ne može."},
    "churn": {"es": "Me cambio de compañía.", "de": "Dann kündige ich eben."},
    "bounced": {"zh-Hans": "你们把我推来推去。", "hr": "Šaljete me od jednog do drugog."},
    "repeat_contact": {"en": "I rang twice last week.", "es": "Ya llamé dos veces la semana pasada."},
    "grievance": {"zh-Hant": "你們根本不尊重我。", "de": "So geht man mit niemandem um."},
    "prior_doubt": {"zh-Hans": "难怪都说你们靠不住。", "en": "I had my doubts about you from the start."},
    "extreme_demand": {"hr": "Tražim da je otpustite.", "es": "Exijo que lo despidan."},
    "compensation_demand": {"zh-Hans": "那就赔我三倍。", "de": "Dann zahlen Sie mir das Dreifache."},
    "urgency": {"zh-Hant": "現在馬上給我辦。", "en": "I need it done this minute."},
    "insists_reason": {"hr": "Objasnite mi po kojem pravilu.", "es": "Dígame según qué norma."},
}
CREDIT_WORDS = {
    "solve": {"en": SOLVED["en"], "zh-Hans": SOLVED["zh-Hans"]},
    "alternatives": {"hr": "Može danas u dva ili sutra u osam.", "de": "Heute um zwei oder morgen um acht?"},
    "own": {"es": "El error fue nuestro, no reservamos el turno.", "zh-Hant": "是我們漏排了，責任在我們。"},
    "empathise": {"en": "Three days at home for nothing would wear me out too.", "hr": "Tri dana čekanja, to iscrpi."},
    "reassure": {"zh-Hans": "您慢慢说，我来处理。", "de": "Lassen Sie sich Zeit, ich kümmere mich darum."},
    "customer_view": {"es": "Así no pierde usted el día.", "en": "That way you do not lose another day."},
    "promise_inquiry": {"zh-Hant": "我查清楚再回覆您。", "hr": "Provjerit ću i javiti vam što je bilo."},
    "announce_escalation": {"de": "Ich gebe es an die Technikleitung weiter.", "zh-Hans": "我会转给技术主管。"},
    "warm_transfer": {"en": "My colleague knows the whole story already.", "es": "Mi compañera ya conoce el caso."},
    "restate": {"hr": "Dakle, majstor tri puta nije došao.", "zh-Hant": "所以師傅三次都沒來。"},
    "set_expectation": {"de": "Vor vier Uhr wird es nicht.", "en": "It will not be before four o'clock."},
    "listen": {"zh-Hans": "嗯，您继续说。", "hr": "Slušam vas, samo recite."},
    "appreciate": {"es": "Gracias por su paciencia.", "de": "Danke für Ihre Geduld."},
    "lead_back": {"zh-Hant": "我們先回到維修這件事。", "en": "Let us come back to the repair."},
    "clarify": {"hr": "Koji je to kat?", "zh-Hans": "请问是哪一层？"},
}
FAILING_WORDS = {
    "stock_apology": {"en": "Sorry for the inconvenience.", "zh-Hant": "很抱歉。"},
    "confront": {"hr": "Slušajte vi mene.", "de": "Jetzt hören Sie mal zu."},
    "taboo": {"es": "Pues reclame donde quiera.", "zh-Hans": "那您去告好了。"},
    "disbelieve": {"en": "Are you sure he never came?", "hr": "Jeste li sigurni da nije dolazio?"},
    "deflect": {"de": "Haben Sie schon unsere App?", "es": "¿Conoce nuestra aplicación?"},
    "defend": {"zh-Hans": "我们的师傅不会这样。", "en": "Our engineers are never late."},
    "judge": {"zh-Hant": "那一定是師傅的錯。", "hr": "To je onda sigurno krivi majstor."},
    "helpless": {"de": "Da kann ich nichts machen.", "zh-Hans": "我也没办法。"},
    "hesitate": {"es": "No sé, tendría que preguntar.", "en": "I am not sure, I would have to ask."},
    "rush_close": {"hr": "Još nešto? Doviđenja.", "zh-Hant": "還有事嗎？再見。"},
    "overpromise": {"zh-Hans": "我保证以后绝对不会。", "de": "Das passiert garantiert nie wieder."},
    "cold_transfer": {"en": "Ring the other department.", "es": "Llame al otro departamento."},
    "procedure_only": {"zh-Hant": "請提供客戶編號。", "de": "Ihre Kundennummer bitte."},
    "miss_emotion": {"hr": "Odlično, drago mi je.", "es": "Estupendo, me alegro."},
}
SARCASM_WORDS = {"en": "Oh, splendid service, truly.", "zh-Hant": "你們服務可真周到啊。"}


# --- the curve --------------------------------------------------------------------------------------------------


class Term(NamedTuple):
    """A contribution that the last point of `call` holds; `without` is the same call but for what earned it."""

    name: str
    language: str
    call: Conversation
    segment_id: str | None
    sign: int
    without: Conversation | None = None


def by_cue(cue: str, language: str, words: str) -> Term:
    call = conversation(language, customer(words, 2.0, cue))
    return Term(f"cue:{cue}", language, call, "0", 1, conversation(language, customer(words, 2.0)))


def by_credit(move: str, language: str, words: str) -> Term:
    before = customer(UPSET[language], 3.0)
    call = conversation(language, before, agent(words, move))
    return Term(f"credit:{move}", language, call, "1", -1, conversation(language, before, agent(words)))


def by_charge(move: str, language: str, words: str) -> Term:
    before, after = customer(UPSET[language], 3.0), customer(STILL_UPSET[language], 3.0)
    call = conversation(language, before, agent(words, move), after)
    return Term(f"charge:{move}", language, call, "2", 1, conversation(language, before, agent(words), after))


def by_turn(language: str) -> Iterator[Term]:
    """The terms that the turns themselves earn, upset and calm."""
    upset, solved = customer(UPSET[language], 3.0), agent(SOLVED[language], "solve")
    yield Term("heat", language, conversation(language, upset), "0", 1)
    calm = customer(AGREED[language], 0.3)
    for name, labels in (("calmer", ()), ("cooperates", ("cooperates",)), ("eased", ("eased",))):
        last = customer(AGREED[language], 0.3, *labels)
        yield Term(name, language, conversation(language, upset, agent(SOLVED[language]), last), "2", -1)
    accepted = customer(AGREED[language], 0.3, "cooperates")
    yield Term("solution_accepted", language, conversation(language, upset, solved, accepted), "1", -1)
    hurry = customer(UPSET[language], 2.0, "urgency")
    yield Term("earlier", language, conversation(language, hurry, solved, 200.0, calm), None, 1)


def by_sarcasm(language: str, words: str) -> Iterator[Term]:
    call = conversation(language, customer(words, 0.3, "sarcasm"))
    yield Term("sarcasm", language, call, "0", 1)
    yield Term("cue:sarcasm", language, call, "0", 1)


TERMS: list[Term] = [
    *(by_cue(cue, *item) for cue, words in CUE_WORDS.items() for item in words.items()),
    *(by_credit(move, *item) for move, words in CREDIT_WORDS.items() for item in words.items()),
    *(by_charge(move, *item) for move, words in FAILING_WORDS.items() for item in words.items()),
    *(term for language in LANGUAGES for term in by_turn(language)),
    *(term for item in SARCASM_WORDS.items() for term in by_sarcasm(*item)),
]


@pytest.fixture(scope="module")
def ears_only(rules: Rules) -> Rules:
    """The rules that ship without phrase packs: only the given scores count."""
    return msgspec.structs.replace(rules, packs=Packs.load([]))


@pytest.fixture(scope="module")
def even(rules: Rules) -> Rules:
    """The rules that ship, but with a risk of one half whatever is heard: the weights are trained anew now and then."""
    zeros, ones = [0.0] * len(FEATURES), [1.0] * len(FEATURES)
    risk = RiskModel(features=list(FEATURES), mean=zeros, scale=ones, weights=zeros, bias=0.0)
    return msgspec.structs.replace(rules, risk=risk)


def under(rules: Rules, *sets: str) -> Rules:
    """The same under other settings, given as on the command line."""
    return msgspec.structs.replace(rules, settings=load(None, sets).core)


def of(events: Iterable[Event], kind: type[AnyEvent]) -> list[AnyEvent]:
    return [event for event in events if isinstance(event, kind)]


def told(rules: Rules, call: Conversation, *more: Tick) -> list[Event]:
    return play(rules, [*call.records, *more], call.scores)


def points(rules: Rules, call: Conversation) -> list[Point]:
    return of(told(rules, call), Point)


def total(parts: Iterable[Contribution]) -> float:
    return math.fsum(part.value for part in parts)


def named(term: Term) -> str:
    return f"{term.name}-{term.language}"


def is_it(part: Contribution, term: Term) -> bool:
    return part.name == term.name and part.segment_id == (term.segment_id or msgspec.UNSET)


@pytest.mark.parametrize("term", TERMS, ids=named)
def test_a_contribution_has_its_name_its_sign_and_its_turn(ears_only: Rules, term: Term) -> None:
    point = points(ears_only, term.call)[-1]
    (found,) = (part for part in point.contributions if is_it(part, term))
    assert found.value * term.sign > 0
    assert abs(total(point.contributions) - point.tension) < 1e-9


@pytest.mark.parametrize("term", [term for term in TERMS if term.without is not None], ids=named)
def test_without_its_cause_exactly_its_term_is_gone(ears_only: Rules, term: Term) -> None:
    assert term.without is not None
    with_it, without = points(ears_only, term.call)[-1], points(ears_only, term.without)[-1]
    (found,) = (part for part in with_it.contributions if is_it(part, term))
    assert without.contributions == [part for part in with_it.contributions if not is_it(part, term)]
    assert abs(with_it.tension - found.value - without.tension) < 1e-9


@pytest.mark.parametrize(("language", "words"), SARCASM_WORDS.items())
def test_sarcasm_stands_for_heat_where_the_words_sound_mild(ears_only: Rules, language: str, words: str) -> None:
    meant, honest = (points(ears_only, conversation(language, customer(words, 0.3, *labels)))[-1]
                     for labels in (("sarcasm",), ()))  # fmt: skip
    assert [part.name for part in meant.contributions] == ["sarcasm", "cue:sarcasm"]
    assert [part.name for part in honest.contributions] == ["heat"]
    assert meant.tension > CALM_BELOW > honest.tension


@pytest.mark.parametrize("language", ["en", "zh-Hans", "es"])
def test_a_failing_wording_is_charged_only_if_the_customer_minds(ears_only: Rules, language: str) -> None:
    for heat, charged in ((3.0, 1), (0.3, 0)):
        lines = [customer(UPSET[language], 3.0), agent("...", "helpless"), customer(STILL_UPSET[language], heat)]
        last = points(ears_only, conversation(language, *lines))[-1]
        assert sum(part.name == "charge:helpless" for part in last.contributions) == charged


@pytest.mark.parametrize("language", ["hr", "zh-Hant", "de"])
def test_nothing_that_stands_beside_a_failing_move_earns_credit(ears_only: Rules, language: str) -> None:
    lines = [customer(UPSET[language], 3.0), agent(SOLVED[language], "solve", "own", "confront")]
    before, after = points(ears_only, conversation(language, *lines))
    assert after.contributions == before.contributions


@pytest.mark.parametrize("language", ["en", "zh-Hant"])
def test_the_weights_of_the_settings_turn_cues_charges_and_credit_off(ears_only: Rules, language: str) -> None:
    lines = [
        customer(UPSET[language], 3.0, "insult"),
        agent(SOLVED[language], "solve"),
        agent("...", "taboo"),
        customer(STILL_UPSET[language], 3.0, "blocked"),
    ]
    for sets, left in (
        ([], {"heat", "cue", "credit", "charge"}),
        (["curve.cue_weight=0"], {"heat", "credit"}),
        (["curve.credit_weight=0"], {"heat", "cue", "charge"}),
    ):
        last = points(under(ears_only, *sets), conversation(language, *lines))[-1]
        assert {part.name.split(":")[0] for part in last.contributions} == left


DROPPABLE = sorted(set(CUE_WORDS) - {"repetition"})


@settings(max_examples=80)
@given(
    heats=st.lists(st.floats(0, 4), max_size=3),
    heat=st.floats(1.5, 4),
    cues=st.lists(st.sampled_from(DROPPABLE), min_size=1, max_size=5, unique=True),
    language=st.sampled_from(LANGUAGES),
)
def test_a_cue_taken_away_changes_no_other_cause(
    ears_only: Rules, heats: list[float], heat: float, cues: list[str], language: str
) -> None:
    """Terms before it are the same to the last digit; later cues of the turn find the room that it took."""
    before = [customer(UPSET[language], past) for past in heats]
    dropped = f"cue:{cues[0]}"

    def last(kept: list[str]) -> Point:
        return points(ears_only, conversation(language, *before, customer(STILL_UPSET[language], heat, *kept)))[-1]

    with_it, without = last(cues), last(cues[1:])
    names = [part.name for part in with_it.contributions]
    at = names.index(dropped) if dropped in names else len(names)
    assert without.contributions[:at] == with_it.contributions[:at]
    later = list(zip(with_it.contributions[at + 1 :], without.contributions[at:], strict=True))
    assert all(one.name == other.name and one.value <= other.value for one, other in later)
    for point in (with_it, without):
        assert abs(min(1.0, max(0.0, total(point.contributions))) - point.tension) < 1e-9


# --- stages and turning points ----------------------------------------------------------------------------------


def journey(language: str) -> Conversation:
    """Vents, is disarmed, calms down, and is back where it began when the solution falls through."""
    return conversation(
        language,
        customer(UPSET[language], 3.5, "grievance", anger=0.9),
        agent(SOLVED[language], "own", "solve", "empathise"),
        customer(AGREED[language], 0.5, "cooperates"),
        agent(SOLVED[language], "reassure"),
        customer(RELIEVED[language], 0.0, "eased"),
        customer(FELL_THROUGH[language], 3.5, "blocked", anger=0.9),
    )


def half_way(language: str) -> Conversation:
    """A relapse before it was calm."""
    return conversation(
        language,
        customer(UPSET[language], 3.0, anger=0.9),
        agent(SOLVED[language], "solve"),
        customer(AGREED[language], 0.5, "cooperates"),
        customer(FELL_THROUGH[language], 3.5, "blocked", anger=0.9),
    )


def stages(events: Iterable[Event]) -> list[tuple[Any, str, str]]:
    return [(event.segment_id, event.from_, event.to) for event in of(events, Stage)]


def pivots(events: Iterable[Event]) -> list[tuple[Any, str, Any]]:
    return [(event.segment_id, event.kind, event.since_segment_id) for event in of(events, Pivot)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_call_vents_is_disarmed_calms_down_and_goes_back(ears_only: Rules, language: str) -> None:
    events = told(ears_only, journey(language))
    assert stages(events) == [
        ("0", "calm", "vent"),
        ("2", "vent", "disarm"),
        ("4", "disarm", "calm"),
        ("5", "calm", "vent"),
    ]
    assert [point.stage for point in of(events, Point)] == ["vent", "vent", "disarm", "disarm", "calm", "vent"]


@pytest.mark.parametrize("language", ["en", "zh-Hans", "hr"])
def test_who_was_only_disarmed_goes_back_too(ears_only: Rules, language: str) -> None:
    events = told(ears_only, half_way(language))
    assert stages(events) == [("0", "calm", "vent"), ("2", "vent", "disarm"), ("3", "disarm", "vent")]
    assert pivots(events)[-1] == ("3", "relapse", "2")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_turning_points_of_a_call_and_why(ears_only: Rules, language: str) -> None:
    first, *eased, relapse = of(told(ears_only, journey(language)), Pivot)
    assert (first.segment_id, first.kind, first.because) == ("0", "intensified", ["grievance"])
    assert {pivot.kind for pivot in eased} == {"eased"}
    assert eased[0].segment_id == "2"
    assert eased[0].because == ["empathise", "own", "solve", "cooperates"], "who helped, and what came of it"
    assert (relapse.segment_id, relapse.kind, relapse.because) == ("5", "relapse", ["blocked"])
    assert relapse.since_segment_id == eased[-1].segment_id, "it points at the calming that it undoes"
    assert all(pivot.since_segment_id is msgspec.UNSET for pivot in (first, *eased))


@pytest.mark.parametrize("language", ["de", "zh-Hant"])
def test_a_calming_too_small_for_a_turning_point_can_be_undone_too(ears_only: Rules, language: str) -> None:
    lines = [customer(UPSET[language], 1.6, anger=0.6), customer(AGREED[language], 1.4, "cooperates")]
    events = told(ears_only, conversation(language, *lines, customer(FELL_THROUGH[language], 3.5, anger=0.9)))
    assert pivots(events)[1:] == [("2", "relapse", "1")]
    assert of(events, Pivot)[-1].because == ["anger"], "without a label the emotion is named"


@pytest.mark.parametrize("language", ["es", "zh-Hans"])
def test_a_second_relapse_points_at_the_second_calming(ears_only: Rules, language: str) -> None:
    again = [agent(SOLVED[language], "own"), customer(RELIEVED[language], 0.2, "eased")]
    hot = customer(FELL_THROUGH[language], 3.5, "blocked")
    lines = [customer(UPSET[language], 3.5), *again, hot, *again, hot]
    relapses = [pivot for pivot in pivots(told(ears_only, conversation(language, *lines))) if pivot[1] == "relapse"]
    assert relapses == [("3", "relapse", "2"), ("6", "relapse", "5")]


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
@pytest.mark.parametrize("still", ["sarcasm", "insult", "resigned", "blocked"])
def test_a_mild_sound_is_no_calming_beside_these_cues(ears_only: Rules, language: str, still: str) -> None:
    lines = [customer(UPSET[language], 3.5), agent(SOLVED[language], "own"), customer("...", 0.3, still, "cooperates")]
    events = told(ears_only, conversation(language, *lines))
    assert [to for _, _, to in stages(events)] == ["vent"]
    assert "eased" not in [kind for _, kind, _ in pivots(events)]


# --- alerts -----------------------------------------------------------------------------------------------------

RISK_AT_ONCE = ("policy.exit_at=0.3", "policy.enter_at=0.4")
ALWAYS_CRITICAL = "policy.critical_at=0.5"


class Raised(NamedTuple):
    """An alert that `call` fires under `sets`, with the quotes (label, words) that it must hold."""

    kind: str
    severity: str
    language: str
    call: Conversation
    quotes: tuple[tuple[str, str], ...]
    segment_id: str | None
    sets: tuple[str, ...] = ()
    quiet_until_s: float | None = None


ON_THE_WORD = {
    "threat_complaint": {
        "en": ("Please put this down as a formal complaint.", "complaint"),
        "hr": ("Podnosim službeni prigovor, molim broj.", "prigovor"),
    },
    "threat_regulator": {
        "de": ("Dann wende ich mich an die Verbraucherzentrale, danke.", "Verbraucherzentrale"),
        "zh-Hans": ("那我明天就去找消协。", "消协"),
    },
    "threat_media": {
        "es": ("Mañana voy a llamar a la prensa.", "prensa"),
        "zh-Hant": ("再這樣我就找記者來。", "記者"),
    },
    "threat_legal": {
        "hr": ("Onda ćete se čuti s mojim odvjetnikom.", "odvjetnikom"),
        "en": ("Then you will hear from my lawyer.", "lawyer"),
    },
    "self_harm": {
        "zh-Hant": ("錢要不回來，我真的活不下去了。", "活不下去"),
        "de": ("Ich will nicht mehr leben.", "nicht mehr leben"),
    },
    "threat_violence": {
        "en": ("Next time I'll break his legs.", "break his legs"),
        "zh-Hans": ("再来我打断你的腿。", "打断你的腿"),
    },
    "emergency": {
        "hr": ("Zapeli smo u liftu, djed ne može disati.", "liftu"),
        "es": ("Huele a gas en toda la escalera.", "Huele a gas"),
    },
    "ask_superior": {
        "en": ("I would like to speak to your manager.", "manager"),
        "de": ("Geben Sie mir Ihren Vorgesetzten.", "Vorgesetzten"),
        "zh-Hant": ("叫你們經理來接電話。", "經理"),
    },
}
"""Said politely, found by the phrase packs alone: label -> language -> the turn, and what the quote must hold."""
KIND_OF = {label: kind for kind, labels in ON_THE_TURN for label in labels} | {"ask_superior": "escalation_request"}
WORDING = {
    "taboo": {"en": ("Take it or leave it.", "Take it or leave it"), "zh-Hans": ("那你去投诉啊，随便你！", "投诉")},
    "confront": {"hr": ("Nemojte vikati na mene.", "vikati"), "de": ("Jetzt hören Sie mir mal zu.", "hören")},
}


def on_the_word() -> Iterator[Raised]:
    for label, by_language in ON_THE_WORD.items():
        for language, (words, mark) in by_language.items():
            kind = KIND_OF[label]
            severity = "warning" if kind == "escalation_request" else "critical"
            yield Raised(kind, severity, language, conversation(language, customer(words)), ((label, mark),), "0")


def by_wording() -> Iterator[Raised]:
    for label, by_language in WORDING.items():
        for language, (words, mark) in by_language.items():
            calm = conversation(language, customer(AGREED[language]), agent(words))
            hot = conversation(language, customer(UPSET[language], 3.5), agent(words))
            quotes = ((label, mark),)
            yield Raised("agent_conduct", "warning" if label == "taboo" else "info", language, calm, quotes, "1")
            yield Raised("agent_conduct", "warning", language, hot, quotes, "1")


def by_curve(language: str) -> Iterator[Raised]:
    """The kinds that need no certain word."""
    first, second = UPSET[language], STILL_UPSET[language]
    hot = [customer(first, 3.2, "grievance"), agent("..."), customer(second, 3.2, anger=0.9)]
    ask = customer(CUE_WORDS["ask_superior"].get(language, FELL_THROUGH[language]), 3.8, "ask_superior", anger=0.9)
    yield Raised("escalation_request", "critical", language, conversation(language, ask), (("ask_superior", ""),), "0")
    both = (("grievance", first), ("anger", second))
    yield Raised("risk", "warning", language, conversation(language, *hot), both, "2")
    one = conversation(language, customer(first, 2.0, "grievance"))
    told_by = (("grievance", first),)
    yield Raised("risk", "critical", language, one, told_by, "0", (*RISK_AT_ONCE, ALWAYS_CRITICAL))
    yield Raised("risk", "warning", language, one, told_by, "0", RISK_AT_ONCE)
    relapse = (("blocked", FELL_THROUGH[language]),)
    yield Raised("relapse", "warning", language, journey(language), relapse, "5")
    alone = conversation(language, customer(first, 3.5, anger=0.9))
    yield Raised("silence", "warning", language, alone, (("anger", first),), None, quiet_until_s=30.0)
    unhappy = conversation(language, customer(first, 3.0), agent("..."), customer(second, 2.5), end="hangup")
    yield Raised("unsatisfied_close", "warning", language, unhappy, (("heat", second),), None)


RAISED: list[Raised] = [
    *on_the_word(), *by_wording(), *(case for language in LANGUAGES for case in by_curve(language))
]  # fmt: skip


def raised_id(case: Raised) -> str:
    return f"{case.kind}-{case.severity}-{case.quotes[0][0]}-{case.language}"


def alerts(rules: Rules, case: Raised, *sets: str) -> list[Alert]:
    ticks = () if case.quiet_until_s is None else (Tick(call_id=CALL, at_s=case.quiet_until_s),)
    found = of(told(under(rules, *case.sets, *sets), case.call, *ticks), Alert)
    return [alert for alert in found if alert.kind == case.kind]


@pytest.mark.parametrize("case", RAISED, ids=raised_id)
def test_an_alert_fires_with_its_severity_and_quotes_the_words(even: Rules, case: Raised) -> None:
    firing = [alert for alert in alerts(even, case) if alert.state == "firing"]
    assert [alert.severity for alert in firing] == [case.severity]
    (alert,) = firing
    assert alert.segment_id == (case.segment_id or msgspec.UNSET)
    texts = {turn.segment_id: turn.text for turn in of(told(even, case.call), Turn)}
    for label, words in case.quotes:
        assert any(item.label == label and words in item.quote for item in alert.evidence), alert.evidence
    assert all(item.quote and item.quote in texts[item.segment_id] for item in alert.evidence)
    assert alert.audience == "supervisor"


@pytest.mark.parametrize("language", REASON_LANGUAGES)
@pytest.mark.parametrize("case", RAISED, ids=raised_id)
def test_a_reason_says_in_its_reader_s_language_what_was_heard(even: Rules, case: Raised, language: str) -> None:
    alert = alerts(even, case, f'alerts.language="{language}"')[0]
    assert is_written_in(alert.reason, language)
    if case.kind in ("risk", "must_report", "safety", "agent_conduct", "relapse"):
        for label, _ in case.quotes:
            assert even.texts.label(label, language) in alert.reason
    if case.kind == "silence":
        assert "6" in alert.reason
    if case.kind == "risk":
        (tension,) = (p.tension for p in points(even, case.call) if p.segment_id == alert.segment_id)
        assert f"{round(100 * tension)}" in alert.reason


def is_written_in(reason: str, language: str) -> bool:
    """One whole sentence in the script of the language; no slot is left open."""
    chinese = any("\u4e00" <= char <= "\u9fff" for char in reason)
    whole = not set("{}") & set(reason) and reason[-1] in ("。" if chinese else ".")
    return whole and chinese == language.startswith("zh")


def every_reason(rules: Rules, language: str) -> dict[str, str]:
    """Each kind's first sentence, and those with which alerts go on and end."""
    own = f'alerts.language="{language}"'
    found = {case.kind: alerts(rules, case, own)[0].reason for case in RAISED if case.language in ("en", "de")}
    upset, hot = customer(UPSET["en"], 3.5), customer(STILL_UPSET["en"], 3.5)
    threat = customer("You will hear from my lawyer.")
    for name, state, lines in (
        ("again", "updated", [threat, threat]),
        ("answered", "resolved", [upset, 20.0, agent(SOLVED["en"], "solve")]),
        ("ended", "resolved", [upset, hot]),
        ("recovered", "resolved", [upset, hot, agent("...", "solve"), *[customer("Good.", 0.0, "eased")] * 8]),
    ):
        events = of(told(under(rules, own), conversation("en", *lines, end="end")), Alert)
        (found[name],) = (alert.reason for alert in events if alert.state == state)
    return found


@pytest.mark.parametrize("language", ["en", "zh-Hans", "hr"])
@pytest.mark.parametrize("label", KIND_OF)
def test_what_only_the_model_heard_needs_a_high_score_and_quotes_the_turn(
    ears_only: Rules, label: str, language: str
) -> None:
    for score, states in ((0.9, ["firing"]), (0.6, [])):
        line = customer(FELL_THROUGH[language], 0.5, label)
        line = line._replace(score=msgspec.structs.replace(line.score, labels={label: score}))
        found = of(told(ears_only, conversation(language, line)), Alert)
        assert [alert.state for alert in found if alert.kind == KIND_OF[label]] == states
        quoted = Evidence(segment_id="0", quote=FELL_THROUGH[language], label=label)
        assert all(alert.evidence == [quoted] for alert in found)


# --- what is said again -----------------------------------------------------------------------------------------

SAID_AGAIN = {
    "en": (
        ["I stayed at home all Wednesday and nobody came.", "What about my refund?",
         "As I said, I stayed at home all Wednesday, nobody came!", "All Wednesday I stayed at home, nobody came."],
        "Wednesday",
    ),
    "hr": (
        ["Cijelu sam srijedu čekao kod kuće i nitko nije došao.", "A gdje je moj novac?",
         "Kažem vam, cijelu srijedu čekao sam kod kuće!", "Čekao sam cijelu srijedu, nitko nije došao."],
        "srijedu",
    ),
    "de": (
        ["Ich habe den ganzen Mittwoch zu Hause gewartet, niemand kam.", "Und meine Erstattung?",
         "Noch einmal: ich habe den ganzen Mittwoch gewartet!", "Den ganzen Mittwoch zu Hause gewartet, und niemand."],
        "Mittwoch",
    ),
    "es": (
        ["Esperé todo el miércoles en casa y nadie vino.", "¿Y la devolución?",
         "Le repito que esperé todo el miércoles en casa.", "Todo el miércoles esperando en casa y nadie vino."],
        "miércoles",
    ),
    "zh-Hans": (
        ["我周三请假在家等了一整天，没有人来。", "那退款呢？",
         "我说了，周三请假在家等了一整天！", "周三在家等了一整天，没有人来。"],
        "等了一整天",
    ),
    "zh-Hant": (
        ["我週三請假在家等了一整天，沒有人來。", "那退款呢？",
         "我說了，週三請假在家等了一整天！", "週三在家等了一整天，沒有人來。"],
        "等了一整天",
    ),
}  # fmt: skip
"""Four turns, of which the first, third and fourth say the same; a word that is quoted."""


@pytest.mark.parametrize("language", SAID_AGAIN)
def test_what_is_said_again_is_quoted_and_counted(ears_only: Rules, language: str) -> None:
    texts, mark = SAID_AGAIN[language]
    lines = [part for text in texts for part in (customer(text, 1.0), agent("..."))]
    events = told(ears_only, conversation(language, *lines))
    turns = [turn for turn in of(events, Turn) if turn.role == "customer"]
    hits = [[hit for hit in turn.labels if hit.name == "repetition"] for turn in turns]
    assert [len(found) for found in hits] == [0, 0, 1, 1]
    for turn, (hit,), count in zip(turns[2:], hits[2:], (2, 3), strict=True):
        assert hit.count == count
        assert all(piece in turn.text for piece in hit.content)
        assert mark in "\n".join(hit.content)
        assert mark in turn.text[hit.start : hit.end]
    raised = [part.segment_id for part in of(events, Point)[-1].contributions if part.name == "cue:repetition"]
    assert raised == [turns[2].segment_id, turns[3].segment_id], "it counts however politely it is said"


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_agents_repeat_nothing_and_a_short_word_is_no_repetition(ears_only: Rules, language: str) -> None:
    said = SAID_AGAIN[language][0][0]
    lines = [customer(said), agent(said), agent(said), customer(AGREED[language][:4]), customer(AGREED[language][:4])]
    turns = of(told(ears_only, conversation(language, *lines)), Turn)
    assert not [hit for turn in turns for hit in turn.labels]


# --- the whole call ---------------------------------------------------------------------------------------------


def end_of(rules: Rules, *lines: Line | float, language: str, reason: str = "hangup") -> Call:
    end = told(rules, conversation(language, *lines, end=reason))[-1]
    assert isinstance(end, Call)
    return end


TYPE_CUES = [(kind, cue) for kind, cues in TYPES.items() for cue in sorted(cues)]


@pytest.mark.parametrize("language", ["en", "zh-Hant", "hr"])
@pytest.mark.parametrize(("kind", "cue"), TYPE_CUES)
def test_two_turns_of_a_kind_make_a_customer_type(ears_only: Rules, kind: str, cue: str, language: str) -> None:
    words = [UPSET[language], FELL_THROUGH[language]]
    once = end_of(ears_only, customer(words[0], 2.0, cue), language=language)
    twice = end_of(ears_only, *(customer(text, 2.0, cue) for text in words), language=language)
    assert (once.customer_type, once.type_evidence) == (None, [])
    assert twice.customer_type == kind
    assert twice.type_evidence == [Evidence(segment_id=str(n), quote=text, label=cue) for n, text in enumerate(words)]


@pytest.mark.parametrize("language", ["de", "zh-Hans"])
def test_boiling_without_an_insult_is_irritable_and_the_type_with_more_evidence_wins(
    ears_only: Rules, language: str
) -> None:
    hot = [customer(UPSET[language], 3.6), customer(STILL_UPSET[language], 3.6)]
    assert end_of(ears_only, *hot, language=language).customer_type == "irritable"
    asking = [customer(FELL_THROUGH[language], 2.0, "insists_reason")] * 3
    assert end_of(ears_only, *hot, *asking, language=language).customer_type == "rational"
    calm = end_of(ears_only, customer(AGREED[language]), customer(RELIEVED[language]), language=language)
    assert calm.customer_type is None


class Routed(NamedTuple):
    """To whom a call goes, at which turn."""

    name: str
    lines: tuple[Line | CallTransfer, ...]
    route: tuple[str, int]
    segment_id: str


MOVED_ON = CallTransfer(call_id=CALL, at_s=0.0, to=TransferTo(department="technical"))


def routed(language: str) -> list[Routed]:
    words = UPSET[language]
    stuck = [agent("...", name) for name in ("hesitate", "helpless")]
    blocked = customer(FELL_THROUGH[language], 0.5, "blocked")
    twice = customer(words, 0.5, "repeat_contact")
    return [
        Routed("danger", (customer(words, 0.5, "emergency"),), ("management", 3), "0"),
        Routed("outside", (customer(words, 0.5, "threat_media"),), ("management", 3), "0"),
        Routed("demand", (customer(words, 2.0, "extreme_demand"),), ("management", 3), "0"),
        Routed("superior", (customer(words, 0.5, "ask_superior"),), ("supervisor", 2), "0"),
        Routed("bounced", (customer(words, 0.5, "bounced"),), ("department", 2), "0"),
        Routed("transfers", (MOVED_ON, agent("..."), MOVED_ON, twice), ("department", 2), "1"),
        Routed("blocked", (blocked, agent("..."), blocked), ("technical", 2), "2"),
        Routed("stuck", (customer(AGREED[language]), stuck[0], customer("..."), stuck[1]), ("technical", 2), "3"),
    ]


ROUTED = [(language, case) for language in ("en", "zh-Hans", "es") for case in routed(language)]
QUIET_ROUTES = {"danger", "outside", "superior", "bounced", "transfers", "blocked", "stuck"}


@pytest.mark.parametrize(("language", "case"), ROUTED, ids=[f"{case.name}-{language}" for language, case in ROUTED])
def test_a_call_is_routed_by_what_it_needs_and_not_by_its_heat(ears_only: Rules, language: str, case: Routed) -> None:
    events = told(ears_only, conversation(language, *case.lines))
    (found,) = of(events, Suggestion)
    assert ((found.escalation_type, found.tier), found.segment_id) == (case.route, case.segment_id)
    assert found.reason
    if case.name in QUIET_ROUTES:
        assert all(point.tension < CALM_BELOW for point in of(events, Point)), "tier without tension"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_hot_call_that_is_calmed_gets_nobody(ears_only: Rules, language: str) -> None:
    lines = [
        customer(UPSET[language], 3.8, "insult", "grievance", anger=0.95),
        agent(SOLVED[language], "own", "solve"),
        customer(RELIEVED[language], 0.2, "eased"),
    ]
    events = told(ears_only, conversation(language, *lines))
    assert of(events, Point)[0].tension > HOT_ABOVE
    assert of(events, Suggestion) == []


@pytest.mark.parametrize("language", ["hr", "zh-Hant"])
def test_a_suggestion_is_replaced_only_by_a_higher_or_another_one(ears_only: Rules, language: str) -> None:
    cues = ["ask_superior", "ask_superior", "bounced", "threat_legal", "ask_superior", "emergency"]
    events = told(ears_only, conversation(language, *(customer(UPSET[language], 0.5, cue) for cue in cues)))
    assert [(event.segment_id, event.escalation_type, event.tier) for event in of(events, Suggestion)] == [
        ("0", "supervisor", 2),
        ("2", "department", 2),
        ("3", "management", 3),
    ]


def endings(language: str) -> dict[str, tuple[list[Line], str, set[str], str]]:
    """Name -> the call, the reason of its end, the flags and the outcome that it must get."""
    upset, calm = customer(UPSET[language], 3.0), customer(RELIEVED[language], 0.0, "eased")
    gives_up = customer(AGREED[language], 0.5, "resigned")
    solved, threat = agent(SOLVED[language], "own", "solve"), customer(UPSET[language], 3.0, "threat_legal")
    return {
        "resolved": ([upset, solved, calm], "end", set(), "resolved"),
        "upset": ([upset], "end", {"unsatisfied_close", "open_risk"}, "unresolved"),
        "hung up": ([upset], "hangup", {"unsatisfied_close", "open_risk"}, "abandoned"),
        "threat": ([threat], "hangup", {"unsatisfied_close", "open_risk"}, "escalated"),
        "still tense": (
            [upset, upset, customer("...", 1.4)], "end", {"unsatisfied_close", "open_risk"}, "unresolved"
        ),
        "resigned": ([gives_up], "end", {"unsatisfied_close", "resigned_close"}, "unresolved"),
        "inquiry": ([upset, agent("...", "own", "promise_inquiry"), calm], "end", {"open_promise"}, "resolved"),
        "told when": ([calm, agent("...", "set_expectation")], "end", {"open_promise"}, "resolved"),
        "manager": ([upset, Line("manager", "...", solved.score), calm], "end", set(), "escalated"),
    }  # fmt: skip


ENDINGS = [(language, name) for language in ("en", "zh-Hans", "de") for name in endings(language)]


@pytest.mark.parametrize(("language", "name"), ENDINGS)
def test_the_end_flags_what_was_left_open_and_guesses_the_outcome(ears_only: Rules, language: str, name: str) -> None:
    lines, reason, flags, outcome = endings(language)[name]
    end = end_of(ears_only, *lines, language=language, reason=reason)
    assert (set(end.flags), end.outcome_guess) == (flags, outcome)
    assert len(end.flags) == len(set(end.flags))


@pytest.mark.parametrize("language", ["hr", "zh-Hant"])
@pytest.mark.parametrize("signal", sorted(SIGNALS))
def test_a_signal_that_no_good_move_answers_is_missed(ears_only: Rules, signal: str, language: str) -> None:
    said = customer(UPSET[language], 0.5, signal)
    missed = Evidence(segment_id="0", quote=UPSET[language], label=signal)
    for replies, expected in (
        ([agent(SOLVED[language], "empathise")], []),
        ([agent("...", "procedure_only")], [missed]),
        ([agent("...", "procedure_only"), agent(SOLVED[language], "empathise")], [missed]),
        ([], [missed]),
    ):
        end = end_of(ears_only, said, *replies, language=language)
        assert end.missed_signals == expected


# --- properties -------------------------------------------------------------------------------------------------


@st.composite
def calls(draw: st.DrawFn) -> Conversation:
    """A call of any shape, in any of the languages, with pauses."""
    language = draw(st.sampled_from(LANGUAGES))
    lines: list[Line | float] = []
    for _ in range(draw(st.integers(1, 10))):
        if draw(st.booleans()):
            lines.append(draw(st.floats(0, 120)))
        if draw(st.booleans()):
            labels = draw(st.lists(st.sampled_from(sorted({*CUE_SHARES, *_EASING, *SIGNALS})), max_size=3, unique=True))
            text = draw(st.sampled_from([words[language] for words in (UPSET, STILL_UPSET, AGREED, FELL_THROUGH)]))
            lines.append(customer(text, draw(st.floats(0, 4)), *labels))
        else:
            labels = draw(st.lists(st.sampled_from(sorted({*CREDIT_SHARES, *FAILING_MOVES})), max_size=3, unique=True))
            lines.append(agent(SOLVED[language], *labels))
    return conversation(language, *lines, end=draw(st.sampled_from([None, "hangup"])))


@settings(max_examples=60)
@given(call=calls())
def test_taking_a_term_away_leaves_the_sum_of_the_others(rules: Rules, call: Conversation) -> None:
    for point in points(rules, call):
        parts = point.contributions
        whole = total(parts)
        assert abs(min(1.0, max(0.0, whole)) - point.tension) < 1e-9
        for at, part in enumerate(parts):
            others = [*parts[:at], *parts[at + 1 :]]
            assert abs(whole - part.value - total(others)) < 1e-9
            assert abs(tension_of(others) - min(1.0, max(0.0, whole - part.value))) < 1e-9


def as_call(call: Conversation, call_id: str) -> Conversation:
    return Conversation([msgspec.structs.replace(record, call_id=call_id) for record in call.records], call.scores)


@settings(max_examples=60)
@given(one=calls(), other=calls(), order=st.randoms(use_true_random=False))
def test_calls_beside_each_other_say_what_they_say_alone(
    rules: Rules, one: Conversation, other: Conversation, order: random.Random
) -> None:
    both = {call_id: as_call(call, call_id) for call_id, call in (("left", one), ("right", other))}

    def run(turns: Iterable[str]) -> dict[str, list[bytes]]:
        folds = {call_id: Fold(call_id, rules) for call_id in both}
        waiting = {call_id: iter(call.records) for call_id, call in both.items()}
        out: dict[str, list[bytes]] = {call_id: [] for call_id in both}
        for call_id in turns:
            events = settle(folds[call_id], folds[call_id].apply(next(waiting[call_id])), both[call_id].scores)
            out[call_id] += map(encode, events)
        for call_id, fold in folds.items():
            out[call_id] += map(encode, settle(fold, fold.close(), both[call_id].scores))
        return out

    tidy = [call_id for call_id, call in both.items() for _ in call.records]
    mixed = order.sample(tidy, len(tidy))
    assert run(mixed) == run(tidy) == run(reversed(tidy))
    assert run(tidy)["left"] == [encode(event) for event in alone(rules, both["left"], "left")]


def alone(rules: Rules, call: Conversation, call_id: str) -> list[Event]:
    fold = Fold(call_id, rules)
    events = [event for record in call.records for event in settle(fold, fold.apply(record), call.scores)]
    return [*events, *settle(fold, fold.close(), call.scores)]


# --- nothing without a test -------------------------------------------------------------------------------------

TREES = [ast.parse(path.read_text("utf-8")) for path in sorted(Path(core.__file__).parent.glob("*.py"))]
CURVE_CALLS = frozenset({"rise_to", "fall_to", "raise_by", "lower_by", "add", "_Term"})
FAMILIES = {"cue": CUE_SHARES, "credit": CREDIT_SHARES, "charge": FAILING_MOVES}
"""Families of contributions and the tables that name their members."""


def calls_to(names: Iterable[str]) -> Iterator[ast.Call]:
    for node in (node for tree in TREES for node in ast.walk(tree)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
            if name in names:
                yield node


def names_in(node: ast.expr) -> set[str]:
    """The names that an expression may stand for; one that is not understood fails, so that somebody looks."""
    match node:
        case ast.Constant(value=str(name)):
            return {name}
        case ast.IfExp():
            return names_in(node.body) | names_in(node.orelse)
        case ast.JoinedStr(values=[ast.Constant(value=str(prefix)), ast.FormattedValue()]):
            family = prefix.rstrip(":")
            return {f"{family}:{member}" for member in FAMILIES[family]}
        case ast.Subscript(value=ast.Name(id="easing")):
            return set(_EASING)
        case _:
            raise AssertionError(f"which contributions are these: {ast.unparse(node)}?")


def declared_contributions() -> set[str]:
    found: set[str] = set()
    for call in calls_to(CURVE_CALLS):
        method = call.func.attr if isinstance(call.func, ast.Attribute) else "_Term"
        if len(call.args) < 3:
            continue  # another `add`
        name = call.args[0 if method in ("add", "_Term") else 1]
        if not (isinstance(name, ast.Name) and name.id == "name"):  # passed on inside the curve
            found |= names_in(name)
    return found


def declared(*makers: str) -> set[str]:
    """First arguments, where they are spelled out, of calls to these."""
    firsts = (call.args[0] for call in calls_to(makers) if call.args)
    return {node.value for node in firsts if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def in_two_languages(pairs: Iterable[tuple[str, str]]) -> set[str]:
    languages: dict[str, set[str]] = {}
    for name, language in pairs:
        languages.setdefault(name, set()).add(language)
    return {name for name, spoken in languages.items() if len(spoken) >= 2}


def scenarios() -> Iterator[tuple[str, Conversation]]:
    """The scenarios of this file that need no alert, each with its language."""
    for term in TERMS:
        yield term.language, term.call
    for language in LANGUAGES:
        yield from ((language, make(language)) for make in (journey, half_way))
    for language, case in ROUTED:
        yield language, conversation(language, *case.lines)
    for language, name in ENDINGS:
        lines, reason, _, _ = endings(language)[name]
        yield language, conversation(language, *lines, end=reason)


@pytest.fixture(scope="module")
def seen(even: Rules, ears_only: Rules) -> list[tuple[str, Event]]:
    """All that these and the alerts' scenarios tell, each event with its language."""
    found = [(language, event) for language, call in scenarios() for event in told(ears_only, call)]
    return found + [(case.language, alert) for case in RAISED for alert in alerts(even, case)]


def test_no_contribution_is_without_a_test_in_two_languages(seen: list[tuple[str, Event]]) -> None:
    names = declared_contributions()
    assert in_two_languages((term.name, term.language) for term in TERMS) == names
    shown = (
        (part.name, language) for language, event in seen if isinstance(event, Point) for part in event.contributions
    )
    assert in_two_languages(shown) == names


def test_no_turning_point_and_no_stage_is_without_a_test_in_two_languages(seen: list[tuple[str, Event]]) -> None:
    turned = ((event.kind, language) for language, event in seen if isinstance(event, Pivot))
    assert in_two_languages(turned) == declared("Turned") == {"intensified", "eased", "relapse"}
    moved = ((f"{event.from_} {event.to}", language) for language, event in seen if isinstance(event, Stage))
    assert in_two_languages(moved) == {"calm vent", "vent disarm", "disarm calm", "disarm vent"}


def test_no_alert_is_without_a_test_in_two_languages(seen: list[tuple[str, Event]]) -> None:
    kinds = declared("_say", "raise_alert") | {kind for kind, _ in ON_THE_TURN}
    assert in_two_languages((case.kind, case.language) for case in RAISED) == kinds
    assert in_two_languages((event.kind, language) for language, event in seen if isinstance(event, Alert)) == kinds
    assert len(kinds) == 8
    labels = {label for _, names in ON_THE_TURN for label in names} | {"ask_superior"}
    assert in_two_languages((label, language) for label, found in ON_THE_WORD.items() for language in found) == labels


def test_no_suggestion_and_no_flag_is_without_a_test_in_two_languages(seen: list[tuple[str, Event]]) -> None:
    reasons = {
        node.args[2].value
        for node in calls_to(["Route"])
        if len(node.args) == 3 and isinstance(node.args[2], ast.Constant)
    }
    given_reasons = ((event.reason, language) for language, event in seen if isinstance(event, Suggestion))
    assert in_two_languages(given_reasons) == reasons
    ends = [(language, event) for language, event in seen if isinstance(event, Call) and event.state == "end"]
    flags = in_two_languages((flag, language) for language, event in ends for flag in event.flags)
    assert flags == {"unsatisfied_close", "resigned_close", "open_promise", "open_risk"}


def test_every_reason_is_there_and_different_in_the_four_languages(even: Rules) -> None:
    found = {language: every_reason(even, language) for language in REASON_LANGUAGES}
    kinds = declared("_say", "raise_alert") | {kind for kind, _ in ON_THE_TURN}
    thirds = [call.args[2] for call in calls_to(["resolve"]) if len(call.args) > 2]
    ends = {node.value for node in thirds if isinstance(node, ast.Constant)}
    assert set(found["en"]) == kinds | ends | {"again"} == set(REASONS)
    for kind in REASONS:
        said = [found[language][kind] for language in REASON_LANGUAGES]
        assert len(set(said)) == len(REASON_LANGUAGES)
        assert all(map(is_written_in, said, REASON_LANGUAGES))
