"""Traffic classes of the plain fluid model: who arrives, waits, leaves, retries, and for how long."""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fleetsim.kernel.arrays import COHORTS, MESSAGES, Array, Hourly, Inputs, Things
from fleetsim.kernel.formulas import (
    age_of_oldest,
    drain_queue,
    kept_after,
    nearest,
    surviving,
    wait_bucket,
)
from fleetsim.kernel.reference_fleet import Share, added

TOTALS = ("served", "arrived", "shed", "abandoned", "retried", "degraded", "slo_met", "expected",
          "waiting_message_s")
"""What a class adds up; messages are counted when they are whole, the last two end with the hour."""


@dataclass
class Cohort:
    """Arrivals of one step, or of several in a long queue, that still wait."""

    per_s: float
    """Their rate of arrival."""
    left: float
    """How many of them wait, counted at the end of their last step: patience since then comes on top."""
    step: int
    """Their last step."""
    steps: int = 1
    """How many steps they came in."""


class Line:
    """First come, first served: the cohorts of a queue, the oldest first."""

    def __init__(self, cohorts: Sequence[Cohort], patience_s: float, step_s: float) -> None:
        self.cohorts = deque(cohorts)
        self.patience_s = patience_s
        self.step_s = step_s

    def age_s(self, cohort: Cohort, n: int) -> float:
        """From the end of a cohort's own step to the end of step n."""
        return (n - cohort.step) * self.step_s

    def kept(self, cohort: Cohort, n: int) -> float:
        """Share of a cohort that is patient enough to be there at the end of step n."""
        return float(kept_after(self.age_s(cohort, n), self.patience_s))

    def join(self, cohort: Cohort) -> None:
        """Append a cohort; when the line is as long as it may be, every two become one."""
        if len(self.cohorts) == COHORTS:
            line = list(self.cohorts)
            self.cohorts = deque(map(self.together, line[::2], line[1::2]))
        self.cohorts.append(cohort)

    def together(self, older: Cohort, newer: Cohort) -> Cohort:
        """Two cohorts that follow each other as one."""
        left = older.left * self.kept(older, newer.step) + newer.left
        steps = older.steps + newer.steps
        per_s = (older.per_s * older.steps + newer.per_s * newer.steps) / steps
        return Cohort(per_s, left, newer.step, steps)

    def drop_oldest(self, messages: float, n: int) -> None:
        """The messages served are the ones that have waited longest."""
        while messages > 0 and self.cohorts:
            kept = self.kept(self.cohorts[0], n)
            here = self.cohorts[0].left * kept
            if here > messages:
                self.cohorts[0].left -= messages / kept
                return
            messages -= here
            self.cohorts.popleft()

    def drop_newest(self, messages: float, n: int) -> None:
        """The messages shed are the last ones, as if they had not come."""
        while messages > 0 and self.cohorts:
            newest = self.cohorts[-1]
            here = newest.left * self.kept(newest, n)
            if here > messages:
                rest = 1.0 - messages / here
                newest.left *= rest
                newest.per_s *= rest
                return
            messages -= here
            self.cohorts.pop()

    def oldest_age_s(self, n: int) -> float:
        """How long the first of the line has waited at the end of step n."""
        if not self.cohorts:
            return 0.0
        first = self.cohorts[0]
        own_s = age_of_oldest(first.left, first.per_s, self.patience_s, first.steps * self.step_s)
        return float(self.age_s(first, n) + own_s)


