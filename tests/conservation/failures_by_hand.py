"""What is not healthy in a fleet, worked out from its random streams without the engine."""

import math
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256

import numpy as np

from fleetsim.model.fleet import Window
from fleetsim.model.scenario import Scenario


def stream(seed: int, name: str, count: int) -> list[float]:
    """The uniforms of a named stream, as the rules say: keyed (seed, replication 0, sha256 of the name)."""
    digest = sha256(name.encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 32, 4)]
    found: list[float] = np.random.Generator(
        np.random.PCG64(np.random.SeedSequence([seed, 0, *words]))).random(count).tolist()
    return found


def quantile(probabilities: Iterator[float], u: float) -> int:
    """The first k at which the probabilities add up to u."""
    below: list[float] = []
    for k, probability in enumerate(probabilities):
        below.append(probability)
        if math.fsum(below) >= u:
            return k
    return len(below) - 1


def poisson(mean: float) -> Iterator[float]:
    """P(k) for k = 0, 1, ..., as far as it matters."""
    for k in range(1_000):
        yield math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) if mean > 0 else float(k == 0)


def binomial(n: int, p: float) -> Iterator[float]:
    """P(k) for k = 0 to n."""
    for k in range(n + 1):
        yield math.comb(n, k) * p**k * (1 - p) ** (n - k)


class Nodes:
    """One fleet, step by step."""

    def __init__(self, scenario: Scenario, name: str, seed: int) -> None:
        self.fleet = scenario.fleets[name]
        self.horizon = scenario.horizon
        self.node_gpus = scenario.gpus[self.fleet.gpu].gpus_per_node
        self.nodes = self.failed = 0
        self.fail, self.repair = 0.0, 0.0
        self.uniforms = {}
        if self.fleet.node_mtbf_h is not None:
            steps_per_h = 3_600 / self.horizon.step_s
            both = 1 / self.fleet.node_mtbf_h + 1 / self.fleet.repair_h
            moved = (1 - math.exp(-both / steps_per_h)) / both
            self.fail, self.repair = moved / self.fleet.node_mtbf_h, moved / self.fleet.repair_h
            self.uniforms = {what: stream(seed, f"fleet/{name}/{what}", self.horizon.steps)
                             for what in ("failures", "repairs")}

    def step(self, n: int, rented: int) -> dict[str, int]:
        """GPUs by what keeps them from work in step n, and nodes that fail and come back."""
        nodes = rented // self.node_gpus
        left = (self.nodes - nodes) / self.nodes if nodes < self.nodes else 0.0
        held = self.failed - math.floor(self.failed * left + 0.5)
        self.nodes = nodes
        failures = repairs = 0
        if self.uniforms:
            failures = min(nodes - held, quantile(poisson((nodes - held) * self.fail),
                                                  self.uniforms["failures"][n]))
            repairs = quantile(binomial(held, self.repair), self.uniforms["repairs"][n])
        handed_back = self.failed - held
        self.failed = held + failures - repairs
        failed = self.failed * self.node_gpus
        draining = math.floor((rented - failed) * self.fleet.draining_frac + 0.5)
        ready = rented - failed - draining
        keep, gone = 1.0, 0
        for window in self.open_at(n):
            keep *= 1.0 - (window.share_frac or 0.0)
            gone += window.gpus or 0
        healthy = max(0, math.floor(ready * keep + 0.5) - gone)
        return {"failed": failed, "draining": draining, "out": ready - healthy, "healthy": healthy,
                "failures": failures, "repairs": handed_back + repairs}

    def open_at(self, n: int) -> list[Window]:
        """Outages and maintenance windows that act in step n, the one that opened first at the head."""
        step = timedelta(seconds=self.horizon.step_s)
        now = self.horizon.start + n * step
        found = []
        for window in (*self.fleet.outages.values(), *self.fleet.maintenance.values()):
            begin, length = window.start, window.end - window.start
            while begin <= now:  # a change acts from the first step that starts at it or later
                if now < begin + length:
                    found.append((begin, window))
                if window.repeat_days is None:
                    break
                begin += timedelta(days=window.repeat_days)
        return [window for _, window in sorted(found, key=lambda entry: entry[0])]
