"""Checks across parts at their edges: what is just right passes, what is just wrong does not."""

from pathlib import Path

import pytest
from small import codes, faults, scenario

TRANCHE = "{date: 2024-01-01, gpus: 800}"
POOL = "chat: {fleets: {azure: {gpus: 800}}}"
TOKENS = "output_tokens: {mean: 400}"
CONTRACT = "azure-a100: {kind: reserved, fleet: azure, usd_per_gpu_hour: 1.30}"
HORIZON = "{start: 2024-01-01, end: 2024-02-01}"
SECOND = """
  free: {pool: chat, service: large, messages_per_day: {curve: all, share_frac: %s},
         prompt_tokens: {mean: 900}, output_tokens: {mean: 300}}
curves: {all: {2024-01-01: 1e6}}"""


def test_the_small_scenario_is_right(tmp_path: Path) -> None:
    small = scenario(tmp_path)
    assert small.horizon.steps == 31 * 288
    assert small.gpus["a100-80gb"].bandwidth_gb_per_s == 2039


@pytest.mark.parametrize(
    ("tranches", "found"),
    [
        ("[{date: 2024-01-01, gpus: 400}, {date: 2024-01-31T23:00Z, gpus: 400}]", []),
        ("[{date: 2024-01-01, gpus: 800, end: 2024-01-02}]", []),
        ("[{date: 2023-01-01, gpus: 800, term_months: 13}]", []),
        ("[{date: 2024-01-01, gpus: 799}]", ["more-gpus-than-fleet"]),
        (
            "[{date: 2024-01-01, gpus: 400, end: 2024-01-10}, {date: 2024-01-10, gpus: 400}]",
            ["more-gpus-than-fleet"],
        ),
        ("[{date: 2023-01-01, gpus: 800, term_months: 12}]", ["more-gpus-than-fleet", "never-acts"]),
        ("[{date: 2024-02-01, gpus: 800}]", ["more-gpus-than-fleet", "outside-horizon"]),
    ],
)
def test_gpus_of_a_fleet_over_time(tmp_path: Path, tranches: str, found: list[str]) -> None:
    assert sorted(codes(tmp_path, (f"[{TRANCHE}]", tranches))) == found


def test_elastic_gpus_count_for_pools(tmp_path: Path) -> None:
    elastic = "elastic: {max_gpus: 100, provisioning_delay_s: 60, contract: spot}"
    spot = f"{CONTRACT}\n  spot: {{kind: on_demand, fleet: azure, usd_per_gpu_hour: 2}}"
    changes = (("provider: azure,", f"provider: azure, {elastic},"), (CONTRACT, spot))
    assert codes(tmp_path, *changes, ("{gpus: 800}}}", "{gpus: 900}}}")) == []
    assert codes(tmp_path, *changes, ("{gpus: 800}}}", "{gpus: 901}}}")) == ["more-gpus-than-fleet"]


def test_shares_that_add_up_to_one_in_floats(tmp_path: Path) -> None:
    pools = "\n  ".join(f"p{index}: {{fleets: {{azure: {{share_frac: 0.1}}}}}}" for index in range(10))
    changes = ((POOL, pools), ("pool: chat", "pool: p0"))
    assert codes(tmp_path, *changes) == []
    assert codes(tmp_path, *changes, ("share_frac: 0.1}", "share_frac: 0.11}")) == ["shares-above-one"]


@pytest.mark.parametrize(
    ("plus", "free", "found"),
    [
        ("0.7", "0.3", []),
        ("{2024-01-01: 0.7, 2024-01-10: 0.5}", "{2024-01-01: 0.3, 2024-01-10: 0.5}", []),
        ("{2024-01-01: 0.7, 2024-01-10: 0.5}", "{2024-01-01: 0.3, 2024-01-09: 0.5}", ["shares-above-one"]),
        ("{2024-01-01: 0.7, 2024-03-01: 0.9}", "0.3", []),
        ("0.6", "0.3", ["shares-below-one"]),
    ],
)
def test_shares_of_a_curve_at_every_date(tmp_path: Path, plus: str, free: str, found: list[str]) -> None:
    changes = (("400_000", f"{{curve: all, share_frac: {plus}}}"), (TOKENS, TOKENS + SECOND % free))
    assert codes(tmp_path, *changes) == found


