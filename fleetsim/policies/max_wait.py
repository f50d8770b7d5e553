"""Longest wait: messages that would have to wait longer are shed instead of queued."""

from dataclasses import dataclass, replace
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.plan import Plan, View, with_entry
from fleetsim.units import Seconds


@dataclass(frozen=True, kw_only=True)
class MaxWait:
    """Bounds a class's queue at `max_wait_s` times the rate at which it can be served.

    Who finds the queue full is shed; so are the newest of those waiting when the rate falls, all of
    them when it falls to 0.
    """

    __pydantic_config__: ClassVar = FILE_CONFIG
    static: ClassVar[bool] = True

    class_: str
    """Traffic class."""
    max_wait_s: Seconds
    """Longest wait before a message is shed."""

    def decide(self, view: View, plan: Plan) -> Plan:
        return replace(plan, max_wait_s=with_entry(plan.max_wait_s, self.class_, self.max_wait_s))
