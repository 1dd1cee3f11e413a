"""The guesser: scripts, words, priors."""

import pytest

from models.examples import utterances
from models.language import LanguageGuesser

GUESSER = LanguageGuesser()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("我要投诉你们公司,这个问题已经三次了", "zh-Hans"),
        ("我要投訴你們公司,這個問題已經三次了", "zh-Hant"),
        ("もう三週間も待っています", "ja"),
        ("벌써 세 번째 전화예요", "ko"),
        ("Я уже третий раз звоню", "ru"),
        ("هذه المرة الثالثة التي أتصل فيها", "ar"),
        ("मैं तीसरी बार फोन कर रहा हूँ", "hi"),
        ("Zovem vas već treći put i nitko mi se ne javlja", "hr"),
        ("Ovo je sramota, hoću razgovarati s voditeljem", "hr"),
        ("This is the third time I am calling you", "en"),
        ("Es la tercera vez que llamo y nadie me ayuda", "es"),
        ("Ich rufe jetzt schon zum dritten Mal an", "de"),
        ("C'est la troisième fois que j'appelle", "fr"),
        ("È la terza volta che chiamo", "it"),
        ("Já é a terceira vez que ligo para vocês", "pt"),
        ("Dzwonię już trzeci raz w tej sprawie", "pl"),
        ("Üçüncü kez arıyorum ve kimse yardım etmiyor", "tr"),
    ],
)
def test_sixteen_languages(text: str, wanted: str) -> None:
    assert GUESSER.guess(text, None)[0] == wanted


@pytest.mark.parametrize("text", ["ok", "Hm.", "123 456", "", "no", "?!", "Super"])
def test_one_word_keeps_the_prior(text: str) -> None:
    assert GUESSER.guess(text, "hr") == ("hr", 0.0)
    assert GUESSER.guess(text, None) == (None, 0.0)


def test_chinese_without_a_telling_character_keeps_the_prior() -> None:
    assert GUESSER.guess("好的", "zh-Hant") == ("zh-Hant", 0.0)
    assert GUESSER.guess("好的", None)[0] == "zh-Hans"


def test_a_language_that_is_not_wanted_keeps_the_prior() -> None:
    assert LanguageGuesser(["en", "hr"]).guess("Я уже третий раз звоню", "en") == ("en", 0.0)
    with pytest.raises(ValueError, match="'xx'"):
        LanguageGuesser(["xx"])


def test_the_corpus_of_the_six_languages_is_told_apart() -> None:
    rows = [x.input for x in utterances() if x.source in {"contrast-hr", "contrast-de", "contrast-zh-Hant"}]
    wrong = sum(GUESSER.guess(row.text, None)[0] not in (row.language, None) for row in rows)
    assert wrong <= len(rows) // 50
