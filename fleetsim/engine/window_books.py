"""What became of a window's requests, booked as the fluid model books its messages: at admission."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from fleetsim.engine.cell_group import TALLIED, Tally
from fleetsim.engine.deployment import BEFORE, Deployment, Row
from fleetsim.engine.latency import HISTOGRAMS
from fleetsim.engine.latency_hours import LatencyHours
from fleetsim.kernel.arrays import NEVER, Array, Hourly
from fleetsim.kernel.reference_fleet import Share
from fleetsim.kernel.reference_pool import Pool
from fleetsim.kernel.reference_queue import TrafficClass
from fleetsim.kernel.request.histogram import edges_ns
from fleetsim.model.latency_table import LATENCY_BUCKETS, METRICS, latency_edges_s
from fleetsim.timebase import SECOND_NS


class WindowBooks:
    """The books of one pool; they hold the tallies up to which everything is booked."""

    def __init__(self, deployments: Sequence[Deployment], shares: Sequence[int],
                 gpus_of: Callable[[str], float]) -> None:
        """`gpus_of` says how many GPUs stand behind a simulated replica of a service."""
        self.deployments, self.shares, self.gpus_of = deployments, shares, gpus_of
        self.overdrawn: dict[Row, float] = {}
        """Messages sent to a further attempt for which no request was drawn yet; negative: one too many."""

    def open(self, before: dict[int, Tally], latency: dict[int, Array]) -> None:
        """What is not to be booked, by service."""
        self.before, self.latency_before = before, latency

    def book(self, pool: Pool, shares: Sequence[Share], mix: Array, tallies: dict[int, Tally], n: int,
             step_ns: int) -> None:
        """A step's messages and work."""
        classes = {each.place: each for each in pool.classes}
        for klass in pool.classes:
            klass.served_now = klass.wait_s = 0.0
            klass.waiting = [0.0] * klass.attempts
            klass.total["arrived"] -= klass.arrivals[0]  # the expectation; those who came follow
        for d in self.deployments:
            now, before = tallies[d.place], self.before[d.place]
            parts = token_parts(now.tokens - before.tokens)
            for place, row in enumerate(d.rows):
                if row.attempt == BEFORE:
                    continue
                klass, each = classes[row.class_], 1 / row.requests_per_message
                done = {name: count * each for name, count in zip(
                    TALLIED, (now.classes[place] - before.classes[place]).tolist(), strict=True)}
                self.book_arrivals(klass, row, mix, done["arrived"])
                book_outcomes(klass, row, done)
                klass.waiting[row.attempt] += int(now.waiting[place]) * each
                still_ns = int(now.waiting_ns[place] - before.waiting_ns[place]) * each
                klass.total["waiting_message_s"] += (done["waited_ns"] + still_ns) / SECOND_NS
                if now.oldest_ns[place] < NEVER:
                    oldest_s = ((n + 1) * step_ns - int(now.oldest_ns[place])) / SECOND_NS
                    klass.wait_s = max(klass.wait_s, oldest_s)
                self.book_work(klass, row, done, shares, parts)
            for i, k in enumerate(self.shares):
                active_s = int(now.active_ns[i] - before.active_ns[i]) / SECOND_NS
                shares[k].gpu_s["active"] += active_s * self.gpus_of(d.name)
        self.before = tallies

    def book_arrivals(self, klass: TrafficClass, row: Row, mix: Array, came: float) -> None:
        """First attempts as they came; what comes of further ones stays within what was sent."""
        if row.attempt == 0:
            klass.total["arrived"] += came
        else:
            sent = klass.arrivals[row.attempt] * mixed(klass, mix, row.slot)
            self.overdrawn[row] = self.overdrawn.get(row, 0.0) + sent - came

    def book_work(self, klass: TrafficClass, row: Row, done: Mapping[str, float], shares: Sequence[Share],
                  parts: tuple[Array, Array]) -> None:
        """GPU-seconds of the tokens of those admitted, on the shares whose replicas made tokens."""
        for i, k in enumerate(self.shares):
            prefill_gpu_s, decode_gpu_s = klass.unit_gpu_s[row.slot][k]
            prefill = float(parts[0][i]) * done["admitted_prompt_tokens"] / row.prompt_tokens * prefill_gpu_s
            decode = float(parts[1][i]) * done["admitted_output_tokens"] / row.output_tokens * decode_gpu_s
            shares[k].gpu_s["prefill"] += prefill
            shares[k].gpu_s["decode"] += decode
            klass.work_gpu_s[row.slot] += prefill + decode

    def book_hour(self, classes: Mapping[int, TrafficClass], latency: dict[int, Array], hourly: Hourly,
                  hour: int, hours: LatencyHours, wait_edges_s: Array) -> None:
        """Waits of those admitted in an hour, latencies of those who finished in it.

        A time counts as the middle of its fine bucket.
        """
        edges_s = edges_ns() / SECOND_NS
        middles_s = (edges_s[:-1] + edges_s[1:]) / 2
        wait_buckets = np.minimum(np.searchsorted(wait_edges_s, middles_s), len(wait_edges_s) - 1)
        coarse = np.searchsorted(latency_edges_s()[1:LATENCY_BUCKETS], middles_s, side="right")
        for d in self.deployments:
            fine = latency[d.place] - self.latency_before[d.place]
            measured = {row.class_: np.zeros((len(METRICS), LATENCY_BUCKETS)) for row in d.rows}
            for place, row in enumerate(d.rows):
                if row.attempt == BEFORE:
                    continue
                klass, counts = classes[row.class_], fine[place] / row.requests_per_message
                waits = counts[HISTOGRAMS.index("wait")]
                hourly.waits[hour, klass.place] += np.bincount(wait_buckets, waits, len(wait_edges_s))
                hourly.waited[hour, klass.place] |= bool(waits.any())
                klass.total["slo_met"] += float(waits[middles_s <= klass.slo_wait_s].sum())
                for k, metric in enumerate(METRICS):
                    measured[row.class_][k] += np.bincount(coarse, counts[HISTOGRAMS.index(metric)],
                                                           LATENCY_BUCKETS)
            for class_, found in measured.items():
                hours.put(hourly.first_hour + hour, class_, d.name, found)
        self.latency_before = latency

    def return_retries(self, classes: Mapping[int, TrafficClass]) -> None:
        """At the end, who was sent to a further attempt and did not come is between attempts again."""
        for row, messages in self.overdrawn.items():
            klass = classes[row.class_]
            klass.in_retry[row.attempt] = max(0.0, klass.in_retry[row.attempt] + messages)


def mixed(klass: TrafficClass, mix: Array, slot: int) -> float:
    """Share of a class's messages that a service slot gets, degraded ones included."""
    share = float(mix[klass.place, slot]) * (1 - klass.degraded_frac)
    return share + (klass.degraded_frac if slot == klass.degrade_slot else 0.0)


def book_outcomes(klass: TrafficClass, row: Row, done: Mapping[str, float]) -> None:
    """Who is served, which counts from admission, and who is lost."""
    klass.served_now += done["admitted"]
    klass.total["served"] += done["admitted"]
    klass.served_by_slot[row.slot] += done["admitted"]
    if row.slot == klass.degrade_slot:
        klass.total["degraded"] += done["admitted"]
    klass.lose("abandoned", row.attempt, done["abandoned"])
    klass.lose("shed", row.attempt, done["shed"] + done["rejected"])


def token_parts(tokens: Array) -> tuple[Array, Array]:
    """Part of the prompt and output tokens that each share's replicas made; the first one's without any."""
    first = np.eye(1, len(tokens))[0]
    prompt, output = (column / column.sum() if column.sum() > 0 else first for column in tokens.T)
    return prompt, output
