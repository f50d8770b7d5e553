"""Control: policies look at the world at every tick and return a plan, which is put into effect."""

import math
from collections.abc import Generator
from typing import Any

import numpy as np

from fleetsim.engine.forecast import Forecast
from fleetsim.engine.processes.elastic import ElasticParts
from fleetsim.engine.world import World
from fleetsim.model.plan import Plan, PoolView, View
from fleetsim.model.pool import TRAINING, UNASSIGNED
from fleetsim.policies import Borrow, static_plan
from fleetsim.timebase import SECOND_NS


class Control:
    """Decides at ticks: static policies once, the others every `horizon.control_s`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.elastic = ElasticParts(world)
        self.dynamic = [policy for policy in world.scenario.policies.values() if not policy.static]
        delays_s = [policy.reclaim_delay_s for policy in self.dynamic
                    if isinstance(policy, Borrow) and policy.pool == TRAINING]
        self.forecast = Forecast(world) if delays_s else None
        self.ahead_s = max(delays_s, default=0.0) + world.scenario.horizon.control_interval_s
        """How far ahead lenders must look: until GPUs that are called in at the next tick are there."""

    def run(self) -> Generator[Any, Any, None]:
        """Put the static plan into effect, then tick for as long as a policy looks at the world."""
        plan = static_plan(self.world.scenario.policies.values())
        self.put_into_effect(plan)
        horizon = self.world.scenario.horizon
        interval_s = horizon.control_interval_s
        while self.dynamic and self.world.now_ns + interval_s * SECOND_NS < self.world.ns_at(horizon.end):
            yield self.world.env.timeout(interval_s * SECOND_NS)
            self.world.catch_up()
            view = self.look(interval_s)
            decided = plan
            for policy in self.dynamic:
                decided = policy.decide(view, decided)
            self.put_into_effect(decided)

    def look(self, interval_s: int) -> View:
        """What happened since the last tick, as means."""
        index, shares, pools = self.world.index, self.world.things.shares, self.world.things.pools
        training = self.world.training
        pooled = [s for s, (_, pool) in enumerate(index.shares) if pool != UNASSIGNED]
        view = View(
            pools={name: PoolView(offered_gpus=float(pools["seen_gpu_s"][p]) / interval_s,
                                  waiting_gpu_s=float(pools["backlog_gpu_s"][p]),
                                  target_load_frac=float(pools["target_load_frac"][p]))
                   for p, name in enumerate(index.pools)},
            healthy_gpus={index.shares[s]: int(shares["healthy"][s]) for s in pooled}
            | {(name, TRAINING): fleet.healthy_gpus for name, fleet in training.items()},
            worth={index.shares[s]: float(shares["worth"][s]) for s in pooled},
            offered_gpus={index.shares[s]: float(shares["seen_offered_gpu_s"][s]) / interval_s
                          for s in pooled},
            lent_gpus=self.world.loans.asked,
            growth=self._growth(interval_s),
            job_gpus={name: fleet.job_gpus() for name, fleet in training.items()},
        )
        pools["seen_gpu_s"] = 0.0
        shares["seen_offered_gpu_s"] = 0.0
        return view

    def _growth(self, interval_s: int) -> dict[str, float]:
        """What the usual day brings next, by pool."""
        if self.forecast is None:
            return {}
        now, step_s = self.world.next_step, self.world.scenario.horizon.step_s
        until = now + 1 + math.ceil(self.ahead_s / step_s)
        return self.forecast.growth(now - interval_s // step_s, now, until)

    def put_into_effect(self, plan: Plan) -> None:
        """Hand the plan's numbers to the kernel, and its targets to the elastic parts."""
        world, index, things = self.world, self.world.index, self.world.things
        for values, names, limits in (
            (things.classes["max_messages_per_s"], index.classes, plan.max_messages_per_s),
            (things.classes["max_wait_s"], index.classes, plan.max_wait_s),
            (things.pools["shed_above_load_frac"], index.pools, plan.shed_above_load_frac),
            (things.pools["degrade_above_load_frac"], index.pools, plan.degrade_above_load_frac),
        ):
            for place, name in enumerate(names):
                values[place] = limits.get(name, np.inf)
        for pool in index.pools:
            weights = {fleet: weight for (of, fleet), weight in plan.routing_weight.items() if of == pool}
            for fleet in world.scenario.pools[pool].fleets if weights else ():
                share = index.shares.index((fleet, pool))
                things.shares["routing_weight"][share] = weights.get(fleet, 0.0)
        world.loans.put_into_effect(plan)
        for pool, target in plan.target_gpus.items():
            self._scale(pool, target)

    def _scale(self, pool: str, target_gpus: float) -> None:
        """Use the fixed GPUs of all the pool's fleets first, then order or give back elastic ones.

        The target is in GPUs of the pool's first fleet; a share's `worth` converts. Fixed GPUs beyond
        the target are taken down by whole replicas.
        """
        world = self.world
        replica = max((world.scenario.services[service].gpus_per_replica
                       for spec in world.scenario.traffic.values() if spec.pool == pool
                       for service in spec.services()), default=1)
        places = world.index.pool_shares[world.index.pools.index(pool)]
        left = target_gpus
        used: dict[int, int] = {}
        for share in places:
            record = world.things.shares[share]
            fixed = int(record["healthy"]) - self.elastic.healthy(share)
            needed = math.ceil(left / float(record["worth"]) / replica) * replica
            # All of them while they are not enough, also those that come back from repair.
            used[share] = needed if needed <= fixed else int(record["rented"])
            left = max(0.0, left - fixed * float(record["worth"]))
        for share in places:
            worth = float(world.things.shares["worth"][share])
            wanted = math.ceil(left / worth / replica) * replica
            left = max(0.0, left - self.elastic.aim(share, wanted) * worth)
            world.things.shares["allocated_limit"][share] = used[share] + wanted
