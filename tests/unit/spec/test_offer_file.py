"""Offer files: faults are found where they are written."""

from pathlib import Path

import pytest

from fleetsim.errors import ScenarioError, UsageError
from fleetsim.spec.offer_file import load_offers

SHIPPED = sorted((Path(__file__).parents[3] / "workloads" / "offers").glob("*.yaml"))
GOOD = "{gpu: a100-80gb, usd_per_gpu_hour: 2, lead_time_days: 0}"


def faults_of(folder: Path, text: str) -> list[tuple[int, str]]:
    path = folder / "offers.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        load_offers(path)
    return [(each.line, each.code) for each in caught.value.diagnostics]


@pytest.mark.parametrize(("text", "faults"), [
    ("fleetsim: 1\n", [(1, "missing-key")]),
    (f"offers:\n  a: {GOOD}\n", [(1, "missing-key")]),
    ("fleetsim: 1\noffers: {}\n", [(2, "empty-map")]),
    ("fleetsim: 1\noffers: [a]\n", [(2, "wrong-type")]),
    (f"fleetsim: 2\noffers:\n  a: {GOOD}\n", [(1, "unknown-format")]),
    (f"fleetsim: 1\noffer: 1\noffers:\n  a: {GOOD}\n", [(2, "unknown-key")]),
    (f"fleetsim: 1\noffers:\n  a b: {GOOD}\n", [(3, "bad-name")]),
    ("fleetsim: 1\noffers:\n  a: {gpu: a100, usd_per_gpu_hour: 2, lead_time_days: 0}\n",
     [(3, "unknown-gpu-type")]),
    ("fleetsim: 1\noffers:\n  a: {gpu: a100-80gb, usd_per_gpu_hour: -2, lead_time_days: 0}\n",
     [(3, "out-of-range")]),
    ("fleetsim: 1\noffers:\n  a: {kind: lend, gpu: a100-80gb, usd_per_gpu_hour: 2, lead_time_days: 0}\n",
     [(3, "unknown-choice")]),
    ("fleetsim: 1\noffers:\n  a:\n    kind: on_demand\n    gpu: a100-80gb\n    usd_per_gpu_hour: 2\n"
     "    lead_time_days: 0\n    term_months: 12\n", [(3, "bad-combination")]),
    ("fleetsim: 1\noffers:\n  a:\n    gpu: a100-80gb\n    usd_per_gpu_hour: 2\n    lead_time_days: 0\n"
     "    min_gpus: 10\n    max_gpus: 5\n", [(3, "bad-combination")]),
    ("fleetsim: 1\noffers:\n  a:\n    kind: volume_tiers\n    gpu: a100-80gb\n    usd_per_gpu_hour: 2\n"
     "    lead_time_days: 0\n    tiers: [{from_gpu_hours: 9, usd_per_gpu_hour: 1}, "
     "{from_gpu_hours: 3, usd_per_gpu_hour: 1}]\n", [(3, "bad-combination")]),
    ("fleetsim: 1\noffers:\n  a:\n    kind: savings_plan\n    gpu: a100-80gb\n    usd_per_gpu_hour: 2\n"
     "    lead_time_days: 0\n    term_months: 12\n", [(3, "bad-combination")]),
])
def test_a_fault_stands_where_it_is_written(tmp_path: Path, text: str, faults: list[tuple[int, str]]) -> None:
    assert faults_of(tmp_path, text) == faults


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        load_offers(tmp_path / "none.yaml")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_offers_are_right_and_name_the_source_of_every_price(path: Path) -> None:
    offers = load_offers(path)
    assert {offer.kind for offer in offers.values()} >= {"on_demand", "spot", "reserved", "savings_plan",
                                                         "take_or_pay", "volume_tiers"}
    for line in path.read_text().splitlines():
        if line.strip().startswith(("usd_per_gpu_hour:", "list_usd_per_gpu_hour:")):
            assert "# " in line, line
            assert line.split("# ")[1].startswith(("A: ", "B: ", "C: ", "D: ")), line
