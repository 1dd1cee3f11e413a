"""What goes over the wire, and what is made of the answer."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from alerts import webhook
from alerts.webhook import Answer as Got
from alerts.webhook import Outcome
from tests.alerts.notes import note, receiver
from tests.alerts.receiver import SECRET, Answer, receiving

pytestmark = pytest.mark.asyncio


async def send(to: object, **changes: object) -> Got:
    async with webhook.client() as client:
        return await webhook.post(client, to, SECRET, note(**changes))  # type: ignore[arg-type]


async def test_a_delivery_is_signed_so_that_the_standard_library_accepts_it() -> None:
    with receiving() as endpoint:
        assert (await send(receiver(endpoint.url))).outcome is Outcome.DELIVERED
        hit = endpoint.next()
    body = Webhook(SECRET).verify(hit.body, hit.headers)
    assert hit.headers["webhook-id"] == "msg_1"
    assert body["type"] == "alert.firing"
    assert body["timestamp"] == "2026-11-22T09:30:00Z"
    assert body["data"]["reason"] == "The customer threatens to call a lawyer."
    assert body["data"]["quote"] == "you'll hear from my lawyer"


async def test_the_signature_is_that_of_the_published_example() -> None:
    """Id, time, body and signature of a worked example of the standard, signed with the secret of these tests."""
    at = datetime.fromtimestamp(1795316646, UTC)
    text = (Path(__file__).parent / "standard_webhooks_example.json").read_text().rstrip("\n")
    headers = webhook.sign(SECRET, "msg_2pQ7Zb1cYd3eF4gH5iJ6kL7mN8o", at, text)
    assert headers["webhook-timestamp"] == "1795316646"
    assert headers["webhook-signature"] == "v1,9fcOra4ZHfMqR5TA8giP5crKp2ELFSg8Z84QuimKp7o="


async def test_a_tampered_body_does_not_verify() -> None:
    with receiving() as endpoint:
        await send(receiver(endpoint.url))
        hit = endpoint.next()
    with pytest.raises(Exception, match="signature"):
        Webhook(SECRET).verify(hit.body.replace(b"critical", b"info"), hit.headers)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(204), Got(Outcome.DELIVERED)),
        (Answer(500), Got(Outcome.RETRY, "http_500")),
        (Answer(404), Got(Outcome.RETRY, "http_404")),
        (Answer(410), Got(Outcome.GONE, "gone")),
        (Answer(429, (("retry-after", "120"),)), Got(Outcome.RETRY, "http_429", 120.0)),
        (Answer(503, (("retry-after", "soon"),)), Got(Outcome.RETRY, "http_503")),
    ],
)
async def test_only_2xx_counts(answer: Answer, expected: Got) -> None:
    with receiving(answer) as endpoint:
        assert await send(receiver(endpoint.url)) == expected


async def test_a_redirect_is_not_followed() -> None:
    with receiving() as other, receiving(Answer(307, (("location", other.url),))) as endpoint:
        assert await send(receiver(endpoint.url)) == Got(Outcome.RETRY, "redirect")
        assert other.hits.empty()


async def test_retry_after_may_be_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    with receiving(Answer(503, (("retry-after", later),))) as endpoint:
        got = await send(receiver(endpoint.url))
    assert got.retry_after_s is not None
    assert 60 < got.retry_after_s <= 90


async def test_a_receiver_that_hangs_is_given_its_timeout_and_no_more() -> None:
    with receiving(Answer(hold=threading.Event())) as endpoint:
        assert await send(receiver(endpoint.url, timeout_s=0.2)) == Got(Outcome.RETRY, "timeout")


async def test_nobody_listening_is_a_named_failure() -> None:
    with receiving() as endpoint:
        url = endpoint.url
    assert await send(receiver(url)) == Got(Outcome.RETRY, "ConnectError")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "169.254.169.254"]
)
async def test_private_addresses_are_refused_unless_allowed(host: str) -> None:
    with receiving() as endpoint:
        port = endpoint.url.rsplit(":", 1)[1]
        got = await send(receiver(f"http://{host}:{port}", allow_private=False))
        assert got == Got(Outcome.RETRY, "private_address")
        assert endpoint.hits.empty()


async def test_a_body_stays_under_20_kb_and_json_whatever_the_quote() -> None:
    with receiving() as endpoint:
        await send(receiver(endpoint.url), quote="气" * 50_000, reason="r" * 50_000)
        hit = endpoint.next()
    assert len(hit.body) <= 20_000
    assert json.loads(hit.body)["data"]["quote"].endswith("…")


async def test_delays_rise_then_stay_at_five_minutes_for_a_day() -> None:
    assert [webhook.delay_s(n, 0.0) for n in range(7)] == [0.0, 2.0, 10.0, 30.0, 60.0, 300.0, 300.0]
    assert webhook.delay_s(3, 0.0, retry_after_s=1000.0) == 1000.0
    assert webhook.delay_s(3, 0.0, retry_after_s=1.0) == 30.0
    assert webhook.delay_s(290, 86_300.0) is None
