"""Break-even: fleets weighted by what they rent, and no number where it would mislead."""

from pathlib import Path

import pytest

import fleetsim as fs
from fleetsim.experiments.comparison import BREAK_EVEN

SCENARIO = """
fleetsim: 1
name: three-fleets
horizon: {start: 2024-02-01, end: 2024-02-08, step_s: 3600}
fleets:
  a: {gpu: a100-80gb, provider: x, tranches: [{date: 2024-02-01, gpus: 100}]}
  b: {gpu: a100-80gb, provider: x, tranches: [{date: 2024-02-01, gpus: 300}]}
  spare: {gpu: a100-80gb, provider: x, tranches: [{date: 2024-02-01, gpus: 50}]}
pools: {p: {fleets: {a: {share_frac: 1}, b: {share_frac: 1}, spare: {share_frac: 1}}}}
services: {m: {gpu_s_per_call: 4}}
traffic:
  t: {pool: p, service: m, messages_per_day: 5e6, prompt_tokens: {mean: 1}, output_tokens: {mean: 1}}
contracts:
  a: {kind: reserved, fleet: a, usd_per_gpu_hour: 1}
  b: {kind: reserved, fleet: b, usd_per_gpu_hour: 1.5}
  spare: {kind: reserved, fleet: spare, usd_per_gpu_hour: 7}
"""
LIST = """
fleetsim: 1
contracts:
  la: {kind: on_demand, fleet: a, usd_per_gpu_hour: 4}
  lb: {kind: on_demand, fleet: b, usd_per_gpu_hour: 2}
  ls: {kind: on_demand, fleet: spare, usd_per_gpu_hour: 9}
"""
MINIMUM = """
fleetsim: 1
contracts:
  a: {kind: take_or_pay, fleet: a, usd_per_gpu_hour: 2, minimum_frac: 0.25}
  b: {kind: take_or_pay, fleet: b, usd_per_gpu_hour: 2, minimum_frac: 0.25}
"""
MIX = """
fleetsim: 1
contracts:
  a: {kind: reserved, fleet: a, gpus: 40, usd_per_gpu_hour: 1, start: 2024-02-01, term_months: 1}
  rest: {kind: on_demand, fleet: a, usd_per_gpu_hour: 4}
"""
PLAN = """
fleetsim: 1
contracts:
  plan:
    kind: savings_plan
    usd_per_hour: 100
    rates: {a: {on_demand_usd_per_gpu_hour: 4, usd_per_gpu_hour: 2},
            b: {on_demand_usd_per_gpu_hour: 2, usd_per_gpu_hour: 1}}
  rest-a: {kind: on_demand, fleet: a, usd_per_gpu_hour: 4}
  rest-b: {kind: on_demand, fleet: b, usd_per_gpu_hour: 2}
"""


def test_break_even(tmp_path: Path) -> None:
    files = {"base": SCENARIO, "list": LIST, "minimum": MINIMUM, "mix": MIX, "plan": PLAN}
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    found = fs.compare([tmp_path / f"{name}.yaml" for name in files], results=tmp_path / "runs")
    base, by_the_hour, minimum, mix, plan = found.row(BREAK_EVEN).values
    at_list = 100 * 4 + 300 * 2
    assert base == pytest.approx((100 * 1 + 300 * 1.5) / at_list)
    assert by_the_hour is None
    assert minimum == pytest.approx(0.25 * 2 * 400 / at_list)
    assert mix is None
    assert plan is None
    assert found.alternatives[1].number("fleets.spare.covered_frac") is None
