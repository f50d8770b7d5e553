"""Common random numbers: what one thing draws does not depend on what else there is or what it costs."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from failures_by_hand import stream
from random_scenarios import GPUS, STARTS
from whole_run import SEED, WholeRun

from fleetsim.engine import simulation
from fleetsim.ledger.contracts import Reserved
from fleetsim.model.fleet import Fleet, Slip, Tranche
from fleetsim.model.pool import Pool, Share
from fleetsim.model.scenario import Horizon, Scenario
from fleetsim.model.service import Service
from fleetsim.model.surges import SURGES
from fleetsim.model.traffic import Retry, TokenCount, TrafficClass
from fleetsim.policies import Autoscale, Shed
from fleetsim.rng import Streams

Draws = dict[str, "np.ndarray[Any, Any]"]
START = STARTS[0]
END = START + timedelta(days=3)


def fleet(gpus: int = 200) -> Fleet:
    late = Tranche(START + timedelta(hours=20), gpus, slip=Slip(-0.3, 0.1, 0.8))
    return Fleet(gpu="a100", provider="azure", tranches=(Tranche(START, gpus), late),
                 node_mtbf_h=40.0, repair_h=6.0)


def asker(pool: str, priority: int = 1) -> TrafficClass:
    return TrafficClass(pool=pool, service="chat", messages_per_day=4e6, prompt_tokens=TokenCount(0),
                        output_tokens=TokenCount(0), noise_cv_frac=0.1, patience_s=60.0, retry=Retry(),
                        priority=priority)


BASE = Scenario(
    name="streams", horizon=Horizon(start=START, end=END, step_s=300), gpus=GPUS,
    fleets={"azure": fleet(), "oracle": fleet(40)},
    pools={"chatgpt": Pool({"azure": Share(gpus=150)}), "api": Pool({"oracle": Share(gpus=40)})},
    services={"chat": Service(gpu_s_per_call=4.0)},
    traffic={"free": asker("chatgpt"), "plus": asker("chatgpt", 0), "api": asker("api")},
    contracts={"rent": Reserved(fleet="azure", usd_per_gpu_hour=Decimal("1.30"))},
)
"""Over the end of a month, so that each stream is drawn in two blocks."""
SLIPS = {f"fleet/{name}/slip/{tranche.date:%Y-%m-%dT%H:%M}"
         for name, of in BASE.fleets.items() for tranche in of.tranches if tranche.slip}
STREAMS = SLIPS | {f"fleet/{name}/{what}" for name in BASE.fleets for what in ("failures", "repairs")} | {
    "traffic/noise", *(f"traffic/{name}/noise" for name in BASE.traffic)}
EARLIER = Tranche(START + timedelta(hours=3), 8, slip=Slip(0.0, 0.0, 0.1))

CHANGES: dict[str, Callable[[Scenario], Scenario]] = {
    "a price": lambda base: replace(base, contracts={
        "rent": Reserved(fleet="azure", usd_per_gpu_hour=Decimal("2.60"))}),
    "a fleet first": lambda base: replace(base, fleets={"new": fleet(), **base.fleets}),
    "a fleet last": lambda base: replace(base, fleets={**base.fleets, "new": fleet()}),
    "a tranche": lambda base: replace(base, fleets={**base.fleets, "oracle": replace(
        base.fleets["oracle"], tranches=(EARLIER, *base.fleets["oracle"].tranches))}),
    "a class first": lambda base: replace(base, traffic={"new": asker("api"), **base.traffic}),
    "a class last": lambda base: replace(base, traffic={**base.traffic, "new": asker("api")}),
    "a surge": lambda base: replace(base, surges={"launch": SURGES["multiplier"](
        class_="free", start=START + timedelta(hours=7), factor=8.0)}),
    "a policy": lambda base: replace(base, policies={"full": Shed(pool="chatgpt", above_load_frac=0.5)}),
    "a policy that ticks": lambda base: replace(base, policies={"scale": Autoscale(pool="chatgpt")}),
    "a failure rate": lambda base: replace(base, fleets={
        **base.fleets, "oracle": replace(base.fleets["oracle"], node_mtbf_h=2.0)}),
}


def drawn(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> tuple[WholeRun, Draws]:
    """A run, and all that each stream gave."""
    draws: dict[str, list[Any]] = {}

    class Recording(Streams):
        def uniforms(self, name: str, count: int) -> "np.ndarray[Any, Any]":
            given = super().uniforms(name, count)
            draws.setdefault(name, []).append(given.copy())
            return given

    monkeypatch.setattr(simulation, "Streams", Recording)
    run = WholeRun(scenario)
    return run, {name: np.concatenate(parts) for name, parts in draws.items()}


def test_the_base_draws_from_every_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    run, draws = drawn(BASE, monkeypatch)
    assert set(draws) == STREAMS
    for name, values in draws.items():
        assert len(values) == (1 if name in SLIPS else BASE.horizon.steps)
        assert values.tolist() == stream(SEED, name, len(values))
    assert run.frame("fact_capacity_hourly")["node_failures"].sum() > 0


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_leaves_every_other_stream_as_it_was(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, before = drawn(BASE, monkeypatch)
    _, after = drawn(CHANGES[change](BASE), monkeypatch)
    assert [name for name in before if before[name].tobytes() != after[name].tobytes()] == []
    assert all("new" in name or name.endswith("T03:00") for name in set(after) - set(before))


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_leaves_what_it_does_not_touch_as_it_was(change: str) -> None:
    before, after = WholeRun(BASE), WholeRun(CHANGES[change](BASE))
    traffic = ["messages_arrived", "expected_messages"]
    for name in set(BASE.traffic) - ({"free"} if change == "a surge" else set()):
        assert of(before, "fact_traffic_hourly", "traffic_class", name, traffic) == of(
            after, "fact_traffic_hourly", "traffic_class", name, traffic)
    nodes = ["node_failures", "node_repairs", "rented_gpu_hours", "healthy_gpu_hours"]
    for name in set(BASE.fleets) - ({"oracle"} if change in ("a failure rate", "a tranche") else set()):
        assert of(before, "fact_capacity_hourly", "fleet", name, nodes) == of(
            after, "fact_capacity_hourly", "fleet", name, nodes)


def of(run: WholeRun, table: str, key: str, name: str, columns: list[str]) -> Any:
    """Columns of the rows of one thing."""
    rows = run.frame(table)
    return rows.loc[rows[key] == name, columns].to_numpy().tolist()


def test_streams_of_other_names_seeds_and_replications_differ() -> None:
    first = Streams(1).uniforms("fleet/a/failures", 50)
    others = [Streams(1).uniforms("fleet/a/repairs", 50), Streams(2).uniforms("fleet/a/failures", 50),
              Streams(1, 1).uniforms("fleet/a/failures", 50)]
    assert not any(np.isin(other, first).any() for other in others)
    assert first.min() > 0
    assert first.max() < 1


def test_a_stream_goes_on_where_it_stopped() -> None:
    pieces = Streams(1)
    together = np.concatenate([pieces.uniforms("a", 3), pieces.uniforms("b", 1)[:0], pieces.uniforms("a", 7)])
    assert together.tolist() == Streams(1).uniforms("a", 10).tolist()


FILE = """
fleetsim: 1
name: twice
horizon: {start: 2024-01-30, end: 2024-02-02, step_s: 300, warmup_days: 0.25}
fleets:
  azure: {gpu: a100-80gb, provider: azure, tranches: [{date: 2024-01-30, gpus: 200}], node_mtbf_h: 50,
          elastic: {max_gpus: 64, provisioning_delay_s: 600, contract: spot}}
