"""Decide: pure functions from a view to a plan. One policy per file; its fields are its YAML keys.

A policy is a frozen dataclass with `decide(view, plan) -> plan`. It adds its numbers to the plan that
the policies before it made, and moves nothing itself: first the static ones, once, then at every tick
those that look at the world, each group in the order of the scenario file.
"""

from collections.abc import Iterable

from fleetsim.model.plan import Plan, Policy, View
from fleetsim.policies.autoscale import Autoscale
from fleetsim.policies.backfill import Backfill
from fleetsim.policies.borrow import Borrow
from fleetsim.policies.degrade import Degrade
from fleetsim.policies.fair_share import FairShare
from fleetsim.policies.fifo import Fifo
from fleetsim.policies.max_wait import MaxWait
from fleetsim.policies.priority import Priority
from fleetsim.policies.rate_limit import RateLimit
from fleetsim.policies.routing import Routing
from fleetsim.policies.shed import Shed

POLICIES: dict[str, type] = {
    "shed": Shed,
    "degrade": Degrade,
    "rate_limit": RateLimit,
    "max_wait": MaxWait,
    "routing": Routing,
    "borrow": Borrow,
    "autoscale": Autoscale,
    "fifo": Fifo,
    "priority": Priority,
    "backfill": Backfill,
    "fair_share": FairShare,
}
"""The registry: the value of `kind` in a scenario file, and the class it makes."""


SCHEDULING = (Fifo, Priority, FairShare, Backfill)
"""Those that say how the training jobs of a fleet are scheduled."""


def static_plan(policies: Iterable[Policy]) -> Plan:
    """The plan of the policies that decide once, without looking at the world.

    Only they name the services that messages degrade to: these are laid out before anything runs.
    """
    plan, nothing_seen = Plan(), View({}, {}, {}, {})
    for policy in policies:
        if policy.static:
            plan = policy.decide(nothing_seen, plan)
    return plan


__all__ = [
    "POLICIES",
    "SCHEDULING",
    "Autoscale",
    "Backfill",
    "Borrow",
    "Degrade",
    "FairShare",
    "Fifo",
    "MaxWait",
    "Priority",
    "RateLimit",
    "Routing",
    "Shed",
    "static_plan",
]
