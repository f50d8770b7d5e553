"""Cases found by trying: autoscaling over fleets, overlapping pauses, long queues, loans, hand-backs."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from fleetsim import runner
from fleetsim.engine import simulate
from fleetsim.errors import UsageError
from fleetsim.output.sink import TableSink
from fleetsim.spec import load

TWO_FLEETS = """
fleetsim: 1
name: two-fleets
horizon: {start: 2024-01-01, end: "2024-01-01T06:00", step_s: 300}
fleets:
  a: {gpu: a100-80gb, provider: x, tranches: [{date: 2024-01-01, gpus: 80}],
      elastic: {max_gpus: 400, provisioning_delay_s: 7200, contract: by-the-hour}}
  b: {gpu: h100-80gb, provider: y, tranches: [{date: 2024-01-01, gpus: 400}]}
pools:
  p: {fleets: {a: {share_frac: 0.5}, b: {share_frac: 1.0}}}
  q: {fleets: {a: {share_frac: 0.5}}}
services: {m: {gpu_s_per_call: 30}}
traffic:
  t: {pool: p, service: m, messages_per_day: 864_000, prompt_tokens: {mean: 1}, output_tokens: {mean: 1}}
  u: {pool: q, service: m, messages_per_day: 144_000, prompt_tokens: {mean: 1}, output_tokens: {mean: 1}}
policies:
  of-p: {kind: autoscale, pool: p}
  of-q: {kind: autoscale, pool: q}
contracts:
  rent-a: {kind: reserved, fleet: a, usd_per_gpu_hour: 1}
  by-the-hour: {kind: on_demand, fleet: a, usd_per_gpu_hour: 2}
  rent-b: {kind: reserved, fleet: b, usd_per_gpu_hour: 2}
"""


def run(tmp_path: Path, text: str) -> TableSink:
    file = tmp_path / "scenario.yaml"
    file.write_text(text)
    sink = TableSink()
    simulate(load(file).scenario, seed=0, sink=sink)
    return sink


def gpus(sink: TableSink, fleet: str, pool: str, column: str) -> list[float]:
    rows = sink.table("fact_capacity_hourly").to_pylist()
    return [row[column] for row in rows if (row["fleet"], row["pool"]) == (fleet, pool)]


def test_fixed_gpus_of_every_fleet_are_used_before_elastic_ones_are_ordered(tmp_path: Path) -> None:
    # p: 864,000 x 30 s a day = 300 GPUs of work, /0.92 = 326.1 A100. 40 on a; the 286.1 left are 110.04
    # H100 (2.6 each), in whole replicas of 8: 112 of the 400 on b.
    sink = run(tmp_path, TWO_FLEETS)
    assert gpus(sink, "b", "p", "allocated_gpu_hours")[1:] == [112.0] * 5
    assert gpus(sink, "a", "p", "elastic_gpu_hours") == [0.0] * 6
    assert gpus(sink, "a", "p", "allocated_gpu_hours") == [40.0] * 6


def test_elastic_gpus_belong_to_the_pool_that_ordered_them(tmp_path: Path) -> None:
    # q: 50 GPUs of work on 40 fixed ones; what it orders comes after two hours. When the backlog is
    # gone it needs 50 / 0.92 = 54.3, in whole replicas 56: 16 elastic.
    sink = run(tmp_path, TWO_FLEETS)
    assert gpus(sink, "a", "q", "elastic_gpu_hours")[:2] == [0.0, 0.0]
    assert gpus(sink, "a", "q", "elastic_gpu_hours")[-1] == 16.0
    assert gpus(sink, "a", "q", "allocated_gpu_hours")[-1] == 56.0


@pytest.mark.parametrize("pauses", [
    "one: {kind: sign_up_pause, class: t, start: 2024-01-11, end: 2024-01-21}",
    "one: {kind: sign_up_pause, class: t, start: 2024-01-11, end: 2024-01-17}\n"
    "  two: {kind: sign_up_pause, class: t, start: 2024-01-14, end: 2024-01-21}",
    "one: {kind: sign_up_pause, class: t, start: 2024-01-11, end: 2024-01-15}\n"
    "  two: {kind: sign_up_pause, class: t, start: 2024-01-15, end: 2024-01-21}",
])
def test_pauses_that_overlap_are_one_pause(tmp_path: Path, pauses: str) -> None:
    sink = run(tmp_path, f"""
fleetsim: 1
name: pauses
horizon: {{start: 2024-01-01, end: 2024-01-31, step_s: 3600, control_s: 3600}}
fleets: {{a: {{gpu: a100-80gb, provider: x, tranches: [{{date: 2024-01-01, gpus: 8000}}]}}}}
pools: {{p: {{fleets: {{a: {{share_frac: 1.0}}}}}}}}
services: {{m: {{gpu_s_per_call: 1}}}}
traffic:
  t: {{pool: p, service: m, messages_per_day: {{2024-01-01: 1e6, 2024-01-31: 4e6}},
      prompt_tokens: {{mean: 1}}, output_tokens: {{mean: 1}}}}
surges:
  {pauses}