pools: {chat: {fleets: {azure: {gpus: 200}}}}
services: {big: {gpu_s_per_call: 4}, small: {gpu_s_per_call: 1}}
traffic:
  free: {pool: chat, service: big, messages_per_day: 5.0e6, prompt_tokens: {mean: 1},
         output_tokens: {mean: 1}, noise_cv_frac: 0.1, patience_s: 60, retry: {max_retries: 2}, priority: 2,
         slo_wait_s: 10}
  plus: {pool: chat, service: big, messages_per_day: 1.0e6, prompt_tokens: {mean: 1},
         output_tokens: {mean: 1}, noise_cv_frac: 0.1}
policies:
  cheaper: {kind: degrade, pool: chat, to: {free: small}}
  scale: {kind: autoscale, pool: chat}
contracts:
  rent: {kind: reserved, fleet: azure, usd_per_gpu_hour: 1.30}
  spot: {kind: on_demand, fleet: azure, usd_per_gpu_hour: 3.10}
"""


def run_in_a_process(file: Path, results: Path, hash_seed: str) -> dict[str, bytes]:
    """Every file of a run made by a process of its own; timings are in log.json and nowhere else."""
    subprocess.run(
        [sys.executable, "-m", "fleetsim", "run", str(file), "--seed", "11", "--resolution", "step",
         "--results", str(results)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True, check=True, text=True)
    return {str(path.relative_to(results)): path.read_bytes()
            for path in sorted(results.rglob("*")) if path.is_file() and path.name != "log.json"}


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    file = tmp_path / "twice.yaml"
    file.write_text(FILE)
    one, two = (run_in_a_process(file, tmp_path / name, name) for name in ("1", "4242"))
    assert any(name.endswith("manifest.json") for name in one)
    assert any(name.endswith("series_step_traffic.parquet") for name in one)
    assert list(one) == list(two)
    assert [name for name in one if one[name] != two[name]] == []
