"""A draft: what has been read of a scenario so far, for the checks that look across parts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from fleetsim.model.contract import Offer
from fleetsim.model.fidelity import Fidelity
from fleetsim.model.finance import Finance
from fleetsim.model.fleet import Fleet
from fleetsim.model.hardware import GpuType
from fleetsim.model.latency_table import LatencyTable
from fleetsim.model.pool import Pool
from fleetsim.model.scenario import Horizon, Objective, PublishedFact
from fleetsim.model.service import Service
from fleetsim.model.traffic import TrafficClass
from fleetsim.spec import catalog
from fleetsim.spec.faults import Faults
from fleetsim.spec.node import Node, NodePath

Series = tuple[Any, int, tuple[float, ...]]


@dataclass
class Draft:
    """The tree, the faults, and the objects of every entry that is right in itself."""

    root: Node
    faults: Faults
    directory: Path
    """Where relative paths of data files start."""
    horizon: Horizon | None = None
    fidelity: Fidelity = field(default_factory=Fidelity)
    finance: Finance | None = None
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    objectives: list[Objective] = field(default_factory=list)
    series: dict[str, Series] = field(default_factory=dict)
    latency_tables: dict[str, LatencyTable] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    """sha256 of the data files, by path."""

    @cached_property
    def fleets(self) -> Mapping[str, Fleet]:
        return self.objects.get("fleets", {})

    @cached_property
    def gpus(self) -> Mapping[str, GpuType]:
        """The scenario's own gpu types, and the catalogue's that it names."""
        own = self.of("gpus")
        named = [fleet.gpu for fleet in self.fleets.values()] + [offer.gpu for offer in self.offers.values()]
        used = dict.fromkeys(name for name in named if name not in own)
        return {**own, **{name: catalog.gpus()[name] for name in used if name in catalog.gpus()}}

    @cached_property
    def pools(self) -> Mapping[str, Pool]:
        return self.objects.get("pools", {})

    @cached_property
    def services(self) -> Mapping[str, Service]:
        return self.objects.get("services", {})

    @cached_property
    def traffic(self) -> Mapping[str, TrafficClass]:
        return self.objects.get("traffic", {})

    @cached_property
    def offers(self) -> Mapping[str, Offer]:
        return self.objects.get("offers", {})

    @cached_property
    def published(self) -> Mapping[str, PublishedFact]:
        return self.objects.get("published", {})

    def of(self, section: str) -> Mapping[str, Any]:
        """The objects of a section by name."""
        return self.objects.get(section, {})

    def names(self, section: str) -> list[str]:
        """Every name written in a section (`traffic`, `finance.revenue`), also of entries that are wrong."""
        node = self.root.find(tuple(section.split(".")))
        return list(node.entries()) if node else []

    def is_garbled(self, section: str) -> bool:
        """Whether the section is written as something else than a map."""
        node = self.root.find(tuple(section.split(".")))
        return node is not None and not isinstance(node.value, dict)

    def error(self, code: str, path: NodePath, message: str, hint: str = "", key: bool = False) -> None:
        """A fault of the value at `path`, or of its key."""
        self.faults.error(code, path, message, hint, "key" if key else "value")

    def warning(self, code: str, path: NodePath, message: str, hint: str = "", key: bool = False) -> None:
        """The same for something allowed that looks wrong."""
        self.faults.warning(code, path, message, hint, "key" if key else "value")

    def has(self, section: str, name: str) -> bool:
        """Whether `name` is a thing of the section; of a section that is no map nothing is known."""
        return name in self.names(section) or self.is_garbled(section)

    def pool_fleets(self) -> Iterator[tuple[str, str, Any]]:
        """(pool, fleet, share) of every pool."""
        for pool_name, pool in self.pools.items():
            for fleet_name, share in pool.fleets.items():
                yield pool_name, fleet_name, share
