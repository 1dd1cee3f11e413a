"""To whom a call should go, apart from how hot it is: technical, supervisor, department or management, with a tier."""

from __future__ import annotations

import msgspec

from monitor.core.heard import SAFETY_LABELS, THREAT_LABELS, Heard

FIRST_LINE, SPECIALIST, MANAGEMENT = 1, 2, 3


class Route(msgspec.Struct, frozen=True):
    escalation_type: str
    tier: int
    reason: str


class Suggester:
    """One standing suggestion a call; a new one replaces it only when it goes higher or elsewhere at its tier."""

    def __init__(self) -> None:
        self._standing: Route | None = None
        self._stuck = 0
        self._blocked = 0

    def customer_turn(self, heard: Heard, transfers: int) -> Route | None:
        self._blocked += "blocked" in heard.labels
        if heard.holding(SAFETY_LABELS):
            return self._stand(Route("management", MANAGEMENT, "Someone may be in danger."))
        if heard.holding(THREAT_LABELS):
            return self._stand(Route("management", MANAGEMENT, "The customer may take the matter outside."))
        if heard.holding(frozenset({"extreme_demand"})):
            return self._stand(Route("management", MANAGEMENT, "The demand is beyond an agent's authority."))
        if "ask_superior" in heard.labels:
            return self._stand(Route("supervisor", SPECIALIST, "The customer asks for someone in charge."))
        if "bounced" in heard.labels or (transfers >= 2 and "repeat_contact" in heard.labels):
            return self._stand(Route("department", SPECIALIST, "The customer was sent from one to another."))
        if self._blocked >= 2:
            return self._stand(Route("technical", SPECIALIST, "Solutions tried so far fell through."))
        return None

    def agent_turn(self, heard: Heard) -> Route | None:
        self._stuck += bool(heard.holding(frozenset({"helpless", "hesitate"})))
        if self._stuck >= 2:
            return self._stand(Route("technical", SPECIALIST, "The agent sees no way on at this level."))
        return None

    def _stand(self, route: Route) -> Route | None:
        standing = self._standing
        if standing is not None:
            same = (route.tier, route.escalation_type) == (standing.tier, standing.escalation_type)
            if route.tier < standing.tier or same:
                return None
        self._standing = route
        return route