class TrafficClass:
    """Who asks: arrivals, the queue, attempts to come, and what has become of the messages."""

    def __init__(self, things: Things, place: int) -> None:
        record = things.classes[place]
        self.place = place
        self.step_s = things.step_s
        self.priority = int(record["priority"])
        self.patience_s = float(record["patience_s"])
        self.attempts = int(record["attempts"])
        self.retry_frac, self.return_prob = float(record["retry_frac"]), float(record["return_prob"])
        self.slo_wait_s = float(record["slo_wait_s"])
        self.degrade_slot = int(record["degrade_slot"])
        self.max_messages_per_s = float(record["max_messages_per_s"])
        self.max_wait_s = float(record["max_wait_s"])
        self.unit_gpu_s = [list(zip(prefill, decode, strict=True)) for prefill, decode in zip(
            things.unit_prefill_gpu_s[place].tolist(), things.unit_decode_gpu_s[place].tolist(),
            strict=True)]
        """[slot][share]: prefill and decode GPU-seconds per message."""
        self.wait_edges_s: list[float] = things.wait_edges_s.tolist()

        self.total = {name: float(record[name]) for name in TOTALS}
        self.open_messages = int(record["open_messages"])
        self.waiting: list[float] = things.waiting[place, : self.attempts].tolist()
        self.in_retry: list[float] = things.in_retry[place, : self.attempts].tolist()
        self.served_by_slot: list[float] = things.served[place].tolist()
        self.work_gpu_s: list[float] = things.work_gpu_s[place].tolist()
        self.wait_s = float(record["wait_s"])
        head, count = int(record["cohort_head"]), int(record["cohort_count"])
        ring = [things.cohorts[place, (head + i) % COHORTS].item() for i in range(count)]
        self.line = Line([Cohort(*cohort) for cohort in ring], self.patience_s, self.step_s)

        self.arrivals: list[float] = [0.0] * self.attempts
        self.offered = self.admitted = self.degraded_frac = self.served_now = 0.0
        self.cost: dict[Share, float] = {}
        self.degraded_cost: dict[Share, float] = {}

    def store(self, things: Things) -> None:
        """Write the state back to the record; the line starts at the first place of its ring."""
        record = things.classes[self.place]
        for name, value in self.total.items():
            record[name] = value
        record["open_messages"], record["wait_s"] = self.open_messages, self.wait_s
        things.waiting[self.place, : self.attempts] = self.waiting
        things.in_retry[self.place, : self.attempts] = self.in_retry
        things.served[self.place] = self.served_by_slot
        things.work_gpu_s[self.place] = self.work_gpu_s
        record["cohort_head"], record["cohort_count"] = 0, len(self.line.cohorts)
        for i, cohort in enumerate(self.line.cohorts):
            things.cohorts[self.place, i] = (cohort.per_s, cohort.left, cohort.step, cohort.steps)

    # Arrivals

    def arrive(self, inputs: Inputs, row: int) -> None:
        """New messages come, and of those in retry the ones whose time has come; less the rate limit."""
        expected = float(inputs.expected_per_s[row, self.place]) * self.step_s
        fresh = expected * float(inputs.noise[row, self.place])
        self.total["expected"] += expected
        self.total["arrived"] += fresh
        back = [again * self.return_prob for again in self.in_retry[1:]]
        for a, returning in enumerate(back, start=1):
            self.in_retry[a] -= returning
            self.total["retried"] += returning
        self.arrivals = [fresh, *back]
        self.offered = self.admitted = added(self.arrivals)
        self.degraded_frac = 0.0
        limit = self.max_messages_per_s * self.step_s
        if self.offered > limit:
            self.turn_away(self.offered - limit)

    def turn_away(self, messages: float) -> None:
        """Shed so many of the messages that just came, first attempts and retries in proportion."""
        part = min(1.0, messages / self.admitted)
        for a, came in enumerate(self.arrivals):
            lost = came * part
            self.arrivals[a] = came - lost
            self.lose("shed", a, lost)
        self.admitted = added(self.arrivals)

    def lose(self, outcome: str, attempt: int, messages: float) -> None:
        """A lost attempt is tried again by some; for the others, and after the last one, it is final."""
        again = 0.0
        if attempt + 1 < self.attempts:
            again = messages * self.retry_frac
            self.in_retry[attempt + 1] += again
        self.total[outcome] += messages - again

    # Cost

    def price(self, mix: Sequence[float], shares: Sequence[Share]) -> None:
        """GPU-seconds per message on each share, under the mix of services that holds now."""
        for share in shares:
            by_slot = [added(slot[share.place]) for slot in self.unit_gpu_s]
            self.cost[share] = added(part * cost for part, cost in zip(mix, by_slot, strict=True))
            if self.degrade_slot >= 0:
                self.degraded_cost[share] = by_slot[self.degrade_slot]

    def cost_on(self, share: Share) -> float:
        """GPU-seconds per message on a share; degraded messages at the cheaper service."""
        if self.degraded_frac == 0:
            return self.cost[share]
        plain, cheap = self.cost[share], self.degraded_cost[share]
        return (1 - self.degraded_frac) * plain + self.degraded_frac * cheap

    def saving_on(self, share: Share) -> float:
        """GPU-seconds that degrading one message saves; 0 where there is nothing cheaper."""
        if self.degrade_slot < 0:
            return 0.0
        return max(0.0, self.cost[share] - self.degraded_cost[share])

    # The queue

    @property
    def demand(self) -> float:
        """Messages that want to be served in this step: the backlog and those admitted."""
        return added(self.waiting) + self.admitted

    def serve(self, times: float, n: int, waits: Array) -> bool:
        """One step of the queue, when the demand could be served `times` over.

        Adds served messages that waited to the buckets `waits`; True when there were any.
        """
        self.served_now = 0.0
        demand = self.demand
        if demand <= 0:
            return False
        queued, capacity = added(self.waiting), times * demand
        most = self.max_wait_s * capacity / self.step_s if self.max_wait_s < math.inf else math.inf
        dropped = max(0.0, queued - most)
        queued -= dropped
        self.served_now, abandoned, turned, left, integral, busy_s = drain_queue(
            queued, self.admitted, capacity, self.patience_s, self.step_s, most)
        self.total["served"] += self.served_now
        self.total["waiting_message_s"] += integral
        for a in range(self.attempts):
            part = (self.waiting[a] + self.arrivals[a]) / demand
            self.waiting[a] = left * part
            self.lose("abandoned", a, abandoned * part)
            self.lose("shed", a, (dropped + turned) * part)
        self.line.drop_newest(dropped, n - 1)
        if queued <= 0 and left <= 0:
            self.total["slo_met"] += self.served_now
            return False
        before_s = self.wait_s
        self.move_up(n, queued, self.admitted - turned, left)
        waited = min(self.served_now, capacity * busy_s / self.step_s)
        buckets = list(self.by_wait(waited, before_s, self.wait_s))
        for bucket, messages in buckets:
            waits[bucket] += messages
        in_time = self.within_slo(waited, before_s, self.wait_s)
        self.total["slo_met"] += self.served_now - waited + in_time
        return bool(buckets)

    def move_up(self, n: int, queued: float, joined: float, left: float) -> None:
        """A new cohort joins the line, those served leave it; the first one's age is known."""
        per_s = joined / self.step_s
        fresh = float(surviving(per_s, self.step_s, self.patience_s))
        if fresh > 0:
            self.line.join(Cohort(per_s, fresh, n))
        patient = queued * float(kept_after(self.step_s, self.patience_s)) + fresh
        self.line.drop_oldest(patient - left, n)
        if left > 0:
            self.wait_s = self.line.oldest_age_s(n)
        else:
            self.line.cohorts.clear()
            self.wait_s = 0.0

    def by_wait(self, waited: float, first_s: float, last_s: float) -> Iterator[tuple[int, float]]:
        """(bucket, messages) when so many waits lie evenly between two; nothing when nobody waited."""
        low, high = sorted((first_s, last_s))
        if waited <= 0 or high <= 0:
            return
        highest = wait_bucket(high)
        placed = 0.0
        for bucket in range(max(1, wait_bucket(low)), highest):
            begin, end = max(low, self.wait_edges_s[bucket - 1]), self.wait_edges_s[bucket]
            here = waited * max(0.0, end - begin) / (high - low)
            placed += here
            yield bucket, here
        yield highest, max(0.0, waited - placed)

    def within_slo(self, waited: float, first_s: float, last_s: float) -> float:
        """How many of them waited no longer than the service level allows."""
        low, high = sorted((first_s, last_s))
        if waited <= 0:
            return 0.0
        if high <= 0 or self.slo_wait_s >= high:
            return waited
        if self.slo_wait_s <= low:
            return 0.0
        return waited * (self.slo_wait_s - low) / (high - low)

    # Counting whole messages

    def close_hour(self, hourly: Hourly, hour: int) -> None:
        """Every message has one outcome, counted when it is whole; fractions wait for the next hour.

        No outcome is counted before its arrival. What has none waits or is between two attempts; when
        nobody really does, it was served.
        """
        counts = {name: nearest(self.total[name]) for name in ("arrived", "retried", "shed", "abandoned")}
        self.open_messages += counts["arrived"]
        for outcome in ("shed", "abandoned"):
            counts[outcome] = min(counts[outcome], self.open_messages)
            self.open_messages -= counts[outcome]
        somebody_waits = added(self.waiting) + added(self.in_retry) > 0.5
        served = self.open_messages
        if somebody_waits:
            served = min(max(0, nearest(self.total["served"])), served)
        self.open_messages -= served
        by_slot = self.count_services(served)
        counts["degraded"] = 0
        if self.degrade_slot >= 0:
            counts["degraded"] = min(nearest(self.total["degraded"]), by_slot[self.degrade_slot])
        counts["slo_met"] = min(max(0, nearest(self.total["slo_met"])), served)
        counts["in_retry"] = min(nearest(added(self.in_retry)), self.open_messages)
        counts["waiting"] = self.open_messages - counts["in_retry"]

        for name, count in {**counts, "served": served}.items():
            if name in self.total:
                self.total[name] -= count
        for place, name in enumerate(MESSAGES):
            hourly.messages[place, hour, self.place] = counts[name]
        hourly.served[hour, self.place] = by_slot
        hourly.work_gpu_s[hour, self.place] = self.work_gpu_s
        self.work_gpu_s = [0.0 for _ in self.work_gpu_s]
        hourly.expected[hour, self.place] = self.total["expected"]
        hourly.waiting_message_s[hour, self.place] = self.total["waiting_message_s"]
        self.total["expected"] = self.total["waiting_message_s"] = 0.0

    def count_services(self, served: int) -> list[int]:
        """Divide whole served messages between the services used: whole ones, then the largest fractions."""
        counts: list[int] = []
        for m, messages in enumerate(self.served_by_slot):
            counts.append(min(served - sum(counts), max(0, math.floor(messages))))
            self.served_by_slot[m] -= counts[m]
        for _ in range(served - sum(counts)):
            used = [m for m, left in enumerate(self.served_by_slot) if left != 0 or counts[m] > 0]
            m = max(used or [0], key=self.served_by_slot.__getitem__)
            counts[m] += 1
            self.served_by_slot[m] -= 1
        return counts
