"""GPU-hours that no contract covers, in whole runs: what is rented and not billed does not pass unsaid."""

import json
from pathlib import Path
from typing import Any

import pytest

from fleetsim.output.run import Run
from fleetsim.runner import simulate
from fleetsim.spec import load

DAYS = 30
GPUS = 80
RESERVED = {"kind": "reserved", "fleet": "azure", "usd_per_gpu_hour": 1.3}
ON_DEMAND = {"kind": "on_demand", "fleet": "azure", "usd_per_gpu_hour": 3.0}
TAKE_OR_PAY = {"kind": "take_or_pay", "fleet": "azure", "usd_per_gpu_hour": 1.3}
ELASTIC = {"max_gpus": 80, "provisioning_delay_s": 600, "contract": "spot"}


def cover_run(folder: Path, contracts: dict[str, Any], *, gpus: int = GPUS,
              elastic: dict[str, Any] | None = None) -> Run:
    """A run of 30 days whose traffic keeps 45 GPUs busy on the mean."""
    policies = {"scale": {"kind": "autoscale", "pool": "chat"}} if elastic else {}
    path = folder / "scenario.yaml"
    path.write_text(json.dumps({
        "fleetsim": 1, "name": "cover", "policies": policies, "contracts": contracts,
        "horizon": {"start": "2024-06-01", "end": "2024-07-01"},
        "fleets": {"azure": {"gpu": "a100-80gb", "provider": "azure", "node_mtbf_h": 1_000, "repair_h": 20,
                             "tranches": [{"date": "2024-06-01", "gpus": gpus}],
                             **({"elastic": elastic} if elastic else {})}},
        "pools": {"chat": {"fleets": {"azure": {"share_frac": 1.0}}}},
        "services": {"model": {"gpu_s_per_call": 30, "gpus_per_replica": 8}},
        "traffic": {"all": {"pool": "chat", "service": "model", "messages_per_day": 130_000,
                            "prompt_tokens": {"mean": 100}, "output_tokens": {"mean": 100}}},
    }))
    run = simulate(load(path).scenario, seed=3, results=folder / "results")
    assert run.verify() == []
    return run


def uncovered(run: Run) -> float:
    """GPU-hours of the run that no contract covers."""
    figure = run.figure("fleets.azure.uncovered_gpu_hours")
    assert run.summary["uncovered_gpu_hours"] == figure
    assert run.summary["fleets"]["azure"]["uncovered_gpu_hours"] == figure
    assert isinstance(figure, float)
    return figure


@pytest.mark.parametrize(("contracts", "hours_x_gpus"), [
    ({}, DAYS * 24 * GPUS),
    ({"all": RESERVED}, 0),
    ({"part": {**RESERVED, "gpus": 32}}, DAYS * 24 * (GPUS - 32)),
    ({"part": {**RESERVED, "gpus": 32}, "rest": ON_DEMAND}, 0),
    ({"short": {**RESERVED, "end": "2024-06-11"}}, 20 * 24 * GPUS),
    ({"one": {**RESERVED, "end": "2024-06-11"}, "two": {**RESERVED, "start": "2024-06-21"}}, 10 * 24 * GPUS),
    ({"rest": ON_DEMAND}, 0),
    ({"all": TAKE_OR_PAY}, 0),
    ({"all": {**TAKE_OR_PAY, "minimum_frac": 0.2}}, 0),
    ({"all": {**TAKE_OR_PAY, "fixed_end": "2024-06-16"}}, 15 * 24 * GPUS),
    ({"all": {"kind": "take_or_pay", "fleet": "azure", "total_usd": 1e5, "term_months": 12}}, 0),
])  # fmt: skip
def test_what_no_contract_covers(tmp_path: Path, contracts: dict[str, Any], hours_x_gpus: int) -> None:
    assert uncovered(cover_run(tmp_path, contracts)) == pytest.approx(hours_x_gpus, rel=1e-12, abs=1e-9)


def test_the_elastic_part_has_its_contract(tmp_path: Path) -> None:
    contracts = {"all": RESERVED, "spot": ON_DEMAND}
    run = cover_run(tmp_path, contracts, gpus=32, elastic=ELASTIC)
    hours = run.figure("contracts.spot.gpu_hours")
    assert isinstance(hours, float)
    assert hours > 0
    assert uncovered(run) == 0


def test_allocated_gpus_after_the_end_of_a_low_minimum_are_not_covered(tmp_path: Path) -> None:
    """Who pays for what is taken leaves only what is taken uncovered: more than the busy, less than all."""
    ended = {**TAKE_OR_PAY, "minimum_frac": 0.2, "fixed_end": "2024-06-16"}
    found = uncovered(cover_run(tmp_path, {"all": ended}))
    assert 15 * 24 * 40 < found < 15 * 24 * GPUS
