"""`fleetsim optimize`: the report, JSON, the contract file it writes, and bad input."""

import json
from pathlib import Path

import pytest
from cli_command import Command, Finished

from fleetsim.experiments import optimize as module

OFFERS = """\
fleetsim: 1
offers:
  by-the-hour: {kind: on_demand, gpu: a100-80gb, usd_per_gpu_hour: 4.10, lead_time_days: 0}
  spot: {kind: spot, gpu: a100-80gb, usd_per_gpu_hour: 1.45, lead_time_days: 0}
  year: {gpu: a100-80gb, usd_per_gpu_hour: 2.60, lead_time_days: 0, term_months: 12}
"""


@pytest.fixture
def offers(tmp_path: Path) -> Path:
    path = tmp_path / "offers.yaml"
    path.write_text(OFFERS)
    return path


def test_the_cheapest_mix_is_shown_and_can_be_billed(fleetsim: Command, week: Finished, offers: Path,
                                                     tmp_path: Path) -> None:
    out = tmp_path / "portfolio.yaml"
    done = fleetsim("optimize", week.path, "--offers", offers, "--out", out)
    assert done.code == 0, done.err
    assert "Portfolio" in done.out
    assert "ledger, the answer above" in done.out
    data = json.loads(fleetsim("optimize", week.path, "--offers", offers, "--json").out)
    assert data["ledger_usd"] == pytest.approx(data["solver_usd"], rel=1e-3)
    assert data["ledger_usd"] <= data["without_commitments_usd"]
    assert set(data["contracts"]) == {"year", "by-the-hour", "spot"}
    billed = fleetsim("rebill", week.path, "--contracts", out, "--json")
    assert billed.code == 0, billed.err
    rows = {row["figure"]: row["values"] for row in json.loads(billed.out)["rows"]}
    assert rows["cost.total_usd"]["portfolio"] == pytest.approx(data["effective_usd"], abs=0.02)


def test_a_term_that_outlives_the_run_is_cautioned(fleetsim: Command, week: Finished, offers: Path) -> None:
    done = fleetsim("optimize", week.path, "--offers", offers)
    owed = " ".join(done.out.split()).split("Caution: ")[1]
    assert owed.startswith("year runs to 2025-01-29 and the run ends on 2024-02-05: $")
    data = json.loads(fleetsim("optimize", week.path, "--offers", offers, "--json").out)
    assert len(data["cautions"]) == 1
    assert f"${data['remaining_usd']:,.0f} fall due" in data["cautions"][0]


def test_out_replaces_nothing_unless_it_may(fleetsim: Command, week: Finished, offers: Path,
                                            tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "mine.yaml"
    out.write_text("mine")
    (tmp_path / "folder").mkdir()

    def places(*words: object) -> tuple[int, str]:
        done = fleetsim("optimize", week.path, "--offers", offers, "--out", *words)
        return done.code, done.err

    with monkeypatch.context() as patch:
        patch.setattr(module, "best_portfolio", lambda *_, **__: pytest.fail("searched"))
        assert places(out) == (2, f"error: {out} exists; --force replaces it\n")
        assert places(tmp_path / "folder")[0] == 2
        assert places(tmp_path / "folder", "--force") == (
            2, f"error: {tmp_path / 'folder'} is a directory; --out names a file\n")
        assert places(out / "below.yaml", "--force") == (2, f"error: cannot write to {out}: File exists\n")
        assert places(week.path / "contracts.yaml")[0] == 2
    assert out.read_text() == "mine"
    assert places(out, "--force")[0] == 0
    assert out.read_text().startswith("fleetsim: 1\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "mine.yaml", "offers.yaml"]


@pytest.mark.parametrize(("words", "message"), [
    (["--fleet", "nowhere"], "no fleet 'nowhere'"),
    (["--budget-upfront-usd", "-1"], "budget on upfront payments cannot be -1.00"),
    (["--spot-max-frac", "2"], "share on spot is from 0 to 1"),
    (["--order-every-months", "-1"], "-1 months apart"),
    (["--discount-frac-per-year", "nan"], "discount rate"),
])
def test_bad_arguments(fleetsim: Command, week: Finished, offers: Path, words: list[str],
                       message: str) -> None:
    done = fleetsim("optimize", week.path, "--offers", offers, *words)
    assert done.code == 2
    assert message in done.err


def test_a_fault_in_the_offers_is_shown_where_it_is_written(fleetsim: Command, week: Finished,
                                                            offers: Path) -> None:
    offers.write_text(OFFERS.replace("term_months: 12", "term_month: 12"))
    done = fleetsim("optimize", week.path, "--offers", offers)
    assert done.code == 2
    assert "offers.yaml:5:" in done.err
    assert "did you mean 'term_months'?" in done.err


def test_offers_that_cannot_meet_demand(fleetsim: Command, week: Finished, offers: Path) -> None:
    offers.write_text("fleetsim: 1\noffers:\n"
                      "  late: {gpu: a100-80gb, usd_per_gpu_hour: 1, lead_time_days: 3}\n")
    done = fleetsim("optimize", week.path, "--offers", offers)
    assert done.code == 2
    assert "the offers cannot meet demand at 2024-01-29 00:00 UTC" in done.err
    assert "add an on_demand offer with lead_time_days: 0" in done.err
    offers.write_text("fleetsim: 1\noffers:\n"
                      "  other: {gpu: h100-80gb, usd_per_gpu_hour: 1, lead_time_days: 3}\n")
    done = fleetsim("optimize", week.path, "--offers", offers)
    assert done.code == 2
    assert "no offer has GPUs of type" in done.err
