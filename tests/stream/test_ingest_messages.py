"""Good frames come back as they were, bad ones as one clear error that gives nothing away."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.messages import (
    MAX_MESSAGE_BYTES,
    Ack,
    Agent,
    CallEnd,
    CallHold,
    CallResume,
    CallStart,
    CallTransfer,
    Customer,
    Error,
    Message,
    MessageError,
    Transcript,
    TransferTo,
    decode,
    encode,
)

SECRET = "my secret words"
FINAL: dict[str, Any] = {
    "type": "transcript",
    "call_id": "c",
    "segment_id": "s1",
    "role": "customer",
    "text": SECRET,
    "final": True,
    "start_s": 1.5,
}
TRANSFER = {"type": "call.transfer", "call_id": "c", "at_s": 1}


def frame(base: dict[str, Any] = FINAL, **changes: Any) -> str:
    """The message with fields changed, or left out where the change is `...`."""
    return json.dumps({name: value for name, value in {**base, **changes}.items() if value is not ...})


def refused(data: str | bytes) -> MessageError:
    with pytest.raises(MessageError) as caught:
        decode(data)
    return caught.value


EXAMPLES: list[tuple[str, Message]] = [
    (
        '{"type":"call.start","call_id":"c-17","channel":"voice","language":"hr","agent":{"id":"a-4","team":"billing"},'
        '"customer":{"id":"k-9"},"queue":"billing","started_at":"2026-11-22T09:30:00Z"}',
        CallStart(
            "c-17",
            language="hr",
            agent=Agent("a-4", "billing"),
            customer=Customer("k-9"),
            queue="billing",
            started_at=datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
        ),
    ),
    (
        '{"type":"transcript","call_id":"c-17","segment_id":"12","revision":0,"role":"customer","text":"Čekam…",'
        '"final":true,"start_s":41.2,"end_s":44.0,"language":"hr","confidence":0.93,"speech_rate":4.1,"loudness":-20}',
        Transcript(
            "c-17", "12", "customer", "Čekam…", True, 41.2, 44.0, 0, "hr", 0.93, speech_rate=4.1, loudness=-20.0
        ),
    ),
    ('{"type":"call.hold","call_id":"c-17","at_s":60.0}', CallHold("c-17", 60.0)),
    ('{"type":"call.resume","call_id":"c-17","at_s":95.5,"new":[1]}', CallResume("c-17", 95.5)),
    (
        '{"type":"call.transfer","call_id":"c-17","at_s":100,"to":{"department":"technical","agent":{"id":"a-9"}},"warm":false}',
        CallTransfer("c-17", 100.0, TransferTo("technical", Agent("a-9"))),
    ),
    ('{"type":"call.end","call_id":"c-17","at_s":180.2,"reason":"hangup"}', CallEnd("c-17", 180.2, "hangup")),
]


@pytest.mark.parametrize(("text", "message"), EXAMPLES)
def test_the_protocols_examples_are_read_and_written_back_the_same(text: str, message: Message) -> None:
    assert decode(text) == decode(text.encode()) == message
    assert decode(encode(message)) == message
    assert encode(decode(encode(message))) == encode(message)


def test_encoding_is_compact_with_the_type_first_and_defaults_left_out() -> None:
    assert encode(CallStart("c")) == b'{"type":"call.start","call_id":"c"}'
    assert encode(Transcript("c", "0", "agent", "é", True, 0.0, end_of_turn=False)).decode() == (
        '{"type":"transcript","call_id":"c","segment_id":"0","role":"agent","text":"é","final":true,"start_s":0.0,'
        '"end_of_turn":false}'
    )
    assert encode(Ack("c", "0")) == b'{"type":"ack","call_id":"c","segment_id":"0"}'
    assert encode(Error("bad_json", "no")) == b'{"type":"error","code":"bad_json","message":"no"}'


def test_a_message_says_whether_it_ends_a_turn_or_nothing() -> None:
    said = [decode(frame(end_of_turn=value)) for value in (True, False, None, ...)]
    assert [m.end_of_turn for m in said if isinstance(m, Transcript)] == [True, False, None, None]


@pytest.mark.parametrize("text", ["a\u0000b", "a\u001b\u007f\u0085b"])
def test_control_characters_are_taken_out_of_the_text(text: str) -> None:
    message = decode(frame(text=text))
    assert isinstance(message, Transcript)
    assert message.text == "ab"


def test_other_text_is_left_as_it_is() -> None:
    text = " e\u0301 \ufb01\u200d\U0001f600\tÄ\n "
    message = decode(frame(text=text))
    assert isinstance(message, Transcript)
    assert message.text == text


BAD_FIELDS: list[tuple[str, str]] = [
    *((name, frame(**{name: ...})) for name in FINAL),
    *((name, frame(**{name: None})) for name in FINAL),
    *((name, frame(**{name: 7})) for name in ("type", "call_id", "segment_id", "role", "text", "final")),
    *((name, frame(**{name: ["x"]})) for name in FINAL),
    *((name, frame(**{name: ""})) for name in ("call_id", "segment_id", "role", "type")),
    *((name, frame(**{name: "x" * 201})) for name in ("call_id", "segment_id")),
    *((name, frame(**{name: "a\u0000b"})) for name in ("call_id", "segment_id")),
    *((name, frame(**{name: value})) for name in ("start_s", "end_s") for value in (-1, "1", True, 4e7, 1e300)),
    ("end_s", frame(end_s=1.4)),
    ("final", frame(final="true")),
    ("final", frame(final=1)),
    ("role", frame(role="Customer")),
    ("type", frame(type="transcripts")),
    ("confidence", frame(confidence=1.01)),
    ("confidence", frame(confidence=-0.1)),
    ("confidence", frame(confidence="0.9")),
    ("revision", frame(revision=1.5)),
    ("revision", frame(revision=-1)),
    ("language", frame(language="not a tag")),
    ("language", frame(language=5)),
    ("end_of_turn", frame(end_of_turn="no")),
    ("speech_rate", frame(speech_rate="fast")),
    ("loudness", frame().replace("1.5", '1.5,"loudness":1e999')),
    ("to", frame(TRANSFER)),
    ("to", frame(TRANSFER, to="billing")),
    ("to", frame(TRANSFER, to={})),
    ("to", frame(TRANSFER, to={"department": None, "team": "billing"})),
    ("to.agent.id", frame(TRANSFER, to={"agent": {}})),
    ("to.agent.id", frame(TRANSFER, to={"agent": {"id": 4}})),
    ("warm", frame(TRANSFER, to={}, warm=1)),
    ("at_s", frame({"type": "call.end", "call_id": "c"})),
    ("at_s", frame({"type": "call.hold", "call_id": "c", "at_s": -0.5})),
    ("channel", frame({"type": "call.start", "call_id": "c", "channel": "fax"})),
    ("agent", frame({"type": "call.start", "call_id": "c", "agent": "a-4"})),
    ("customer.id", frame({"type": "call.start", "call_id": "c", "customer": {}})),
    ("started_at", frame({"type": "call.start", "call_id": "c", "started_at": "2026-11-22T09:30:00"})),
    ("started_at", frame({"type": "call.start", "call_id": "c", "started_at": "yesterday"})),
]


@pytest.mark.parametrize(("field", "data"), BAD_FIELDS)
def test_a_bad_field_is_named_with_its_mend_and_no_word_of_the_text(field: str, data: str) -> None:
    error = refused(data)
    assert (error.code, error.field) == ("bad_message", field)
    assert error.message.startswith(f"The field {field} ")
    assert ": send " in error.message
    assert SECRET not in f"{error.message} {error!r} {error.args} {error.__cause__}"
    sent = json.loads(data).get("segment_id")
    known = isinstance(sent, str) and 0 < len(sent) <= 200
    assert error.segment_id == (sent if known else None)
    assert error.answer() == Error("bad_message", error.message, error.segment_id)


NOT_JSON: list[str | bytes] = [
    "", " ", "{", "hello", frame()[:-1], frame() + "x", frame() + frame(), "\ufeff" + frame(), b"\xff\xfe", b"\x00\x01",
    frame().encode("utf-16"), frame().encode().replace(b"secret", b"s\xe9cret"), frame(new="\ud800", text="x" * 4),
    frame(text="\ud800"), frame(call_id="\udfff"), "\ud800", frame(text="x").replace('"x"', '"\x01"'),
    frame().replace("1.5", "NaN"), frame().replace("1.5", "Infinity"), frame().replace("1.5", "-Infinity"),
    frame().replace("1.5", "01"), frame(new=[]).replace("[]", "[" * 33 + "]" * 33), "[" * 100_000,
    '{"a":' * 100_000, frame(new=[]).replace("[]", "[" * 500_000),
]  # fmt: skip


@pytest.mark.parametrize("data", NOT_JSON, ids=range(len(NOT_JSON)))
def test_what_is_not_json_is_bad_json(data: str | bytes) -> None:
    error = refused(data)
    assert (error.code, error.field) == ("bad_json", None)
    assert SECRET not in error.message


@pytest.mark.parametrize("data", ["[]", "7", '"x"', "null", "true", "[{}]"])
def test_json_that_is_no_object_is_a_bad_message(data: str) -> None:
    assert refused(data).code == "bad_message"


def test_nesting_is_allowed_to_32_levels_and_brackets_in_strings_are_none() -> None:
    assert decode(frame(new=[]).replace("[]", "[" * 31 + "]" * 31))
    assert decode(frame(text="[{" * 500 + '"\\'))
    assert refused(frame(new=[]).replace("[]", "[" * 32 + "]" * 32)).code == "bad_json"


def test_too_large_is_said_so() -> None:
    assert isinstance(decode(frame(text="中" * 20_000)), Transcript)
    error = refused(frame(text="中" * 20_001))
    assert (error.code, error.field, error.segment_id) == ("too_large", "text", "s1")
    assert refused(frame(new="x" * MAX_MESSAGE_BYTES)).code == "too_large"


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
types = st.sampled_from(["call.start", "transcript", "call.hold", "call.resume", "call.transfer", "call.end"])
fields = st.sampled_from([*FINAL, "end_s", "at_s", "to", "agent", "customer", "language", "confidence", "started_at"])


@given(st.binary() | st.text() | st.just("\udfff"))
def test_any_bytes_at_all_raise_nothing_but_a_message_error(data: str | bytes) -> None:
    with pytest.raises(MessageError):
        decode(data)


@given(types, st.dictionaries(fields, json_values, max_size=4))
def test_any_values_at_all_give_a_message_or_a_message_error(kind: str, changes: dict[str, Any]) -> None:
    data = json.dumps({**FINAL, "at_s": 1, "to": {}, **changes, "type": kind})
    try:
        message = decode(data)
    except MessageError:
        return
    assert decode(encode(message)) == message
    assert msgspec.json.decode(encode(message))["type"] == kind
