"""Names and their places in the kernel's arrays."""

from dataclasses import dataclass

from fleetsim.model.pool import TRAINING, UNASSIGNED
from fleetsim.model.scenario import Scenario
from fleetsim.policies import static_plan


@dataclass(frozen=True)
class Index:
    """The order of everything: fleets, their shares, pools, traffic classes, service slots."""

    fleets: tuple[str, ...]
    shares: tuple[tuple[str, str], ...]
    """(fleet, pool) of each share, fleet by fleet; the last of a fleet is what no pool has. A serving fleet
    with jobs has a share `training` for what its pools lend them."""
    pools: tuple[str, ...]
    pool_shares: tuple[tuple[int, ...], ...]
    """By pool: its shares in spill-over order."""
    classes: tuple[str, ...]
    pool_classes: tuple[tuple[int, ...], ...]
    """By pool: its classes by priority, then in the file's order."""
    slots: tuple[tuple[str, ...], ...]
    """By class: the services of its mix, then the one it degrades to."""
    degrade_slot: tuple[int, ...]
    """By class: the slot that takes degraded messages, -1 for none."""
    units: tuple[tuple[int, int, int], ...] = ()
    """(class, slot, share) of each whose service has a latency table; that of the share's gpu type."""

    @classmethod
    def of(cls, scenario: Scenario) -> "Index":
        """The index of a scenario; the file's order throughout."""
        shares: list[tuple[str, str]] = []
        for name, fleet in scenario.fleets.items():
            shares += [(name, pool) for pool, spec in scenario.pools.items() if name in spec.fleets]
            if fleet.role == "training" or name in scenario.fleets_with_jobs:
                shares.append((name, TRAINING))
            if fleet.role == "serving":
                shares.append((name, UNASSIGNED))
        classes = tuple(scenario.traffic)
        by_priority = sorted(range(len(classes)), key=lambda c: scenario.traffic[classes[c]].priority)
        cheaper = static_plan(scenario.policies.values()).degrade_to
        slots = [(*scenario.traffic[name].services(), *([cheaper[name]] if name in cheaper else []))
                 for name in classes]
        pool_shares = tuple(tuple(shares.index((fleet, pool)) for fleet in spec.fleets)
                            for pool, spec in scenario.pools.items())
        of_pool = dict(zip(scenario.pools, pool_shares, strict=True))
        return cls(
            fleets=tuple(scenario.fleets),
            shares=tuple(shares),
            pools=tuple(scenario.pools),
            pool_shares=pool_shares,
            classes=classes,
            pool_classes=tuple(tuple(c for c in by_priority if scenario.traffic[classes[c]].pool == pool)
                               for pool in scenario.pools),
            slots=tuple(slots),
            degrade_slot=tuple(len(slot) - 1 if name in cheaper else -1
                               for name, slot in zip(classes, slots, strict=True)),
            units=tuple((c, m, k) for c, name in enumerate(classes) for m, service in enumerate(slots[c])
                        if service in scenario.latency_tables for k in of_pool[scenario.traffic[name].pool]),
        )

    @property
    def slot_count(self) -> int:
        """Most service slots of any class."""
        return max((len(slots) for slots in self.slots), default=1)

    def owners_of(self, fleet: str) -> list[int]:
        """The places of those of a fleet's shares that divide its GPUs, the one without a pool last."""
        places = self.shares_of(fleet)
        return [k for k in places if k == places[-1] or self.shares[k][1] != TRAINING]

    def shares_of(self, fleet: str) -> list[int]:
        """The places of a fleet's shares, the one without a pool last."""
        return [k for k, (name, _) in enumerate(self.shares) if name == fleet]