@pytest.mark.parametrize(
    ("horizon", "found"),
    [
        ("{start: 2024-01-01, end: 2024-02-01, step_s: 60, control_s: 3600, warmup_days: 0.5}", []),
        ("{start: 2024-01-01, end: 2024-02-01, step_s: 61, control_s: 61}", ["step-does-not-divide"]),
        ("{start: 2024-01-01, end: 2024-02-01, control_s: 450}", ["control-not-a-multiple"]),
        ("{start: 2024-01-01, end: 2024-02-01, warmup_days: 31}", ["warmup-too-long"]),
        ("{start: 2024-01-01, end: 2024-02-01, warmup_days: 0.3}", ["not-whole-hours"]),
        ("{start: 2024-01-01, end: 2024-01-31T12:30Z}", ["not-whole-hours"]),
        ("{start: 2024-01-01, end: 2024-01-01}", ["ends-before-start"]),
    ],
)
def test_horizon(tmp_path: Path, horizon: str, found: list[str]) -> None:
    assert codes(tmp_path, (HORIZON, horizon)) == found


@pytest.mark.parametrize(
    ("peak", "found"),
    [("1", []), ("2.09", []), ("2.1", ["negative-trough"]), ("0.99", ["out-of-range"])],
)
def test_the_trough_stays_above_zero(tmp_path: Path, peak: str, found: list[str]) -> None:
    shape = f"{TOKENS}\n    shape: {{kind: consumer, peak_to_mean: {peak}}}"
    assert codes(tmp_path, (TOKENS, shape)) == found


@pytest.mark.parametrize(
    ("second", "found"),
    [
        ("{kind: reserved, fleet: azure, usd_per_gpu_hour: 1, gpus: 400}", []),
        ("{kind: reserved, fleet: azure, usd_per_gpu_hour: 1, gpus: 401}", ["covered-twice"]),
        ("{kind: reserved, fleet: azure, usd_per_gpu_hour: 1}", ["covered-twice"]),
        ("{kind: reserved, fleet: azure, usd_per_gpu_hour: 1, start: 2024-01-10}", []),
        ("{kind: reserved, fleet: azure, usd_per_gpu_hour: 1, start: 2024-01-09}", ["covered-twice"]),
        ("{kind: on_demand, fleet: azure, usd_per_gpu_hour: 2}", []),
    ],
)
def test_coverage_of_a_fleet(tmp_path: Path, second: str, found: list[str]) -> None:
    first = "usd_per_gpu_hour: 1.30, gpus: 400}"
    if "start" in second:
        first = "usd_per_gpu_hour: 1.30, end: 2024-01-10}"
    change = (CONTRACT, f"{CONTRACT.replace('usd_per_gpu_hour: 1.30}', first)}\n  second: {second}")
    assert codes(tmp_path, change) == found


OTHER = "azure-a100: {kind: reserved, fleet: azure, usd_per_gpu_hour: 1.30%s}"
ON_DEMAND = "\n  rest: {kind: on_demand, fleet: azure, usd_per_gpu_hour: 2}"
MONTHS = "azure-a100: {kind: take_or_pay, fleet: azure, usd_per_gpu_hour: 1.30, term_months: %d}"
EARLIER = "[{date: 2023-12-15, gpus: 800}]"
LATE = "[{date: 2023-12-15, gpus: 800, slip: {low_days: 0, mode_days: 0, high_days: 20}}]"


@pytest.mark.parametrize(
    ("contract", "tranches", "uncovered"),
    [
        (OTHER % ", gpus: 800", f"[{TRANCHE}]", ""),
        (OTHER % ", gpus: 799", f"[{TRANCHE}]", "799 of the 800 GPUs of fleet 'azure' on 2024-01-01"),
        (OTHER % ", gpus: 799" + ON_DEMAND, f"[{TRANCHE}]", ""),
        (OTHER % ", end: 2024-02-01", f"[{TRANCHE}]", ""),
        (OTHER % ", end: 2024-01-20", f"[{TRANCHE}]", "0 of the 800 GPUs of fleet 'azure' on 2024-01-20"),
        (OTHER % ", end: 2024-01-20" + ON_DEMAND, f"[{TRANCHE}]", ""),
        (OTHER % ", start: 2024-01-02", f"[{TRANCHE}]", "0 of the 800 GPUs of fleet 'azure' on 2024-01-01"),
        (OTHER % ", end: 2024-01-20", "[{date: 2024-01-01, gpus: 800, end: 2024-01-20}]", ""),
        (OTHER % ", gpus: 800", f"[{TRANCHE}, {{date: 2024-01-09, gpus: 80}}]",
         "800 of the 880 GPUs of fleet 'azure' on 2024-01-09"),
        (MONTHS % 1, EARLIER, "0 of the 800 GPUs of fleet 'azure' on 2024-01-15"),
        (MONTHS % 2, EARLIER, ""),
        (MONTHS % 1, LATE, ""),
    ],
)  # fmt: skip
def test_gpus_that_no_contract_covers(tmp_path: Path, contract: str, tranches: str, uncovered: str) -> None:
    """Only what the file alone makes certain: a late delivery may reach the horizon's end."""
    changes = ((CONTRACT, contract), (f"[{TRANCHE}]", tranches))
    found = [fault.message for fault in faults(tmp_path, *changes) if fault.code == "no-contract"]
    wanted = f"contracts cover {uncovered}: the rest costs nothing"
    assert found == ([wanted] if uncovered else [])


