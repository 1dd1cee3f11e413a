"""The cue packs and their matcher: what is found, where exactly, and what is left alone."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.packlint import FULL, KNOWN, coverage, coverage_table, lint, measure, missing
from monitor.packs import PackError, Packs
from monitor.packs_fold import fold, fold_text

FOLDER = Path(__file__).parents[2] / "configs" / "packs"
FILES = [(path.relative_to(FOLDER).as_posix(), path.read_text("utf-8")) for path in sorted(FOLDER.glob("*/*.toml"))]
HEAD = '[pack]\nlanguage = "hr"\nname = "must_report"\nrole = "customer"\nversion = "1"\n'
ENTRY = '[[entry]]\nlabel = "threat_regulator"\nid = "hakom"\nphrases = ["prijavit* + hakom*"]\nsource = "test"\n'


@pytest.fixture(scope="module")
def packs() -> Packs:
    return Packs.load(FILES)


def found(packs: Packs, text: str, language: str | None, role: str = "customer") -> dict[str, str]:
    return {hit.label: text[hit.start : hit.end] for hit in packs.find(text, role, language)}


def test_bundled_packs_pass_the_linter() -> None:
    assert lint(FILES) == []


def test_every_label_is_covered_in_every_full_language() -> None:
    table = coverage(FILES)
    assert missing(table) == []
    assert all(code in coverage_table(table) for code in FULL)
    assert set(table) <= KNOWN


@pytest.mark.parametrize(
    ("language", "text", "label", "span"),
    [
        ("hr", "Prijavit ću vas Tržišnoj inspekciji!", "threat_regulator", "Prijavit ću vas Tržišnoj inspekciji"),
        ("hr", "prijavit cu vas trzisnoj inspekciji", "threat_regulator", "prijavit cu vas trzisnoj inspekciji"),
        ("de", "Dann wende ich mich an die VERBRAUCHERZENTRALE.", "threat_regulator", None),
        ("de", "Ich schalte meinen Anwalt ein", "threat_legal", None),
        ("de", "Sie hören von meiner Anwaeltin.", "threat_legal", None),
        ("es", "voy a poner una reclamacion formal", "threat_complaint", None),
        ("en", "Then you\u2019ll hear from my lawyer.", "threat_legal", "hear from my lawyer"),
        ("en", "Ill be calling the ombudsman", "threat_regulator", None),
        ("zh-Hans", "再拖我就打１２３１５！", "threat_regulator", None),
        ("zh-Hant", "這件事我要升級投訴", "threat_complaint", "升級投訴"),
        ("zh-Hant", "我等一下就打一九五零找消保官", "threat_regulator", None),
        ("zh-Hans", "我要升級投訴", "threat_complaint", None),
    ],
)
def test_spelling_case_width_and_script_do_not_matter(
    packs: Packs, language: str, text: str, label: str, span: str | None
) -> None:
    hits = found(packs, text, language)
    assert label in hits
    assert span is None or span in hits[label]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh-Hans", "气死我了，又断网了"),
        ("zh-Hans", "我想升级一下套餐"),
        ("zh-Hant", "氣死我了，等好久"),
        ("en", "This hold music is killing me."),
        ("en", "I'm dying for a coffee, take your time."),
        ("en", "I won't report you to the ombudsman."),
        ("en", "In case you need it, the number is 42."),
        ("de", "Die Warteschleife bringt mich noch um."),
        ("hr", "Neću vas prijaviti inspekciji, samo pitam."),
        ("es", "Me muero de risa con su anuncio."),
    ],
)
def test_idioms_other_senses_and_negation_do_not_hit(packs: Packs, language: str, text: str) -> None:
    assert packs.find(text, "customer", language) == []


def test_the_own_language_goes_first_and_a_switch_of_language_is_heard(packs: Packs) -> None:
    assert {hit.pack for hit in packs.find("我要升級投訴", "customer", "zh-Hant")} == {"zh-Hant/must_report"}
    german = packs.find("Passt, then you'll hear from my lawyer.", "customer", "de")
    assert [(hit.label, hit.pack) for hit in german] == [("threat_legal", "en/must_report")]
    assert packs.find("我会找 lawyer，I will sue you", "customer", "zh-Hans")


def test_packs_read_only_the_turns_of_their_role(packs: Packs) -> None:
    assert "helpless" in found(packs, "There is nothing I can do.", "en", "agent")
    assert found(packs, "There is nothing I can do.", "en") == {}
    assert found(packs, "I'll report you to Ofcom.", "en", "agent") == {}
    assert packs.find("anything", "bot", "en") == []


def test_the_longest_hit_of_a_label_is_kept_and_apart_hits_are_all_kept() -> None:
    one = Packs.load([("hr/x.toml", HEAD + ENTRY.replace('hakom*"]', 'hakom*", "prijavit* + hakom* + danas"]'))])
    text = "Prijavit ću vas HAKOM-u danas. Ponavljam: prijavit ću HAKOM."
    assert [text[hit.start : hit.end] for hit in one.find(text, "customer", "hr")] == [
        "Prijavit ću vas HAKOM-u danas",
        "prijavit ću HAKOM",
    ]


@pytest.mark.parametrize(
    ("unless", "text", "hits"),
    [
        ("nikad + ~", "Nikad ne bih prijavit hakomu", 0),
        ("~ + lani", "Prijavit ću HAKOM-u kao lani", 0),
        ("~ + lani", "Lani je bilo isto. Prijavit ću HAKOM-u", 1),
        ("film*", "U filmu kaže: prijavit ću HAKOM-u", 0),
        ("film*", "Gledao sam film. Prijavit ću HAKOM-u", 1),
        ("moj ~ lani", "moj prijavit ću HAKOMU lani", 0),
        ("moj ~ lani", "moj prijavit ću HAKOMU sutra", 1),
    ],
)
def test_guards_hold_before_after_and_near_in_the_same_sentence(unless: str, text: str, hits: int) -> None:
    one = Packs.load([("hr/x.toml", HEAD + ENTRY + f'unless = ["{unless}"]\n')])
    assert len(one.find(text, "customer", "hr")) == hits


def test_a_gap_steps_over_no_negation_and_no_sentence_end() -> None:
    one = Packs.load([("hr/x.toml", HEAD + ENTRY)])
    assert one.find("prijavit ću vas sutra HAKOM-u", "customer", "hr")
    assert not one.find("prijavit ću vam da nisam zvao HAKOM", "customer", "hr")
    assert not one.find("Prijavit ću kvar. HAKOM je drugo", "customer", "hr")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[pack", "not valid TOML"),
        (HEAD + ENTRY.replace("label", "lable"), "lable"),
        (HEAD + ENTRY.replace("prijavit* + hakom*", "prij*avit"), "prij*avit"),
        (HEAD + ENTRY.replace("hakom*", "{tijelo}"), "{tijelo}"),
        (HEAD + ENTRY.replace("prijavit* + hakom*", "+ +"), "no word"),
        (HEAD.replace("customer", "robot") + ENTRY, "robot"),
    ],
)
def test_a_bad_pack_is_named_with_file_entry_and_mend(text: str, words: str) -> None:
    with pytest.raises(PackError, match=r"hr/x\.toml") as caught:
        Packs.load([("hr/x.toml", text)])
    assert words in caught.value.mend


def test_the_linter_names_each_kind_of_problem() -> None:
    bad = HEAD + ENTRY + 'positive = ["Dobar dan."]\nnegative = ["Prijavit ću HAKOM."]\n'
    bad += ENTRY.replace("threat_regulator", "threat_moon")
    messages = " ".join(problem.message for problem in lint([("hr/x.toml", bad)]))
    for words in ("more than once", "threat_moon", "does not hit", "must not hit", "1 positive", "0 negative"):
        assert words in messages


def test_version_follows_the_content_only() -> None:
    a, b = ("a.toml", HEAD + ENTRY), ("b.toml", HEAD + ENTRY.replace('"hakom"', '"drugi"'))
    assert Packs.load([a, b]).version == Packs.load([b, a]).version != Packs.load([a]).version
    assert Packs.load([a]).languages == ("hr",)


def test_measure_counts_found_and_false_alarms(packs: Packs) -> None:
    turns = [
        {"lang": "en", "role": "customer", "text": "I'll sue you.", "labels": ["threat_legal"]},
        {"lang": "en", "role": "customer", "text": "A tennis court, please.", "labels": []},
    ]
    (row,) = measure(packs, turns, ["threat_legal"])
    assert (row.found, row.carried, row.false, row.others) == (1, 1, 0, 1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("क़ानून", "कानून"),
        ("हूँ", "हूं"),
        ("كَتَبَ،", "كتب,"),
        ("شكوى؟", "شكوي?"),
        ("ﾃﾞﾝﾜ。", "デンワ."),
        ("\u1112\u1161\u11ab", "한"),
    ],
)
def test_spellings_of_one_word_fold_alike(one: str, other: str) -> None:
    assert fold_text(one) == fold_text(other)


@given(st.text(max_size=60))
def test_the_offset_map_never_goes_back_and_covers_folded_text(text: str) -> None:
    folded = fold(text)
    assert len(folded.starts) == len(folded.ends) == len(folded.text)
    assert all(a <= b for a, b in pairwise(folded.starts))
    assert all(a <= b for a, b in pairwise(folded.ends))
    assert all(0 <= a < b <= len(text) for a, b in zip(folded.starts, folded.ends, strict=True))


THREATS = ["我要升級投訴你們", "prijavit ću vas tržišnoj inspekciji", "you'll hear from my lawyer"]
SENTENCES = [*THREATS, "I'll sue you", "Ich verklage Sie", "ＷＩＳＯ", "ｶﾞ", "ß", "\u200b"]


@given(st.lists(st.one_of(st.sampled_from(SENTENCES), st.text(max_size=8)), max_size=6))
def test_a_hit_sliced_from_the_original_hits_again(packs: Packs, parts: list[str]) -> None:
    text = " ".join(parts)
    hits = packs.find(text, "customer", None)
    assert hits == packs.find(text, "customer", None) == sorted(hits, key=lambda hit: (hit.start, hit.end))
    for hit in hits:
        assert 0 <= hit.start < hit.end <= len(text)
        if hit.label in ("threat_complaint", "threat_legal"):
            assert fold_text(text[hit.start : hit.end]).strip()


@pytest.mark.parametrize("threat", THREATS)
@given(st.text(alphabet="ßﬁé \u0301\u200b，1a", max_size=12))
def test_what_stands_before_a_threat_does_not_shift_its_span(packs: Packs, threat: str, before: str) -> None:
    alone = packs.find(threat, "customer", None)
    text = before + ". " + threat
    shifted = [hit for hit in packs.find(text, "customer", None) if hit.start >= len(before)]
    assert [text[hit.start : hit.end] for hit in shifted] == [threat[hit.start : hit.end] for hit in alone]
