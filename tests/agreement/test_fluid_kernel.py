"""The compiled fluid kernel equals its plain reference bit for bit, whatever is asked of them."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pyarrow.compute as pc
import pytest
from both_kernels import both
from hypothesis import given
from hypothesis import strategies as st
from latency_tables import made_up
from random_scenarios import GPUS, STARTS, scenarios

from fleetsim.engine import simulate
from fleetsim.engine.world import Kernel
from fleetsim.kernel import fluid, fluid_reference
from fleetsim.model.fleet import Fleet, Tranche, Window
from fleetsim.model.pool import Pool, Share
from fleetsim.model.scenario import Horizon, Scenario
from fleetsim.model.service import Service
from fleetsim.model.traffic import TokenCount, TrafficClass
from fleetsim.output.sink import TableSink
from fleetsim.policies import MaxWait


def tables(scenario: Scenario, kernel: Kernel = fluid.advance) -> dict[str, Any]:
    sink = TableSink()
    simulate(scenario, seed=5, sink=sink, resolution="step", kernel=kernel)
    return sink.tables()


@given(scenarios())
def test_every_step_and_the_whole_state_are_the_same(scenario: Scenario) -> None:
    simulate(scenario, seed=5, sink=TableSink(), resolution="step", kernel=both)


@given(scenarios(most_days=1))
def test_a_run_without_kept_steps_is_the_same(scenario: Scenario) -> None:
    simulate(scenario, seed=6, sink=TableSink(), kernel=both)


@given(scenarios(most_days=1))
def test_the_engine_runs_on_the_reference(scenario: Scenario) -> None:
    compiled, plain = tables(scenario), tables(scenario, fluid_reference.advance)
    assert [name for name in compiled if not compiled[name].equals(plain[name])] == []


@given(scenarios(), st.data())
def test_any_split_of_the_steps_gives_the_same_tables(scenario: Scenario, data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=5))

    def in_pieces(things: Any, inputs: Any, hourly: Any, steps: Any, first: int, last: int) -> None:
        cuts = [first]
        while cuts[-1] < last:
            cuts.append(min(last, cuts[-1] + lengths[len(cuts) % len(lengths)]))
        for begin, end in pairwise(cuts):
            fluid.advance(things, inputs, hourly, steps, begin, end)

    whole, pieces = tables(scenario), tables(scenario, in_pieces)
    assert [name for name in whole if not whole[name].equals(pieces[name])] == []


def with_tables(scenario: Scenario, loads: list[float], services: list[str]) -> Scenario:
    """The scenario with latency tables of some of its services."""
    return replace(scenario, latency_tables={
        name: made_up(name, GPUS, tuple(scenario.traffic), loads=loads, single_token=9) for name in services})


LOADS = st.sets(st.sampled_from([0.05, 0.3, 0.5, 0.7, 0.85, 0.95]), min_size=1).map(sorted)
SERVICES = st.sets(st.sampled_from(["service0", "service1", "service2"]), min_size=1)


@given(scenarios(most_days=2), LOADS, SERVICES)
def test_with_latency_tables_every_step_is_the_same(scenario: Scenario, loads: list[float],
                                                    services: set[str]) -> None:
    simulate(with_tables(scenario, loads, sorted(services)), seed=5, sink=TableSink(), kernel=both)


def test_classes_that_are_served_before_a_queue_are_the_same() -> None:
    """Their messages stand after the last load."""
    scenario = overloaded(Horizon(start=START, end=START + timedelta(hours=3)), 24, 5_000.0)
    first, last = (replace(scenario.traffic["leaves"], priority=p, messages_per_day=1.5e6) for p in (0, 1))
    scenario = replace(scenario, traffic={"first": first, "last": last})
    after: list[float] = []

    def watched(things: Any, inputs: Any, hourly: Any, *rest: Any) -> None:
        both(things, inputs, hourly, *rest)
        after.extend(hourly.load_served[:, :, 2].sum(axis=0).tolist())

    simulate(with_tables(scenario, [0.5, 0.95], ["s"]), seed=5, sink=TableSink(), kernel=watched)
    assert after == [pytest.approx(1.5e6 / 8, rel=0.01), 0.0]


@given(scenarios(most_days=1), LOADS)
def test_latency_tables_change_no_other_table(scenario: Scenario, loads: list[float]) -> None:
    """They say how long messages took, and nothing of who was served; every served message is counted."""
    plain = tables(scenario)
    known = tables(with_tables(scenario, loads, list(scenario.services)))
    assert plain.pop("fact_latency_hourly").num_rows == 0
    assert [name for name in plain if not plain[name].equals(known[name])] == []
    served, counted = by_key(known["fact_traffic_hourly"], "messages_served"), {}
    for metric in ("ttft", "e2e"):
        of_metric = known["fact_latency_hourly"].filter(pc.field("metric") == metric)
        counted[metric] = by_key(of_metric, "messages")
    assert counted["ttft"] == counted["e2e"] == served


def by_key(table: Any, column: str) -> dict[Any, int]:
    """The sum of a column by hour, class and service, where it is not 0."""
    keys = ["hour", "traffic_class", "service"]
    rows = table.group_by(keys).aggregate([(column, "sum")]).to_pylist()
    return {tuple(row[key] for key in keys): row[f"{column}_sum"] for row in rows if row[f"{column}_sum"]}


START = STARTS[0]


def overloaded(horizon: Horizon, gpus: int, patience_s: float, **more: Any) -> Scenario:
    """Two classes, one with endless patience, that want much more than a small fleet can do."""
    asker = TrafficClass(pool="pool", service="s", messages_per_day=2e6, prompt_tokens=TokenCount(0),
                         output_tokens=TokenCount(0))
    fleet = Fleet(gpu="a100", provider="azure", tranches=(Tranche(START, gpus),),
                  outages=more.pop("outages", {}))
    return Scenario(
        name="overloaded", horizon=horizon, gpus=GPUS, fleets={"fleet": fleet},
        pools={"pool": Pool({"fleet": Share(gpus=gpus)})}, services={"s": Service(gpu_s_per_call=1.0)},
        traffic={"waits": asker, "leaves": replace(asker, patience_s=patience_s)}, **more)


def test_a_queue_longer_than_its_ring_is_the_same() -> None:
    """Steps of a second and no end of overload: the ring of 4,096 cohorts overflows."""
    horizon = Horizon(start=START, end=START + timedelta(hours=2), step_s=1, control_s=60)
    longest: list[int] = []

    def watched(things: Any, *rest: Any) -> None:
        both(things, *rest)
        longest.extend(things.cohorts["steps"].max(axis=1).tolist())

    simulate(overloaded(horizon, 8, 50_000.0), seed=0, sink=TableSink(), resolution="step", kernel=watched)
    assert min(longest) > 1


def test_a_full_queue_that_must_shrink_is_the_same() -> None:
    """An outage lets less be served, so that those at the end of the line would wait too long."""
    hours = [START + timedelta(hours=hour) for hour in range(7)]
    scenario = overloaded(
        Horizon(start=START, end=hours[6], step_s=300), 24, 5_000.0,
        outages={"half": Window(hours[2], hours[4], share_frac=0.7)},
        policies={name: MaxWait(class_=name, max_wait_s=1_500.0) for name in ("waits", "leaves")})
    lines: list[list[float]] = []

    def watched(things: Any, *rest: Any) -> None:
        both(things, *rest)
        lines.append(things.waiting.sum(axis=1).tolist())

    simulate(scenario, seed=0, sink=TableSink(), resolution="step", kernel=watched)
    before, during, after = lines
    assert max(during) < 0.5 * min(before)
    assert min(after) > 2.0 * max(during)