@pytest.mark.parametrize(
    ("share", "found"), [("0.99", []), ("1", ["out-of-range"]), ("3.6", ["out-of-range"])]
)
def test_no_fleet_drains_all_the_time(tmp_path: Path, share: str, found: list[str]) -> None:
    change = ("provider: azure,", f"provider: azure, draining_frac: {share},")
    assert codes(tmp_path, change) == found
    if found:
        assert faults(tmp_path, change)[0].message == f"must be below 1, got {share}"


def test_three_terms_that_meet_without_covering_twice(tmp_path: Path) -> None:
    contracts = """a: {kind: reserved, fleet: azure, usd_per_gpu_hour: 1, gpus: 400, end: 2024-01-10}
  b: {kind: reserved, fleet: azure, usd_per_gpu_hour: 1, gpus: 400, start: 2024-01-10}
  c: {kind: reserved, fleet: azure, usd_per_gpu_hour: 1, gpus: 400}"""
    assert codes(tmp_path, (CONTRACT, contracts)) == []


@pytest.mark.parametrize(
    ("surge", "found"),
    [
        ("{kind: step, class: plus, start: 2023-06-01, extra_messages_per_day: 1}", []),
        ("{kind: ramp, class: plus, start: 2023-06-01, end: 2023-07-01, extra_messages_per_day: 1}", []),
        (
            "{kind: step, class: plus, start: 2023-06-01, end: 2024-01-01, extra_messages_per_day: 1}",
            ["outside-horizon"],
        ),
        ("{kind: spike, class: plus, start: 2024-02-01, extra_frac: 1, tau_days: 3}", ["outside-horizon"]),
    ],
)
def test_surges_within_the_horizon(tmp_path: Path, surge: str, found: list[str]) -> None:
    assert codes(tmp_path, ("contracts:", f"surges:\n  s: {surge}\ncontracts:")) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("result:traffic.plus.shed_frac <= 0.001", []),
        ("result:pools.chat.first_stock_out > 2024-01-15", []),
        ("result:cost.total_usd<=4.0e9", []),
        ("result:cost.total_usd != 4", ["unknown-operator"]),
        ("result:cost.total_usd <= 2024-01-01", ["bad-objective"]),
        ("result:cost.total_usd <=", ["bad-objective"]),
        ("cost.total_usd <= 4", ["bad-objective"]),
        ("result:pools.training.busy_frac > 0", ["unknown-pool"]),
    ],
)
def test_objectives(tmp_path: Path, text: str, found: list[str]) -> None:
    assert codes(tmp_path, ("contracts:", f'objectives: ["{text}"]\ncontracts:')) == found


def test_an_objective_is_parsed(tmp_path: Path) -> None:
    text = 'objectives: ["result:traffic.plus.shed_frac <= 0.001"]\ncontracts:'
    (objective,) = scenario(tmp_path, ("contracts:", text)).objectives
    assert (objective.name, objective.operator, objective.value) == ("traffic.plus.shed_frac", "<=", 0.001)
    assert objective.figure.unit == "1"


def test_a_service_with_a_model_gets_the_rates_of_the_catalogue(tmp_path: Path) -> None:
    rates = (
        "{rates: {prefill_tokens_per_s_per_gpu: 223, decode_tokens_per_s_per_gpu: 57}, efficiency_frac: 0.3}"
    )
    service = scenario(tmp_path, (rates, "{model: gpt4o}")).services["large"]
    assert service.rates is not None
    assert service.rates.decode_tokens_per_s_per_gpu == 160


def test_short_forms_and_long_forms_are_the_same(tmp_path: Path) -> None:
    short = scenario(tmp_path, ("400_000", "{2024-01-01: 4e5, 2024-01-15: 5e5}")).traffic
    long = scenario(tmp_path, ("400_000", "{anchors: {2024-01-01: 4e5, 2024-01-15: 5e5}}")).traffic
    assert short == long


def test_a_fault_in_a_short_form_keeps_the_path_that_was_written(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, ("400_000", "{2024-01-01: 4e5, 2024-01-15: many}"))
    assert fault.path == "traffic.plus.messages_per_day.2024-01-15"
    assert fault.source_line[fault.column - 1 :].startswith("many")


def test_money_is_not_text(tmp_path: Path) -> None:
    assert codes(tmp_path, ("1.30", '"1.30"')) == ["wrong-type"]
    assert codes(tmp_path, ("1.30", "true")) == ["wrong-type"]
    assert codes(tmp_path, ("1.30", ".nan")) == ["wrong-type"]
