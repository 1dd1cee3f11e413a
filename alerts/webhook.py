"""One signed POST by the Standard Webhooks rules to an address that was checked, and what the answer means."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

import httpx2
import msgspec
from standardwebhooks import Webhook

from alerts.model import Notification
from alerts.routing import Receiver

MAX_BODY = 20_000
"""Bytes."""
FIRST_DELAYS_S = (0.0, 2.0, 10.0, 30.0, 60.0)
LATER_DELAY_S = 300.0
GIVE_UP_AFTER_S = 86_400.0


class Outcome(StrEnum):
    DELIVERED = "delivered"
    RETRY = "retry"
    GONE = "gone"


class Answer(msgspec.Struct, frozen=True):
    """How an attempt went. `error` is a named reason; what the receiver wrote is never read."""

    outcome: Outcome
    error: str | None = None
    retry_after_s: float | None = None


class Refused(Exception):
    """The address may not be contacted; the message is the named reason."""


def body(note: Notification) -> str:
    """`{type, timestamp, data}`, at most `MAX_BODY` bytes; an overlong quote or reason is cut, with an ellipsis."""
    for room in (4000, 1000, 200):
        cut = msgspec.structs.replace(note, reason=_cut(note.reason, room), quote=note.quote and _cut(note.quote, room))
        text = msgspec.json.encode({"type": f"alert.{note.state}", "timestamp": note.occurred_at, "data": cut})
        if len(text) <= MAX_BODY:
            return text.decode()
    raise ValueError("a notification's names alone exceed the size limit")


def sign(secret: str, message_id: str, at: datetime, text: str) -> dict[str, str]:
    """Headers of one attempt; `at` is the time of the attempt, aware."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, at, text),
        "content-type": "application/json",
        "user-agent": "becalm",
    }


def delay_s(attempts: int, age_s: float, retry_after_s: float | None = None) -> float | None:
    """Seconds to wait after so many failed attempts; None when the delivery is to be given up."""
    wait = FIRST_DELAYS_S[attempts] if attempts < len(FIRST_DELAYS_S) else LATER_DELAY_S
    wait = wait if retry_after_s is None else max(wait, retry_after_s)
    return None if age_s + wait > GIVE_UP_AFTER_S else wait


async def post(client: httpx2.AsyncClient, to: Receiver, secret: str, note: Notification) -> Answer:
    """One attempt. Never raises for what the network or the receiver does."""
    text = body(note)
    headers = sign(secret, note.id, datetime.now(UTC), text)
    try:
        async with asyncio.timeout(to.timeout_s):
            url = httpx2.URL(to.url)
            address = await _checked_address(url, to.allow_private)
            headers["host"] = url.netloc.decode("ascii")
            request = client.build_request(
                "POST",
                url.copy_with(host=address),
                content=text.encode(),
                headers=headers,
                extensions={"sni_hostname": url.host},
            )
            response = await client.send(request, stream=True, follow_redirects=False)
            try:
                return _read(response.status_code, response.headers.get("retry-after"))
            finally:
                await response.aclose()
    except TimeoutError:
        return Answer(Outcome.RETRY, "timeout")
    except Refused as refused:
        return Answer(Outcome.RETRY, str(refused))
    except socket.gaierror:
        return Answer(Outcome.RETRY, "name_not_resolved")
    except httpx2.TransportError as failure:
        return Answer(Outcome.RETRY, type(failure).__name__)


def client() -> httpx2.AsyncClient:
    """No redirects, no proxies or credentials from the environment; each attempt has its own total timeout."""
    return httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=None)


async def _checked_address(url: httpx2.URL, allow_private: bool) -> str:
    """The address to connect to, resolved once: no second answer can differ from the one that was checked."""
    port = url.port or (443 if url.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    if not allow_private and not all(_is_public(address) for address in addresses):
        raise Refused("private_address")
    return addresses[0]


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.split("%", 1)[0])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    ip = ip if mapped is None else mapped
    return ip.is_global and not ip.is_multicast


def _read(status: int, retry_after: str | None) -> Answer:
    if 200 <= status < 300:
        return Answer(Outcome.DELIVERED)
    if status == 410:
        return Answer(Outcome.GONE, "gone")
    error = "redirect" if 300 <= status < 400 else f"http_{status}"
    return Answer(Outcome.RETRY, error, _seconds(retry_after))


def _seconds(retry_after: str | None) -> float | None:
    """`Retry-After` in seconds: a number or an HTTP date; None when absent or not understood."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"
