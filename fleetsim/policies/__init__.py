"""Decide: pure functions from a view to a plan. One policy per file; its fields are its YAML keys.

A policy is a frozen dataclass with `decide(view, plan) -> plan`. It adds its numbers to the plan that
the policies before it made, in the order of the scenario file, and moves nothing itself.
"""

from fleetsim.policies.autoscale import Autoscale
from fleetsim.policies.borrow import Borrow
from fleetsim.policies.degrade import Degrade
from fleetsim.policies.max_wait import MaxWait
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
}
"""The registry: the value of `kind` in a scenario file, and the class it makes."""

__all__ = ["POLICIES", "Autoscale", "Borrow", "Degrade", "MaxWait", "RateLimit", "Routing", "Shed"]
