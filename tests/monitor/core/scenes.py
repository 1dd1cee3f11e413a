"""Calls that several tests of the core share: the words by language, and the cases that are built of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar

import msgspec

from models.labels import STEPS
from monitor.config import load
from monitor.core.deciding import ON_THE_TURN
from monitor.core.events import Alert, Contribution, Event, Point
from monitor.core.inputs import Tick
from monitor.core.rules import Rules
from stream.messages import CallTransfer, TransferTo
from tests.monitor.core.calls import CALL, Conversation, Line, agent, conversation, customer, heard, play

AnyEvent = TypeVar("AnyEvent", bound=Event)
Said = TypeVar("Said")

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
    "m02_empathise": {
        "en": "Three days at home for nothing, that is maddening.",
        "de": "Drei Tage umsonst, das ärgert.",
    },
    "m03_confirm_issue": {"es": "El técnico no fue ninguna de las tres veces.", "zh-Hant": "所以三次都沒有人到。"},
    "m05_ask_details": {"hr": "Je li vas itko nazvao prije termina?", "zh-Hans": "约好之前有人给您打过电话吗？"},
    "m06_set_expectation": {"de": "Bis vier Uhr wissen Sie Bescheid.", "en": "You will know by four o'clock."},
    "m07_reassure_apologise": {"zh-Hant": "這是我們的疏失，我會負責到底。", "es": "El fallo es nuestro y me ocupo yo."},
    "m13_gratitude": {"en": "Thank you for telling us.", "hr": "Hvala vam što ste nam rekli."},
    "m14_next_steps": {
        "zh-Hans": "两点的车我来安排，到了再给您电话。",
        "de": "Der Wagen kommt um zwei, dann rufe ich an.",
    },
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


def each(table: dict[str, dict[str, Said]]) -> Iterator[tuple[str, str, Said]]:
    """What a table of names by language holds, one by one."""
    return ((name, language, said) for name, by_language in table.items() for language, said in by_language.items())


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
    role = "manager" if move in STEPS else "agent"
    with_it, without = (Line(role, words, heard(None, *moves)) for moves in ((move,), ()))
    call = conversation(language, before, with_it)
    return Term(f"credit:{move}", language, call, "1", -1, conversation(language, before, without))


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
    *(by_cue(*item) for item in each(CUE_WORDS)),
    *(by_credit(*item) for item in each(CREDIT_WORDS)),
    *(by_charge(*item) for item in each(FAILING_WORDS)),
    *(term for language in LANGUAGES for term in by_turn(language)),
    *(term for item in SARCASM_WORDS.items() for term in by_sarcasm(*item)),
]


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
    for label, language, (words, mark) in each(ON_THE_WORD):
        kind = KIND_OF[label]
        severity = "warning" if kind == "escalation_request" else "critical"
        yield Raised(kind, severity, language, conversation(language, customer(words)), ((label, mark),), "0")


def by_wording() -> Iterator[Raised]:
    for label, language, (words, mark) in each(WORDING):
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


def alerts(rules: Rules, case: Raised, *sets: str) -> list[Alert]:
    ticks = () if case.quiet_until_s is None else (Tick(call_id=CALL, at_s=case.quiet_until_s),)
    found = of(told(under(rules, *case.sets, *sets), case.call, *ticks), Alert)
    return [alert for alert in found if alert.kind == case.kind]


def is_written_in(reason: str, language: str) -> bool:
    """One whole sentence in the script of the language; no slot is left open."""
    chinese = any("\u4e00" <= char <= "\u9fff" for char in reason)
    whole = not set("{}") & set(reason) and reason[-1] in ("。" if chinese else ".")
    return whole and chinese == language.startswith("zh")


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
        "found out": ([upset, agent("...", "promise_inquiry"), solved, calm], "end", set(), "resolved"),
        "told when": ([calm, agent("...", "set_expectation")], "end", {"open_promise"}, "resolved"),
        "manager tells when": (
            [upset, Line("manager", "...", heard(None, "m06_set_expectation")), calm],
            "end", {"open_promise"}, "escalated",
        ),
        "manager": ([upset, Line("manager", "...", solved.score), calm], "end", set(), "escalated"),
    }  # fmt: skip


ENDINGS = [(language, name) for language in ("en", "zh-Hans", "de") for name in endings(language)]
