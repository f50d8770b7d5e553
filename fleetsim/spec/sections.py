"""The sections of a scenario file, and the class behind each entry."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from fleetsim.spec.node import Node, NodePath


class Section(NamedTuple):
    """One map of named things: either all of one class, or of the class that `kind` names."""

    noun: str
    """What a message calls one entry."""
    annotation: Any = None
    registry: Mapping[str, type] | None = None

    def type_of(self, entry: Node | None) -> Any:
        """The class of an entry; None when its `kind` is missing or unknown."""
        if self.registry is None:
            return self.annotation
        kind = entry.child("kind") if entry else None
        return self.registry.get(kind.value) if kind and isinstance(kind.value, str) else None


@cache
def sections() -> dict[str, Section]:
    """Every section of named things, in the order of the reference."""
    from fleetsim.ledger.contracts import CONTRACTS
    from fleetsim.model.budget import Budget
    from fleetsim.model.contract import Offer
    from fleetsim.model.fleet import Fleet
    from fleetsim.model.hardware import GpuType
    from fleetsim.model.pool import Pool
    from fleetsim.model.scenario import PublishedFact
    from fleetsim.model.service import Service
    from fleetsim.model.surges import SURGES
    from fleetsim.model.traffic import Curve, TrafficClass
    from fleetsim.model.training_job import JobStream, TrainingJob
    from fleetsim.policies import POLICIES

    return {
        "gpus": Section("gpu type", GpuType),
        "fleets": Section("fleet", Fleet),
        "pools": Section("pool", Pool),
        "services": Section("service", Service),
        "curves": Section("curve", Curve),
        "traffic": Section("traffic class", TrafficClass),
        "surges": Section("surge", registry=SURGES),
        "policies": Section("policy", registry=POLICIES),
        "training_jobs": Section("training job", TrainingJob),
        "job_streams": Section("job stream", JobStream),
        "contracts": Section("contract", registry=CONTRACTS),
        "offers": Section("offer", Offer),
        "budgets": Section("budget", Budget),
        "published": Section("published fact", PublishedFact),
    }


@cache
def parts_of_finance() -> dict[str, Section]:
    """The maps of named things inside `finance`, in the order of the reference."""
    from fleetsim.model.finance import COSTS, REVENUE, Round

    return {
        "revenue": Section("revenue stream", registry=REVENUE),
        "costs": Section("cost", registry=COSTS),
        "funding": Section("funding round", Round),
    }


def section_named(name: str) -> Section:
    """A section by its name; `finance.revenue` is one inside `finance`."""
    outer, _, inner = name.partition(".")
    return parts_of_finance()[inner] if inner else sections()[outer]


SINGLES = ("fleetsim", "name", "description", "horizon", "fidelity", "finance", "objectives")
"""Keys of the top level that hold one value."""
LAYERS = ("extends", "overrides", "scenarios")
"""Keys that say how the file is put together; none is left in a resolved scenario."""


def type_at(root: Node, path: NodePath, step: Callable[[Any, str | int], Any]) -> Any:
    """The type of the value at `path` of a scenario, whether it is written or not; None when illegal.

    `step(type, segment)` is the type of an entry of a value of that type.
    """
    from fleetsim.model.fidelity import Fidelity
    from fleetsim.model.finance import Finance
    from fleetsim.model.scenario import Horizon

    if not path:
        return None
    first = str(path[0])
    if first in sections() and len(path) > 1:
        annotation = sections()[first].type_of(root.find(path[:2]))
        rest = path[2:]
    elif first == "finance" and len(path) > 2 and str(path[1]) in parts_of_finance():
        annotation = parts_of_finance()[str(path[1])].type_of(root.find(path[:3]))
        rest = path[3:]
    else:
        singles = {"horizon": Horizon, "fidelity": Fidelity, "finance": Finance,
                   "objectives": tuple[str, ...], "name": str, "description": str}
        annotation, rest = singles.get(first), path[1:]
    for segment in rest:
        annotation = step(annotation, segment)
    return annotation
