"""Pools of the plain fluid model: one step of the classes that share GPUs, in the order of the rules."""

import math
from collections.abc import Sequence
from itertools import groupby

from fleetsim.kernel.arrays import Hourly, Inputs, Things
from fleetsim.kernel.reference_fleet import Share, added
from fleetsim.kernel.reference_loads import Unit
from fleetsim.kernel.reference_queue import TrafficClass


class Pool:
    """Traffic classes and the shares of fleets that serve them, in spill-over order."""

    def __init__(self, things: Things, place: int, shares: Sequence[Share],
                 classes: Sequence[TrafficClass]) -> None:
        record = things.pools[place]
        places = things.pool_share[record["first_share"] : record["last_share"]]
        members = things.pool_class[record["first_class"] : record["last_class"]]
        self.place = place
        self.step_s = things.step_s
        self.shares = [shares[s] for s in places]
        self.lead = self.shares[0]
        """Loads and backlogs are told in GPUs of the first fleet."""
        self.classes = [classes[c] for c in members]
        self.groups = [list(group) for _, group in groupby(self.classes, key=lambda each: each.priority)]
        """Classes of equal priority, the group that is served first at the head."""
        self.target_load_frac = float(record["target_load_frac"])
        self.shed_above_load_frac = float(record["shed_above_load_frac"])
        self.degrade_above_load_frac = float(record["degrade_above_load_frac"])
        self.seen_gpu_s, self.backlog_gpu_s = float(record["seen_gpu_s"]), float(record["backlog_gpu_s"])
        self.units = [Unit(things, int(c), m, int(s), k) for c in members
                      for m in range(things.load_unit.shape[1]) for k, s in enumerate(places)
                      if things.load_unit[c, m, s] >= 0]
        """What the latency tables know of."""

    def store(self, things: Things) -> None:
        """Write the state back to the record."""
        record = things.pools[self.place]
        record["seen_gpu_s"], record["backlog_gpu_s"] = self.seen_gpu_s, self.backlog_gpu_s

    def admit(self, inputs: Inputs, row: int) -> None:
        """Arrivals and rate limits, what is offered and required, degrading and shedding."""
        for klass in self.classes:
            klass.arrive(inputs, row)
            klass.price(inputs.mix[inputs.mix_row[row], klass.place].tolist(), self.shares)
        self.measure_offered()
        self.measure_required(inputs, row)
        if self.degrade_above_load_frac < math.inf:
            self.degrade()
        if self.shed_above_load_frac < math.inf:
            self.shed()

    def serve(self, inputs: Inputs, hourly: Hourly, n: int, hour: int) -> None:
        """One step of service, the most important classes first."""
        for share in self.shares:
            share.open_room()
        for group in self.groups:
            self.serve_group(group, inputs, hourly, n, hour)
        for unit in self.units:
            unit.note(self.shares[unit.share], self.classes, hourly.load_served[hour])

    def measure_backlog(self) -> None:
        """Work that waits at the end of a step."""
        self.backlog_gpu_s = added(added(each.waiting) * each.cost_on(self.lead) for each in self.classes)

    def measure_offered(self) -> None:
        """Offered work, retries included, stands on the fleet it is routed to; load counts healthy GPUs."""
        work = [added(each.offered * each.cost[share] for each in self.classes) for share in self.shares]
        caps = [share.capacity * self.step_s for share in self.shares]
        for share, own_work in zip(self.shares, work, strict=True):
            if own_work > 0:
                share.worth = work[0] / own_work
        self.lead.gpu_s["load_offered"] += work[0]
        self.lead.gpu_s["load_capacity"] += self.in_first_fleet(work, caps)
        self.seen_gpu_s += work[0]
        for share, part, own_work in zip(self.shares, self.route_all(work, caps), work, strict=True):
            share.gpu_s["offered"] += part * own_work
            share.seen_offered_gpu_s += part * own_work

    def measure_required(self, inputs: Inputs, row: int) -> None:
        """GPUs for the first attempts expected, at the target load and the expected availability."""
        expected = inputs.expected_per_s[row].tolist()
        work = [added(expected[each.place] * self.step_s * each.cost[share] for each in self.classes)
                for share in self.shares]
        caps = [share.rented * share.availability_frac * self.step_s for share in self.shares]
        available = self.lead.availability_frac
        self.lead.gpu_s["load_required"] += work[0] / (self.target_load_frac * available)
        self.lead.gpu_s["load_rented"] += self.in_first_fleet(work, caps) / available
        for share, part, own_work in zip(self.shares, self.route_all(work, caps), work, strict=True):
            share.gpu_s["required"] += part * own_work / (self.target_load_frac * share.availability_frac)

    def in_first_fleet(self, work: Sequence[float], caps: Sequence[float]) -> float:
        """What the shares can take, in GPU-seconds of the first: types differ in what a demand costs them.

        Without a demand, a GPU is worth what it was at the last one.
        """
        worth = [work[0] / own if own > 0 else share.worth
                 for share, own in zip(self.shares, work, strict=True)]
        return added(cap * each for cap, each in zip(caps, worth, strict=True))

    def route_all(self, work: Sequence[float], caps: Sequence[float]) -> list[float]:
        """Like `route`; what no share can take stands on the last."""
        parts, left = self.route(work, caps)
        parts[-1] += max(0.0, left)
        return parts

    def route(self, work: Sequence[float], caps: Sequence[float]) -> tuple[list[float], float]:
        """Part of a demand that each share takes, and the part that none can take.

        `work` is the whole demand and `caps` what may run there, in GPU-seconds of the share. Weights
        come first; what is left fills the shares in spill-over order.
        """
        fits = [min(1.0, cap / own) if own > 0 else 0.0 for own, cap in zip(work, caps, strict=True)]
        left = 1.0
        parts = []
        for share, fit in zip(self.shares, fits, strict=True):
            parts.append(min(share.routing_weight, fit) if share.routing_weight >= 0 else 0.0)
            left -= parts[-1]
        for k, fit in enumerate(fits):
            more = max(0.0, min(left, fit - parts[k]))
            parts[k] += more
            left -= more
        return parts, left

    def excess_gpu_s(self, limit: float) -> float:
        """Backlog and admitted work beyond `limit` x what is allocated, in GPUs of the first fleet."""
        work = [added(each.demand * each.cost_on(share) for each in self.classes) for share in self.shares]
        capacity = added(share.allocated * self.step_s * (work[0] / own)
                         for share, own in zip(self.shares, work, strict=True) if own > 0)
        return work[0] - limit * capacity

    def degrade(self) -> None:
        """A full pool answers with cheaper services: the smallest share of the least important first."""
        over = self.excess_gpu_s(self.degrade_above_load_frac)
        for group in reversed(self.groups):
            if over <= 0:
                return
            able = [each for each in group if each.saving_on(self.lead) > 0]
            saving = added(each.demand * each.saving_on(self.lead) for each in able)
            if saving > 0:
                for each in able:
                    each.degraded_frac = min(1.0, over / saving)
                over -= saving

    def shed(self) -> None:
        """A full pool turns new messages away, the least important first."""
        over = self.excess_gpu_s(self.shed_above_load_frac)
        for group in reversed(self.groups):
            if over <= 0:
                return
            work = added(each.admitted * each.cost_on(self.lead) for each in group)
            if work > 0:
                part = min(1.0, over / work)
                for each in group:
                    if each.admitted > 0:
                        each.turn_away(each.admitted * part)
                over -= work

    def serve_group(self, group: Sequence[TrafficClass], inputs: Inputs, hourly: Hourly, n: int,
                    hour: int) -> None:
        """Equal priorities share the room that is left in proportion to their demand."""
        demand = [added(each.demand * each.cost_on(share) for each in group) for share in self.shares]
        times = added(share.room_gpu_s / own
                      for share, own in zip(self.shares, demand, strict=True) if own > 0)
        for each in group:
            if each.serve(times, n, hourly.waits[hour, each.place]):
                hourly.waited[hour, each.place] = True
        work = [added(each.served_now * each.cost_on(share) for each in group) for share in self.shares]
        parts, _ = self.route(work, [share.room_gpu_s for share in self.shares])
        for each in group:
            self.book(each, inputs.mix[inputs.mix_row[n - inputs.first_step], each.place].tolist(), parts)
        for share, part, own in zip(self.shares, parts, work, strict=True):
            share.room_gpu_s = max(0.0, share.room_gpu_s - part * own)

    def book(self, klass: TrafficClass, mix: Sequence[float], parts: Sequence[float]) -> None:
        """Meter the work of served messages by service, by share, and as prefill or decode."""
        degraded = klass.served_now * klass.degraded_frac
        klass.total["degraded"] += degraded
        for m, mixed in enumerate(mix):
            messages = klass.served_now * mixed * (1 - klass.degraded_frac)
            if m == klass.degrade_slot:
                messages += degraded
            if messages <= 0:
                continue
            klass.served_by_slot[m] += messages
            for share, part in zip(self.shares, parts, strict=True):
                prefill_gpu_s, decode_gpu_s = klass.unit_gpu_s[m][share.place]
                prefill, decode = part * messages * prefill_gpu_s, part * messages * decode_gpu_s
                share.gpu_s["prefill"] += prefill
                share.gpu_s["decode"] += decode
                klass.work_gpu_s[m] += prefill + decode
                for unit in self.units:
                    if (unit.klass, unit.slot, self.shares[unit.share]) == (klass.place, m, share):
                        unit.messages += part * messages

