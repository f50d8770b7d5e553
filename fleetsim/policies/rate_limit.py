"""Rate limit: a class gets no more than so many messages a second; the rest is shed."""

from dataclasses import dataclass, replace
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.plan import Plan, View, with_entry
from fleetsim.units import MessagesPerSecond


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """Sheds what a class sends above a rate, retries included."""

    __pydantic_config__: ClassVar = FILE_CONFIG
    static: ClassVar[bool] = True

    class_: str
    """Traffic class."""
    max_messages_per_s: MessagesPerSecond
    """Most messages admitted a second."""

    def decide(self, view: View, plan: Plan) -> Plan:
        limits = with_entry(plan.max_messages_per_s, self.class_, self.max_messages_per_s)
        return replace(plan, max_messages_per_s=limits)