contracts: {{c: {{kind: reserved, fleet: a, usd_per_gpu_hour: 1}}}}
""")
    expected = np.array(sink.table("fact_traffic_hourly").column("expected_messages").to_pylist()) * 24
    held = 1e6 * 4 ** (10 / 30)
    assert expected[10 * 24 : 20 * 24] == pytest.approx(np.full(240, held), rel=1e-9)
    assert expected[-1] == pytest.approx(held * 4 ** ((239.5 / 24) / 30), rel=1e-9)


def test_waits_longer_than_the_ring_of_cohorts_are_told(tmp_path: Path) -> None:
    # 20 messages a second for 10 GPUs of one a second, in steps of 1 s: whoever is served at t came at
    # t / 2. After three hours the wait is 5,400 s, over a thousand cohorts more than there is room for.
    sink = run(tmp_path, """
fleetsim: 1
name: long-queue
horizon: {start: 2024-01-01, end: "2024-01-01T03:00", step_s: 1}
fleets: {a: {gpu: a100-80gb, provider: x, tranches: [{date: 2024-01-01, gpus: 10}]}}
pools: {p: {fleets: {a: {share_frac: 1.0}}}}
services: {m: {gpu_s_per_call: 1}}
traffic:
  t: {pool: p, service: m, messages_per_day: 1_728_000, prompt_tokens: {mean: 1}, output_tokens: {mean: 1}}
contracts: {c: {kind: reserved, fleet: a, usd_per_gpu_hour: 1}}
""")
    rows = sink.table("fact_wait_hourly").to_pylist()
    assert max(row["wait_high_s"] for row in rows) == pytest.approx(5_400, rel=0.1)
    middle = sum(row["messages"] * (row["wait_low_s"] + row["wait_high_s"]) / 2 for row in rows)
    assert middle / sum(row["messages"] for row in rows) == pytest.approx(2_700, rel=0.02)


BORROWERS = """
fleetsim: 1
name: borrowers
horizon: {start: 2024-01-01, end: "2024-01-01T04:00", step_s: 300}
fleets: {a: {gpu: a100-80gb, provider: x, tranches: [{date: 2024-01-01, gpus: 30}]}}
pools:
  p: {fleets: {a: {gpus: 10}}}
  q: {fleets: {a: {gpus: 10}}}
  z: {fleets: {a: {gpus: 10}}}
services: {m: {gpu_s_per_call: 1}}
traffic:
  of-p: {pool: p, service: m, messages_per_day: 1_296_000, prompt_tokens: {mean: 1}, output_tokens: {mean: 1}}
  of-q: {pool: q, service: m, messages_per_day: 172_800, prompt_tokens: {mean: 1}, output_tokens: {mean: 1}}
  of-z: {pool: z, service: m, messages_per_day: 1_296_000, prompt_tokens: {mean: 1}, output_tokens: {mean: 1}}
policies:
  first: {kind: borrow, pool: p, from: q}
  second: {kind: borrow, pool: z, from: q}
contracts: {c: {kind: reserved, fleet: a, usd_per_gpu_hour: 1}}
"""


def test_idle_gpus_are_lent_once(tmp_path: Path) -> None:
    # q has 10 GPUs, keeps 5 % idle and needs 2 / 0.92 = 2.2: it lends 7, whoever asks.
    sink = run(tmp_path, BORROWERS)
    assert gpus(sink, "a", "q", "lent_gpu_hours")[1:] == [7.0] * 3
    # p needs 15 / 0.92 - 10 = 6.3 and comes first; one is left for z.
    assert gpus(sink, "a", "p", "borrowed_gpu_hours")[1:] == [6.0] * 3
    assert gpus(sink, "a", "z", "borrowed_gpu_hours")[1:] == [1.0] * 3
    served = sink.table("fact_traffic_hourly").to_pylist()
    assert sum(row["messages_waiting"] for row in served if row["traffic_class"] == "of-q") == 0


def test_what_is_handed_back_takes_its_failed_nodes_along(tmp_path: Path) -> None:
    sink = run(tmp_path, """
fleetsim: 1
name: hand-back
horizon: {start: 2024-01-01, end: 2024-02-15, step_s: 300}
fleets:
  a: {gpu: a100-80gb, provider: x, node_mtbf_h: 100, repair_h: 100,
      tranches: [{date: 2024-01-01, gpus: 8000, end: 2024-02-01}, {date: 2024-01-01, gpus: 800}]}
pools: {p: {fleets: {a: {share_frac: 1.0}}}}
services: {m: {gpu_s_per_call: 1}}
traffic: {t: {pool: p, service: m, messages_per_day: 1e6, prompt_tokens: {mean: 1}, output_tokens: {mean: 1}}}
contracts: {c: {kind: reserved, fleet: a, usd_per_gpu_hour: 1}}
""")
    rented = np.array(gpus(sink, "a", "p", "rented_gpu_hours"))
    healthy = np.array(gpus(sink, "a", "p", "healthy_gpu_hours")) / rented
    at = int(np.flatnonzero(rented == 800)[0])
    # Half of the nodes are under repair before and after; 0.05 is one standard deviation of 100 nodes.
    assert healthy[at - 1] == pytest.approx(0.5, abs=0.1)
    assert healthy[at] == pytest.approx(healthy[at - 1], abs=0.05)


def test_a_scenario_edited_behind_its_source_is_not_run(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(BORROWERS)
    scenario = load(file).scenario
    edited = dataclasses.replace(scenario, horizon=dataclasses.replace(scenario.horizon, step_s=150))
    with pytest.raises(UsageError, match="override"):
        runner.simulate(edited, results=tmp_path)
    assert not list(tmp_path.glob("borrowers*"))
