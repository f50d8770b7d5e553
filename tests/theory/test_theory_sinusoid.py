"""A sinusoid that exceeds capacity: peak, clearing time and total wait against the integral.

rate(t) = m + b sin(w t) with period P, capacity mu = m + b/2: the queue builds up from P/12 on, while
dQ/dt = rate(t) - mu - Q/T. The kernel takes the rate at the middle of a step as constant, so that its
error falls with the square of the step.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from theory_scenario import GPU_S, Array, column, one_class, one_pool, scenario_of, simulated

PERIOD_S = 6 * 3_600.0
OMEGA = 2 * math.pi / PERIOD_S
ONSET_S = PERIOD_S / 12
GPUS = 1_000
MU = GPUS / GPU_S
SWING = MU / 2
MEAN = MU - SWING / 2
STEPS_S = (900, 300, 60)
FINEST_ERROR = 4 * (OMEGA * STEPS_S[-1]) ** 2 / 24
"""Bound on the relative error at steps of one minute, 5.1e-5: the midpoint rule misses (w h)^2 / 24 of
the arrivals, and the peak is what is left of 2.5 times as many."""


@dataclass(frozen=True)
class Outcome:
    """What became of the queue; times in seconds after midnight."""

    peak: float
    cleared_s: float
    waited_s: float

    def errors(self, exact: "Outcome") -> Array:
        """Relative errors of the three."""
        return np.array([self.peak / exact.peak, self.cleared_s / exact.cleared_s,
                         self.waited_s / exact.waited_s]) - 1.0


def rate(t: float) -> float:
    """Messages per second at `t` seconds after midnight."""
    return MEAN + SWING * math.sin(OMEGA * t)


def exact_queue(patience_s: float) -> Callable[[float], float]:
    """The solution of the differential equation, from Q(ONSET_S) = 0 on."""
    def particular(t: float) -> float:
        if math.isinf(patience_s):
            return (MEAN - MU) * t - SWING / OMEGA * math.cos(OMEGA * t)
        turn = OMEGA * patience_s
        wave = math.sin(OMEGA * t) - turn * math.cos(OMEGA * t)
        return patience_s * ((MEAN - MU) + SWING * wave / (1 + turn * turn))

    return lambda t: particular(t) - particular(ONSET_S) * math.exp(-(t - ONSET_S) / patience_s)


def exact(patience_s: float) -> Outcome:
    """Peak, clearing time and integral of the exact queue."""
    from scipy.integrate import quad
    from scipy.optimize import brentq

    queue = exact_queue(patience_s)
    falling = ONSET_S + PERIOD_S / 3
    top = brentq(lambda t: rate(t) - MU - queue(t) / patience_s, ONSET_S + 60, falling + 1, xtol=1e-9)
    cleared = brentq(queue, top, ONSET_S + PERIOD_S * 0.9, xtol=1e-9)
    return Outcome(queue(top), cleared, quad(queue, ONSET_S, cleared, epsrel=1e-12, limit=200)[0])


def series(folder: Path) -> None:
    """A file of the rate, in messages a day, at the middle of every minute."""
    lines = [f"2024-01-01T{n // 60:02d}:{n % 60:02d}:00Z,{rate(60 * n + 30) * 86_400!r}" for n in range(360)]
    (folder / "rate.csv").write_text("minute,messages\n" + "\n".join(lines) + "\n", encoding="utf-8")


def run(folder: Path, step_s: int, patience_s: float) -> tuple[Outcome, dict[str, Array]]:
    """The same quantities of a simulation, and the tables they came from."""
    series(folder)
    more = {} if math.isinf(patience_s) else {"patience_s": patience_s}
    volume = {"file": "rate.csv", "time": "minute", "value": "messages"}
    scenario = scenario_of(folder, **one_pool(GPUS, end="2024-01-01T06:00", step_s=step_s),
                           traffic={"users": one_class(volume, **more)})
    sink = simulated(scenario, steps=True)
    waiting = column(sink, "series_step_traffic", "messages_waiting").astype(float)
    waits = {name: column(sink, "fact_wait_hourly", name)
             for name in ("wait_low_s", "wait_high_s", "messages")}
    hourly = {name: column(sink, "fact_traffic_hourly", name)
              for name in ("messages_served", "messages_abandoned", "waiting_message_s")}
    tables = {**waits, **hourly}
    top = int(waiting.argmax())
    before, at, after = waiting[top - 1 : top + 2]
    peak = at + (after - before) ** 2 / (8 * (2 * at - before - after))  # of the parabola through them
    last = int(np.flatnonzero(waiting)[-1])
    excess = rate((last + 1.5) * step_s) - MU
    spent = -waiting[last] / excess if math.isinf(patience_s) else \
        patience_s * math.log1p(-waiting[last] / (excess * patience_s))
    return Outcome(peak, (last + 1) * step_s + spent, tables["waiting_message_s"].sum()), tables


PATIENCES = pytest.mark.parametrize("patience_s", [math.inf, 1_200.0], ids=["endless", "20-minutes"])


@PATIENCES
def test_peak_and_total_wait_converge_with_order_2(tmp_path: Path, patience_s: float) -> None:
    truth = exact(patience_s)
    errors = [np.abs(run(tmp_path, step_s, patience_s)[0].errors(truth)) for step_s in STEPS_S]
    coarse, middle, fine = ([error[0], error[2]] for error in errors)
    assert max(fine) < FINEST_ERROR, fine
    # 15 minutes is near the patience, where higher orders still count: there the order is at least 2.
    assert np.all(np.log(np.divide(coarse, middle)) / math.log(3) > 1.85)
    np.testing.assert_allclose(np.log(np.divide(middle, fine)) / math.log(5), 2.0, atol=0.15)


@PATIENCES
def test_the_queue_clears_when_the_integral_does(tmp_path: Path, patience_s: float) -> None:
    """Within a step the rate is off by up to rate' h / 2 and the queue by rate' h^2 / 8; patience carries
    over up to rate' h^2 / 12 from the steps before. The queue falls by mu - rate per second."""
    truth = exact(patience_s)
    falls_per_s = MU - rate(truth.cleared_s)
    for step_s in STEPS_S:
        bound_s = SWING * OMEGA * step_s**2 * (1 / 8 + 1 / 12) / falls_per_s
        outcome, _ = run(tmp_path, step_s, patience_s)
        assert abs(outcome.cleared_s - truth.cleared_s) < bound_s, step_s


def test_little_holds_between_the_queue_and_the_waits(tmp_path: Path) -> None:
    _, tables = run(tmp_path, 60, math.inf)
    low, high = (float((tables[name] * tables["messages"]).sum()) for name in ("wait_low_s", "wait_high_s"))
    waited_s = float(tables["waiting_message_s"].sum())
    assert low <= waited_s <= high
    # Evenly within a bucket, whose width is 9 % of its wait.
    assert (low + high) / 2 == pytest.approx(waited_s, rel=2e-3)
    assert tables["messages"].sum() == tables["messages_served"].sum()


def test_who_gives_up_is_the_integral_of_the_queue_over_patience(tmp_path: Path) -> None:
    _, tables = run(tmp_path, 300, 1_200.0)
    abandoned = float(tables["messages_abandoned"].sum())
    assert abandoned == pytest.approx(float(tables["waiting_message_s"].sum()) / 1_200.0, abs=1.0)
    assert abandoned == pytest.approx(exact(1_200.0).waited_s / 1_200.0, rel=2e-3)
