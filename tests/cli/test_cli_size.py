"""`fleetsim size`: the table, the answer under a contract, JSON, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
from cli_command import Command

from fleetsim import UsageError, size

ON = ("--service", "llama-2-70b", "--gpu", "a100-80gb")
CONTRACTS = Path(__file__).parents[2] / "workloads" / "contracts"


@pytest.fixture(scope="module")
def trace(fleetsim: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten requests a second of 500 prompt and 60 output tokens, for 40 s."""
    folder = tmp_path_factory.mktemp("size")
    source, out = folder / "calls.csv", folder / "calls.parquet"
    at = np.cumsum(np.random.default_rng(5).exponential(0.1, 400))
    source.write_text("\n".join(["time,prompt,output", *(f"{second:.6f},500,60" for second in at)]))
    done = fleetsim("trace", "import", source, "--format", "generic", "--time-column", "time",
                    "--time-unit", "s", "--prompt-column", "prompt", "--output-column", "output",
                    "--out", out)
    assert done.code == 0, done.err
    return out


def test_the_answer_is_the_first_that_replay_confirms(fleetsim: Command, trace: Path) -> None:
    terms = "ttft_p90_s<=0.4,e2e_p90_s<=6"
    found = json.loads(fleetsim("size", trace, "--slo", terms, *ON, "--json").out)
    assert found["slo"] == ["ttft_p90_s<=0.4", "e2e_p90_s<=6", "served_frac>=1"]
    assert found["next_smaller_fails"] is True
    assert found["not_monotone"] == []
    for replicas, held in ((found["replicas"], True), (found["replicas"] - 1, False)):
        each = json.loads(fleetsim("replay", trace, *ON, "--replicas", replicas, "--json").out)
        (requests,) = each["classes"].values()
        assert (requests["ttft_s"]["p90"] <= 0.4 and requests["e2e_s"]["p90"] <= 6) is held
        (tried,) = (one for one in found["tried"] if one["replicas"] == replicas)
        assert tried["values"][:2] == [requests["ttft_s"]["p90"], requests["e2e_s"]["p90"]]
    assert found["usd_per_year"] is None


def test_the_text_shows_every_number_tried_and_the_price(fleetsim: Command, trace: Path) -> None:
    outcome = fleetsim("size", trace, "--slo", "ttft_p90_s<=0.4,e2e_p90_s<=6", *ON, "--contracts",
                       CONTRACTS / "azure-negotiated.yaml")
    assert outcome.code == 0
    text = " ".join(outcome.out.split())
    assert "the fewest that meet ttft_p90_s<=0.4, e2e_p90_s<=6, served_frac>=1" in text
    assert "yes <-" in text
    assert "fail, and no number that was tried above" in text
    assert "$1.30 per GPU-hour" in text
    assert "year of 8,760 h" in text


@pytest.mark.parametrize(("contract", "said"), [
    ("savings-plan.yaml", "is committed and not used by so few GPUs"),
    ("oracle-flat.yaml", "oracle-lease: its total is paid for these GPUs alone"),
    ("microsoft-share.yaml", "its share of revenue is not in the price"),
    ("spot-mix.yaml", "interruptions are not replayed"),
])
def test_what_a_price_hides_is_told(fleetsim: Command, trace: Path, contract: str, said: str) -> None:
    outcome = fleetsim("size", trace, "--slo", "ttft_p90_s<=9", *ON, "--contracts", CONTRACTS / contract)
    assert said in " ".join(outcome.out.split())


def test_a_price_by_hand_and_a_resample(fleetsim: Command, trace: Path) -> None:
    found = json.loads(fleetsim("size", trace, "--slo", "ttft_p90_s<=2", *ON, "--requests", "900",
                                "--usd-per-gpu-hour", "2", "--json").out)
    assert found["replay"]["classes"]["requests"]["arrived"] == 900
    assert found["usd_per_month"] == found["gpus"] * 730 * 2


@pytest.mark.parametrize(("options", "said"), [
    (("--slo", "ttft_p99_s<=0.01", *ON), "even with a replica for every request"),
    (("--slo", "ttft_p99<=1", *ON), "did you mean 'ttft_p99_s'"),
    (("--slo", "ttft_p99_s<=1", "--service", "llama-2-7b", *ON[2:]), "did you mean 'llama-2-70b'"),
    (("--slo", "ttft_p99_s<=1", *ON, "--contracts", "nowhere.yaml"), "no such file: nowhere.yaml"),
    (("--slo", "ttft_p99_s<=1", *ON, "--contracts", CONTRACTS / "azure-credits.yaml"), "bills no GPU-hours"),
    (("--slo", "ttft_p99_s<=1", *ON, "--patience-s", "0"), "--patience-s is above 0"),
    (("--slo", "ttft_p99_s<=1", *ON, "--usd-per-gpu-hour", "inf"), "a price is 0 to 10,000"),
    (("--slo", "ttft_p99_s<=1", *ON, "--step-tokens", "64"), "add --prefill chunked"),
    (("--slo", "ttft_p99_s<=1", *ON, "--seed", 2**63), "9223372036854775807"),
    (("--slo", "ttft_p99_s<=1", *ON, "--requests", "0"), "greater than or equal to 1"),
])
def test_what_cannot_be_is_told(fleetsim: Command, trace: Path, options: tuple[object, ...],
                                said: str) -> None:
    outcome = fleetsim("size", trace, *options)
    assert outcome.code == 2
    assert outcome.out == ""
    assert said in " ".join(outcome.err.split())


def test_a_scenario_is_told_how(fleetsim: Command) -> None:
    outcome = fleetsim("size", "workloads/openai-2024.yaml", "--slo", "ttft_p99_s<=1", *ON)
    assert outcome.code == 2
    assert "size takes a trace" in outcome.err
    assert "fleetsim trace import" in outcome.err
    with pytest.raises(UsageError, match="size takes a trace"):
        size("plan.yml", slo="ttft_p99_s<=1", service="llama-2-70b", gpu="a100-80gb")
