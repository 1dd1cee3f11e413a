"""`alerting.toml`: receivers and silences. Every mistake names its key and says what to write instead."""

from __future__ import annotations

import base64
import binascii
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from alerts.model import SEVERITIES
from alerts.routing import Receiver, Silence


class SettingsError(ValueError):
    """A mistake in the file; the message has the file, the key and a mend."""


class Alerting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    public_url: str = ""
    """Where people reach the pages, for the links in deliveries; empty: the address the service listens on."""
    receiver: list[Receiver] = []
    silence: list[Silence] = []


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Alerting:
    """Raises SettingsError. Secrets named by `secret_env` are filled in from `environ`."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
        alerting = msgspec.convert(raw, Alerting)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"{path}: {error}") from None
    receivers = [_checked(path, receiver, environ) for receiver in alerting.receiver]
    names = [receiver.name for receiver in receivers]
    if twice := {name for name in names if names.count(name) > 1}:
        raise SettingsError(
            f"{path}: receiver.name: {sorted(twice)[0]!r} is there twice; give each receiver its own name"
        )
    if any(silence.until.tzinfo is None for silence in alerting.silence):
        raise SettingsError(f"{path}: silence.until: has no time zone; write it as 2026-11-22T18:00:00Z")
    if alerting.public_url and not alerting.public_url.startswith(("http://", "https://")):
        raise SettingsError(f"{path}: public_url: write a full address, such as https://becalm.example.com")
    return msgspec.structs.replace(alerting, receiver=receivers)


def _checked(path: Path, receiver: Receiver, environ: Mapping[str, str]) -> Receiver:
    def wrong(key: str, mend: str) -> SettingsError:
        return SettingsError(f"{path}: receiver {receiver.name!r}: {key}: {mend}")

    parts = urlsplit(receiver.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise wrong("url", "write a full address, such as https://hooks.example.com/becalm")
    if parts.username is not None or parts.password is not None:
        raise wrong("url", "leave out user name and password; deliveries are signed with the secret")
    if parts.scheme == "http" and not receiver.allow_private:
        raise wrong("url", "use https; plain http only goes with allow_private = true")
    if receiver.min_severity not in SEVERITIES:
        raise wrong("min_severity", f"use one of {', '.join(SEVERITIES)}")
    if not 0 < receiver.timeout_s <= 30:
        raise wrong("timeout_s", "use more than 0 and at most 30 seconds")
    if receiver.budget < 0:
        raise wrong("budget", "use 0 for no limit, or the most alerts in budget_s seconds")
    if not 1 <= receiver.budget_s <= 86400:
        raise wrong("budget_s", "use 1 to 86400 seconds")
    if bool(receiver.secret) == bool(receiver.secret_env):
        raise wrong("secret", "set either secret or secret_env, and only one of them")
    if receiver.secret_env and receiver.secret_env not in environ:
        raise wrong("secret_env", f"the environment has no {receiver.secret_env}")
    secret = receiver.secret or environ[receiver.secret_env]
    if not _is_secret(secret):
        raise wrong("secret", "write whsec_ and the base64 of 24 to 64 random bytes")
    return msgspec.structs.replace(receiver, secret=secret, secret_env="")


def _is_secret(secret: str) -> bool:
    encoded = secret.removeprefix("whsec_")
    try:
        return encoded != secret and 24 <= len(base64.b64decode(encoded, validate=True)) <= 64
    except binascii.Error:
        return False
