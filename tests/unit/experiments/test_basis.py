"""What use is billed on: the same for a contract wherever it stands in a comparison."""

from pathlib import Path

import pytest
from small_run import MIX, SCENARIO, SPOT, written

import fleetsim as fs
from fleetsim.experiments.comparison import Comparison

OWN = "  rent: {kind: reserved, fleet: main, usd_per_gpu_hour: 1.30, list_usd_per_gpu_hour: 4.10}\n"
CONTRACTS = {
    "reserved": OWN,
    "hourly": "  any-name: {kind: on_demand, fleet: main, usd_per_gpu_hour: 4.10}\n",
    "mixed": MIX.partition("contracts:\n")[2],
    "over": "  over: {kind: take_or_pay, fleet: main, gpus: 20, start: 2024-02-20, usd_per_gpu_hour: 1,"
            " overage_usd_per_gpu_hour: 2}\n",
    "taken": "  taken: {kind: take_or_pay, fleet: main, usd_per_gpu_hour: 1.5, minimum_frac: 0.5}\n",
    "interrupted": SPOT.partition("contracts:\n")[2],
}
FILES = ("list", "mix", "taken", "rent")
TOTAL = "cost.total_usd"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = written(tmp_path_factory.mktemp("basis")).parent
    for name, contracts in CONTRACTS.items():
        (place / f"{name}-run.yaml").write_text(
            SCENARIO.replace("name: small", f"name: {name}-run").replace(OWN, contracts))
    for name, contracts in (("taken", CONTRACTS["taken"]), ("rent", OWN)):
        (place / f"{name}.yaml").write_text(f"fleetsim: 1\nname: {name}\ncontracts:\n{contracts}")
    return place


def compared(folder: Path, baseline: str, *files: str) -> Comparison:
    return fs.compare([folder / f"{name}.yaml" for name in (f"{baseline}-run", *files)],
                      results=folder / "runs", seed=3, figures=[TOTAL])


def totals(found: Comparison) -> dict[str, object]:
    return dict(zip(found.names, found.row(TOTAL).values, strict=True))


@pytest.mark.parametrize("baseline", ["hourly", "mixed", "over", "taken"])
def test_a_contract_costs_the_same_beside_every_baseline(folder: Path, baseline: str) -> None:
    wanted = totals(compared(folder, "reserved", *FILES))
    found = compared(folder, baseline, *FILES)
    assert {name: totals(found)[name] for name in FILES} == {name: wanted[name] for name in FILES}
    assert [each.bound for each in found.alternatives] == [["main"]] * 4 + [[]]
    assert found.notes[0].startswith(f"* {baseline}-run, list, mix, taken: a bound")


@pytest.mark.parametrize(("baseline", "file"), [("hourly", "list"), ("mixed", "mix"), ("taken", "taken")])
def test_the_baseline_costs_what_the_same_contracts_do(folder: Path, baseline: str, file: str) -> None:
    """In either order, and whatever the contracts are called."""
    found, turned = compared(folder, baseline, "rent"), compared(folder, "reserved", file)
    assert found.row(TOTAL).values == turned.row(TOTAL).values[::-1]
    assert [each.bound for each in found.alternatives] == [["main"], []]


def test_the_same_contracts_under_other_names_are_billed_as_the_run_was(folder: Path) -> None:
    run = fs.simulate(fs.load(folder / "hourly-run.yaml"), seed=3, results=folder / "runs")
    found = compared(folder, "hourly", "list")
    assert [each.bound for each in found.alternatives] == [[], []]
    assert totals(found)["list"] == totals(found)["hourly-run"] == run.figure(TOTAL)
    assert not found.notes


def test_a_pot_leaves_use_as_it_is(folder: Path) -> None:
    (folder / "pot.yaml").write_text(
        f"fleetsim: 1\nname: pot\ncontracts:\n{CONTRACTS['hourly']}"
        "  pot: {kind: credits, usd: 1_000, fleets: [main],"
        " start: 2024-02-20, term_months: 1}\n")
    found = compared(folder, "hourly", "pot")
    assert [each.bound for each in found.alternatives] == [[], []]


def test_spot_that_is_interrupted_gives_back_too(folder: Path) -> None:
    found = compared(folder, "interrupted", "rent")
    spot = found.alternatives[0]
    required = spot.run.sql("select sum(required_gpu_hours) as r from fact_capacity_hourly "
                            "where fleet = 'main'")
    assert spot.number("contracts.market.gpu_hours") == pytest.approx(required["r"][0], abs=0.1)


def test_other_fleets_and_runs_stay_as_they_are(folder: Path) -> None:
    hourly = fs.load(folder / "hourly-run.yaml")
    lab = fs.load(folder / "hourly-run.yaml", overrides=["contracts.lab-rent.usd_per_gpu_hour=2"])
    twice = fs.override(hourly, {"name": "twice", "traffic.users.messages_per_day": 2e6})
    found = fs.compare([hourly, lab, twice], results=folder / "runs", seed=3)
    assert [each.bound for each in found.alternatives] == [[], [], []]
