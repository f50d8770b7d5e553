"""Replicas of a pool during a window at request level: which service has how many, and which of them fail."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from fleetsim.engine.cell_group import Act
from fleetsim.engine.deployment import BEFORE, Change, Deployment, Row
from fleetsim.engine.window_books import mixed
from fleetsim.engine.world import World
from fleetsim.kernel.arrays import Array
from fleetsim.kernel.fluid_reference import Model
from fleetsim.kernel.reference_queue import TrafficClass
from fleetsim.model.base import at, change_dates
from fleetsim.model.fidelity import RequestWindow
from fleetsim.timebase import instant_at

Acts = list[list[Act]]
"""By cell, deployment after deployment."""


class WindowReplicas:
    """The deployments of one pool, and what its GPUs make of them step by step."""

    def __init__(self, world: World, pool: str, window: RequestWindow) -> None:
        self.world, self.pool, self.window = world, pool, window
        self.shares = world.index.pool_shares[world.index.pools.index(pool)]
        self.now: datetime = window.start
        self.deployments = self._deployments()
        self.losses: dict[tuple[int, int], float] = {}
        """By share and service: replicas that failed and are not lost yet, in fractions."""

    def _deployments(self) -> list[Deployment]:
        """Every service that the pool's classes use, with as many replicas as there may ever be."""
        index, scenario = self.world.index, self.world.scenario
        rows: dict[str, list[Row]] = {}
        for c in index.pool_classes[index.pools.index(self.pool)]:
            spec = scenario.traffic[index.classes[c]]
            attempts = int(self.world.things.classes[c]["attempts"])
            for m, service in enumerate(index.slots[c]):
                rows.setdefault(service, []).extend(
                    Row(c, m, attempt, spec.calls_per_message * self.window.sample_frac,
                        spec.prompt_tokens.mean, spec.output_tokens.mean)
                    for attempt in (BEFORE, *range(attempts)))
        gpus = [scenario.fleets[index.shares[k][0]].gpu for k in self.shares]
        found = []
        for place, (name, own) in enumerate(rows.items()):
            least = min(self.gpus_of(name, when) for when in self._moments(name))
            most = [int(self._most_gpus(k) / least) + 1 for k in self.shares]
            found.append(Deployment(place, name, scenario.services[name], gpus, most,
                                    self.window.cell_replicas, own))
        return found

    def _moments(self, service: str) -> list[datetime]:
        """When the efficiency of a service may be another, within the window."""
        dates = change_dates(self.world.scenario.services[service].efficiency_frac)
        return [self.window.start, *(date for date in dates if self.window.start < date < self.window.end)]

    def _most_gpus(self, share: int) -> int:
        """All GPUs that the share's fleet may have until the window's end, loans within it included."""
        world, fleet = self.world, self.world.index.shares[share][0]
        end_us = world.start_us + world.ns_at(self.window.end) // 1_000
        elastic = world.scenario.fleets[fleet].elastic
        return sum(each.gpus for each in world.acceptances[fleet] if each.accepted_us < end_us) + (
            elastic.max_gpus if elastic else 0)

    def gpus_of(self, service: str, when: datetime | None = None) -> float:
        """GPUs behind a simulated replica: efficiency and sampling take replicas away."""
        spec = self.world.scenario.services[service]
        return spec.gpus_per_replica / (at(spec.efficiency_frac, when or self.now) * self.window.sample_frac)

    def change(self, model: Model, classes: Mapping[int, TrafficClass], mix: Array,
               failures: Sequence[int], n: int, *, starts: bool) -> Acts:
        """Bring the replicas in line with the GPUs of step n; `failures` are nodes of each fleet in it."""
        self.now = instant_at(self.world.scenario.horizon.start, n * self.world.step_ns)
        acts: list[Acts] = [[[] for _ in d.up] for d in self.deployments]
        for i, k in enumerate(self.shares):
            share = model.shares[k]
            parts = self._parts(k, classes, mix)
            wanted, most = (self._counts(gpus, parts) for gpus in (share.allocated, share.capacity))
            fleet = next(each for each in model.fleets if share in each.shares)
            lost = failures[fleet.place] * fleet.node_gpus * share.rented / max(1, fleet.rented)
            for d in self.deployments:
                exact = self.losses.get((k, d.place), 0.0)
                exact += 0.0 if starts else lost * float(parts[d.place]) / self.gpus_of(d.name)
                up = sum(len(cell[i]) for cell in d.up)
                failed = min(up, int(exact))
                # GPUs that are gone have failed: they are no further failure.
                abrupt = most[d.place] < up - failed and not starts
                gone = up - failed - wanted[d.place] if abrupt else 0
                self.losses[k, d.place] = max(0.0, exact - failed - gone)
                chance = self.world.streams.uniforms(f"pool/{self.pool}/{d.name}/failed-replicas", failed)
                told = d.change(i, Change(failed, wanted[d.place], abrupt), chance)
                for own, more in zip(acts[d.place], told, strict=True):
                    own.extend(more)
        return [cell for of_service in acts for cell in of_service]

    def _parts(self, share: int, classes: Mapping[int, TrafficClass], mix: Array) -> Array:
        """Part of a share's GPUs that each service gets: in proportion to the work that waits and comes."""
        work = np.zeros(len(self.deployments))
        for d in self.deployments:
            for row in d.rows:
                if row.attempt == 0:
                    klass = classes[row.class_]
                    cost = sum(klass.unit_gpu_s[row.slot][share])
                    work[d.place] += klass.demand * mixed(klass, mix, row.slot) * cost
        whole = work.sum()
        parts: Array = work / whole if whole > 0 else np.full(len(work), 1 / len(work))
        return parts

    def _counts(self, gpus: int, parts: Array) -> list[int]:
        """Replicas of each service on so many GPUs.

        Whole ones; then one for each service that has work and none, if need be from the one with most;
        then the largest remainders that fit.
        """
        sizes = [self.gpus_of(d.name) for d in self.deployments]
        exact = [gpus * float(part) / size + 1e-9 for part, size in zip(parts, sizes, strict=True)]
        counts = [int(count) for count in exact]
        left = gpus - sum(count * size for count, size in zip(counts, sizes, strict=True)) + 1e-6
        for d in sorted(range(len(exact)), key=lambda d: -exact[d]):
            while parts[d] > 0 and counts[d] == 0 and left < sizes[d] and max(counts) > 1:
                richest = max(range(len(counts)), key=lambda e: (counts[e] > 1) * counts[e] * sizes[e])
                counts[richest] -= 1
                left += sizes[richest]
            if parts[d] > 0 and counts[d] == 0 and left >= sizes[d]:
                counts[d] = 1
                left -= sizes[d]
        for d in sorted(range(len(exact)), key=lambda d: counts[d] - exact[d]):
            if exact[d] > counts[d] and sizes[d] <= left:
                counts[d] += 1
                left -= sizes[d]
        return counts
