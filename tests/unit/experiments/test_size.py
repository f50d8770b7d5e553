"""The fewest replicas: bisection against every number, what cannot be met, the price."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up_trace import poisson, trace_of

import fleetsim as fs
from fleetsim.engine.latency import HISTOGRAMS
from fleetsim.experiments.flat_fleet import flat_cost, signed
from fleetsim.experiments.lone_requests import spaced_out
from fleetsim.experiments.replay import Replay, replay
from fleetsim.experiments.size import fewest, size, value_of
from fleetsim.model.replica import Batching, RequestClass
from fleetsim.model.slo import parse_slos
from fleetsim.report.size import size_text
from fleetsim.spec import catalog
from fleetsim.spec.trace.canonical import Trace

ON = {"service": "llama-2-70b", "gpu": "a100-80gb"}
LAW = catalog.step_profiles()["llama-2-70b-2023-engine-a100-80gb"].law
TERMS = "ttft_p90_s<=0.6,tpot_mean_s<=0.08"
WORKLOADS = Path(__file__).parents[3] / "workloads" / "contracts"


@pytest.fixture(scope="module")
def calls() -> Trace:
    return poisson(600, 20.0)


def asked(holds: Callable[[int], bool], most: int) -> tuple[int | None, list[int]]:
    """The answer, and the numbers that were asked."""
    seen: list[int] = []

    def noted(number: int) -> bool:
        seen.append(number)
        return holds(number)

    return fewest(noted, most), seen


@pytest.mark.parametrize("most", [1, 2, 3, 8, 37])
def test_bisection_finds_every_threshold(most: int) -> None:
    for threshold in range(1, most + 1):
        found, seen = asked(threshold.__le__, most)
        assert found == threshold
        assert len(seen) == len(set(seen))
        assert max(seen) <= most
        assert found == 1 or found - 1 in seen
    assert asked(lambda number: False, most)[0] is None


def test_a_smaller_number_beside_the_answer_is_taken() -> None:
    """Bisection between 16 and 32 asks 24, 28, 26, 27, and comes to 27; 25 is beside it, 23 beside that."""
    assert asked(lambda number: number == 25 or number > 26, 64)[0] == 25
    assert asked(lambda number: number in (23, 25) or number > 26, 64)[0] == 23


def test_the_search_looks_above_its_answer() -> None:
    found, seen = asked(lambda number: number in (8, 9) or number > 10, 64)
    assert found == 8
    assert {9, 10} <= set(seen)


def test_more_replicas_that_fail_are_named(calls: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The replay of one number more than the answer is made to serve nobody in time."""
    answer = size(calls, slo=TERMS, **ON).replicas

    def worse(*words: Any, **named: Any) -> Replay:
        if named["replicas"] == answer + 1:
            named["replicas"] = 1
            return replace(replay(*words, **named), replicas=answer + 1)
        return replay(*words, **named)

    monkeypatch.setattr("fleetsim.experiments.size.replay", worse)
    found = size(calls, slo=TERMS, **ON)
    assert found.not_monotone == (answer + 1,)
    assert f"{answer + 1} replicas fail, {answer} hold" in size_text(found.as_dict())


def holds(found: Replay, terms: str) -> bool:
    return all(value is not None and term.met_by(value)
               for term in parse_slos(terms, HISTOGRAMS) for value in [value_of(term, found)])


def test_the_answer_is_that_of_trying_every_number(calls: Trace) -> None:
    every = {number: holds(replay(calls, replicas=number, **ON), TERMS) for number in range(1, 13)}
    best = min(number for number, held in every.items() if held)
    assert 2 < best < 12, "a trace that makes no difference tests nothing"
    found = size(calls, slo=TERMS, **ON)
    assert found.replicas == best
    assert found.next_smaller_fails
    assert {each.replicas: each.holds for each in found.tried} == {
        each.replicas: every[each.replicas] for each in found.tried if each.replicas in every}
    assert found.not_monotone == tuple(
        each.replicas for each in found.tried if each.replicas > best and not every[each.replicas])


