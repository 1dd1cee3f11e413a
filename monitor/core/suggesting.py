"""To whom a call should go, apart from how hot it is: technical, supervisor, department or management, with a tier."""

from __future__ import annotations

import msgspec

from monitor.core.heard import SAFETY_LABELS, THREAT_LABELS, Heard

FIRST_LINE, SPECIALIST, MANAGEMENT = 1, 2, 3


class Route(msgspec.Struct, frozen=True):
    escalation_type: str
    tier: int
    reason: str
    """Name of the text that says why."""


class Suggester:
    """One standing suggestion a call; a new one replaces it only when it goes higher or elsewhere at its tier."""

    def __init__(self) -> None:
        self._standing: Route | None = None
        self._stuck = 0
        self._blocked = 0

    def customer_turn(self, heard: Heard, transfers: int) -> Route | None:
        self._blocked += "blocked" in heard.labels
        if heard.holding(SAFETY_LABELS):
            return self._stand(Route("management", MANAGEMENT, "route_danger"))
        if heard.holding(THREAT_LABELS):
            return self._stand(Route("management", MANAGEMENT, "route_outside"))
        if heard.holding(frozenset({"extreme_demand"})):
            return self._stand(Route("management", MANAGEMENT, "route_demand"))
        if "ask_superior" in heard.labels:
            return self._stand(Route("supervisor", SPECIALIST, "route_superior"))
        if "bounced" in heard.labels or (transfers >= 2 and "repeat_contact" in heard.labels):
            return self._stand(Route("department", SPECIALIST, "route_bounced"))
        if self._blocked >= 2:
            return self._stand(Route("technical", SPECIALIST, "route_blocked"))
        return None

    def agent_turn(self, heard: Heard) -> Route | None:
        self._stuck += bool(heard.holding(frozenset({"helpless", "hesitate"})))
        if self._stuck >= 2:
            return self._stand(Route("technical", SPECIALIST, "route_stuck"))
        return None

    def _stand(self, route: Route) -> Route | None:
        standing = self._standing
        if standing is not None:
            same = (route.tier, route.escalation_type) == (standing.tier, standing.escalation_type)
            if route.tier < standing.tier or same:
                return None
        self._standing = route
        return route
