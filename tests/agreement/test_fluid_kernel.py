"""The compiled fluid kernel equals its plain reference bit for bit, whatever is asked of them."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

from both_kernels import both
from hypothesis import given
from hypothesis import strategies as st
from random_scenarios import GPUS, STARTS, scenarios

from fleetsim.engine import simulate
from fleetsim.engine.world import Kernel
from fleetsim.kernel import fluid, fluid_reference
from fleetsim.model.fleet import Fleet, Tranche
from fleetsim.model.pool import Pool, Share
from fleetsim.model.scenario import Horizon, Scenario
from fleetsim.model.service import Service
from fleetsim.model.traffic import TokenCount, TrafficClass
from fleetsim.output.sink import TableSink


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


def test_a_queue_longer_than_its_ring_is_the_same() -> None:
    """Steps of a second and no end of overload: the ring of 4,096 cohorts overflows."""
    start = STARTS[0]
    asker = {"prompt_tokens": TokenCount(0), "output_tokens": TokenCount(0), "pool": "pool", "service": "s"}
    scenario = Scenario(
        name="long", horizon=Horizon(start=start, end=start + timedelta(hours=2), step_s=1), gpus=GPUS,
        fleets={"fleet": Fleet(gpu="a100", provider="azure", tranches=(Tranche(start, 8),))},
        pools={"pool": Pool({"fleet": Share(gpus=8)})}, services={"s": Service(gpu_s_per_call=1.0)},
        traffic={"waits": TrafficClass(messages_per_day=2e6, **asker),
                 "leaves": TrafficClass(messages_per_day=2e6, patience_s=50_000.0, **asker)})
    counts: list[int] = []

    def watched(things: Any, *rest: Any) -> None:
        both(things, *rest)
        counts.extend(things.classes["cohort_count"].tolist())

    simulate(scenario, seed=0, sink=TableSink(), resolution="step", kernel=watched)
    assert counts == [4_096, 4_096]