def test_the_answer_holds_and_one_less_does_not(calls: Trace) -> None:
    found = size(calls, slo=TERMS, **ON)
    assert holds(replay(calls, replicas=found.replicas, **ON), TERMS)
    assert not holds(replay(calls, replicas=found.replicas - 1, **ON), TERMS)
    assert found.chosen.replicas == found.replicas
    assert found.gpus == 8 * found.replicas


def test_a_class_is_asked_alone(calls: Trace) -> None:
    (both,) = parse_slos("e2e_p99_s<=1", HISTOGRAMS)
    (chat,) = parse_slos("chat:e2e_p99_s<=1", HISTOGRAMS)
    found = replay(calls, replicas=3, **ON)
    latency = {each.name: each.latency["e2e"] for each in found.classes}
    assert value_of(chat, found) == latency["chat"].quantile_s(0.99)
    assert value_of(both, found) == (latency["chat"] + latency["search"]).quantile_s(0.99)
    assert value_of(chat, found) != value_of(both, found)
    with pytest.raises(fs.UsageError, match="no class 'chatt' \\(did you mean 'chat'"):
        size(calls, slo="chatt:ttft_p99_s<=1", **ON)


def test_what_a_lone_step_misses_is_told_at_once(calls: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prompt of 2,000 tokens takes 43.7 + 220 ms and more: 0.1 s cannot be met; told after one replay."""
    replays: list[int] = []

    def counted(*words: Any, **named: Any) -> Replay:
        replays.append(int(str(named["replicas"])))
        return replay(*words, **named)

    monkeypatch.setattr("fleetsim.experiments.size.replay", counted)
    long = trace_of(*((0.01 * number, 2_000, 5) for number in range(40)))
    best = LAW.step_ns(1, 2_000, 2_000) / 1e9
    with pytest.raises(fs.UsageError, match="even with a replica for every request") as told:
        size(long, slo="ttft_p99_s<=0.1", **ON)
    assert float(str(told.value).split("missed: ")[1].split()[0]) == pytest.approx(best, rel=0.008)
    assert replays == [1]


@pytest.mark.parametrize("batching", [Batching(), Batching(prefill="chunked"), Batching(kv="grown")])
def test_lone_requests_have_the_times_of_a_replica_each(calls: Trace, batching: Batching) -> None:
    apart = spaced_out(calls, LAW, batching)
    assert apart is not None
    alone = replay(apart, replicas=1, batching=batching, **ON)
    many = replay(calls, replicas=len(calls), batching=batching, **ON)
    for one, other in zip(alone.classes, many.classes, strict=True):
        for metric in HISTOGRAMS:
            assert np.array_equal(one.latency[metric].counts, other.latency[metric].counts), metric


def test_a_request_longer_than_the_cache_is_told_or_left_out() -> None:
    calls = trace_of(*((1.0 * number, 500, 20) for number in range(9)), (9.0, LAW.kv_tokens, 1))
    with pytest.raises(fs.UsageError, match=r"1 of 10 requests are longer than the 1,414,000 KV.*0\.9 "):
        size(calls, slo="ttft_p99_s<=1", **ON)
    assert size(calls, slo="ttft_p99_s<=1,served_frac>=0.9", **ON).replicas == 1
    with pytest.raises(fs.UsageError, match=r"lost_frac<=0\.05 is missed: 0\.1"):
        size(calls, slo="ttft_p99_s<=1,lost_frac<=0.05", **ON)


def test_patience_counts_as_lost(calls: Trace) -> None:
    """Who has left has no time to first token: without a share in the terms, all must be served."""
    hasty = [RequestClass(name, patience_s=0.05) for name in calls.class_names]
    found = size(calls, slo="ttft_p50_s<=5", classes=hasty, **ON)
    assert str(found.slos[-1]) == "served_frac>=1"
    assert found.chosen.served == found.chosen.arrived
    some = size(calls, slo="ttft_p50_s<=5,served_frac>=0.5", classes=hasty, **ON)
    assert some.replicas < found.replicas


def test_one_token_has_no_time_between_tokens() -> None:
    found = size(trace_of((0.0, 100, 1), (1.0, 100, 1)), slo="tpot_p99_s<=0.001", **ON)
    assert found.replicas == 1
    assert found.tried[0].values[0] is None
    assert found.next_smaller_fails is None


def test_the_price_is_the_ledgers(calls: Trace) -> None:
    found = size(calls, slo=TERMS, contracts=WORKLOADS / "azure-negotiated.yaml", **ON)
    assert found.usd_per_gpu_hour == 1.30
    assert found.contract_cost is not None
    assert found.contract_cost.effective_usd == pytest.approx(found.gpus * 8_760 * 1.30, abs=0.01)
    data = found.as_dict()
    assert data["usd_per_month"] == pytest.approx(found.gpus * 730 * 1.30)
    assert data["usd_per_request"] == pytest.approx(
        found.gpus * found.chosen.span_s / 3_600 * 1.30 / len(calls))
    plain = size(calls, slo=TERMS, usd_per_gpu_hour=1.30, **ON)
    assert plain.as_dict()["usd_per_year"] == pytest.approx(data["usd_per_year"])


def test_a_year_of_a_flat_fleet_by_hand() -> None:
    """Paid ahead: three years of cash, one of cost. A plan of $400,000 an hour: paid whatever 8 GPUs use."""
    ahead = flat_cost(signed(WORKLOADS / "azure-reserved-3y-upfront.yaml"), 8)
    assert ahead.effective_usd == pytest.approx(8 * 8_760 * 1.60, rel=1e-9)
    assert ahead.billed_usd == pytest.approx(8 * (365 * 3 + 1) * 24 * 1.60, rel=1e-9)
    plan = flat_cost(signed(WORKLOADS / "savings-plan.yaml"), 8)
    assert plan.effective_usd == pytest.approx(400_000 * 8_760)
    assert plan.unused_usd == pytest.approx(400_000 * 8_760 - 8 * 8_760 * 4.10 * 0.65)
    assert plan.covered_frac == 1.0
    listed = flat_cost(signed(WORKLOADS / "savings-plan.yaml", "azure-on-demand"), 8)
    assert listed.usd_per_gpu_hour == 4.10


def test_power_of_ones_own_hardware_is_that_of_the_replay(calls: Trace) -> None:
    own = signed(WORKLOADS / "owned-a100.yaml")
    cheap, dear = (flat_cost(own, 8, watts_per_gpu=watts) for watts in (None, 200.0))
    assert dear.effective_usd - cheap.effective_usd == pytest.approx(8 * 0.2 * 8_760 * 0.07, rel=1e-6)
    found = size(calls, slo=TERMS, contracts=WORKLOADS / "owned-a100.yaml", **ON)
    assert found.contract_cost is not None
    assert found.contract_cost.effective_usd > flat_cost(own, found.gpus).effective_usd


@pytest.mark.parametrize(("file", "contract", "said"), [
    ("azure-credits.yaml", None, "bills no GPU-hours by itself"),
    ("savings-plan.yaml", "azure-savings", "did you mean 'azure-savings-plan'"),
])
def test_what_gives_no_price_is_told(calls: Trace, file: str, contract: str | None, said: str) -> None:
    with pytest.raises(fs.UsageError, match=said):
        size(calls, slo=TERMS, contracts=WORKLOADS / file, contract=contract, **ON)


def test_two_prices_are_one_too_many(calls: Trace) -> None:
    with pytest.raises(fs.UsageError, match="not both"):
        size(calls, slo=TERMS, usd_per_gpu_hour=1.0, contracts=WORKLOADS / "azure-list.yaml", **ON)
    with pytest.raises(fs.UsageError, match="give --contracts FILE"):
        size(calls, slo=TERMS, contract="azure", **ON)


def test_hash_routing_may_need_more_than_there_are_requests() -> None:
    """Thirty requests at once on up to thirty replicas: some always meet."""
    calls = trace_of(*((0.0, 1_000, 5) for _ in range(30)))
    alone = LAW.step_ns(1, 1_000, 1_000) / 1e9
    slo = f"ttft_p99_s<={alone * 1.02}"
    assert size(calls, slo=slo, **ON).replicas == 30
    with pytest.raises(fs.UsageError, match="no number up to 30 meets it"):
        size(calls, slo=slo, routing="hash", **ON)
