"""One scenario as `becalm replay --json` told it, with the questions that the scripts ask."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Event = dict[str, Any]


class Told:
    """The events of one call."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.events = list(events)

    def of(self, kind: str, /, **fields: object) -> list[Event]:
        return [
            event
            for event in self.events
            if event["type"] == kind and all(event.get(name) == value for name, value in fields.items())
        ]

    def turn(self, number: int) -> Event:
        (found,) = self.of("turn", segment_id=str(number))
        return found

    def labels(self, number: int) -> set[str]:
        return {hit["name"] for hit in self.turn(number)["labels"]}

    def tension(self, number: int) -> float:
        (point,) = self.of("point", segment_id=str(number))
        return float(point["tension"])

    def curve(self) -> list[float]:
        return [float(point["tension"]) for point in self.of("point")]

    def alerts(self, kind: str, state: str | None = None) -> list[Event]:
        return self.of("alert", kind=kind) if state is None else self.of("alert", kind=kind, state=state)

    def quotes(self, kind: str) -> list[str]:
        return [item["quote"] for alert in self.alerts(kind) for item in alert["evidence"]]

    def prompts(self) -> list[str]:
        return [event["situation"] for event in self.of("prompt", state="shown")]

    @property
    def end(self) -> Event:
        (found,) = self.of("call", state="end")
        return found


def messages(scenario: dict[str, Any], name: str | None = None, **start: object) -> list[dict[str, Any]]:
    """A scenario as native messages: only what the script says, no language and no end times given away."""
    call_id = name or scenario["id"]
    turns = scenario["turns"]
    lines: list[dict[str, Any]] = [{"type": "call.start", "call_id": call_id, "channel": "voice", **start}]
    lines += [
        {
            "type": "transcript",
            "call_id": call_id,
            "segment_id": str(number),
            "role": turn["speaker"],
            "text": turn["text"],
            "final": True,
            "start_s": turn["t"],
        }
        for number, turn in enumerate(turns)
    ]
    return [*lines, {"type": "call.end", "call_id": call_id, "at_s": turns[-1]["t"] + 12, "reason": "agent"}]


def replay(path: Path, calls: Iterable[list[dict[str, Any]]], *options: str) -> dict[str, Told]:
    """Write the calls to one file, replay it with the command that users have, and sort the events by call."""
    lines = [json.dumps(message, ensure_ascii=False) for call in calls for message in call]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "monitor.cli", "replay", "--json", *options, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    events: dict[str, list[Event]] = {}
    for line in done.stdout.splitlines():
        event = json.loads(line)
        events.setdefault(event["call_id"], []).append(event)
    return {call_id: Told(told) for call_id, told in events.items()}
