"""The catalogue: every row has its source, and its figures are those of the sources."""

import pytest

from fleetsim.model.service import Service
from fleetsim.model.traffic import TokenCount
from fleetsim.spec import catalog

RHO, AVAILABILITY, EFFICIENCY = 0.92, 0.96, 0.30
PEAK_MESSAGES_PER_S = 450e6 / 86_400 * 1.05 * 1.30


def test_every_row_has_source_date_and_grade() -> None:
    rows = {**catalog.gpus(), **catalog.models(), **catalog.prices()}
    assert len(rows) == len(catalog.gpus()) + len(catalog.models()) + len(catalog.prices())
    for name, row in rows.items():
        assert row.source, name
        assert row.date, name
        assert row.grade in ("A", "B", "C", "D"), name


def test_delivered_factors() -> None:
    factors = {name: (gpu.flops_factor, gpu.bandwidth_factor) for name, gpu in catalog.gpus().items()}
    assert factors == {
        "a100-40gb": (1, 0.76),
        "a100-80gb": (1, 1),
        "h100-80gb": (2.6, 1.64),
        "h200-141gb": (2.7, 2.35),
        "b200-192gb": (5.5, 3.9),
        "gb200-192gb": (6.25, 3.9),
    }


@pytest.mark.parametrize(
    ("model", "mfu"), [("gpt35", 0.45), ("gpt4o", 0.40), ("gpt4t", 0.40), ("gpt4o-mini", 0.45)]
)
def test_prefill_is_flops_over_two_parameters(model: str, mfu: float) -> None:
    entry = catalog.models()[model]
    assert entry.active_parameters is not None
    prefill = 312e12 * mfu / (2 * entry.active_parameters * 1e9)
    assert entry.rates.prefill_tokens_per_s_per_gpu == pytest.approx(prefill, rel=1e-9)


def gpus_needed(model: str, messages_per_s: float, calls: float, prompt: float, output: float) -> float:
    service = Service(rates=catalog.models()[model].rates)
    parts = service.gpu_seconds_per_call(TokenCount(prompt), TokenCount(output), "a100-80gb",
                                         catalog.gpus()["a100-80gb"])
    work = sum(parts) / EFFICIENCY
    return messages_per_s * calls * work / (RHO * AVAILABILITY)


def test_the_rates_give_the_chatgpt_fleet_of_2024_line_by_line() -> None:
    classes = {
        "free_text": (0.585, "gpt35", 1.1, 1_100, 300, 15_771),
        "free_4o": (0.050, "gpt4o", 1.1, 1_500, 350, 6_776),
        "plus": (0.285, "gpt4t", 1.2, 2_700, 400, 175_573),
        "team_ent": (0.050, "gpt4t", 1.3, 3_200, 420, 37_894),
        "tools_mm": (0.030, "gpt4t", 2.5, 4_000, 500, 53_772),
    }
    total = 0.0
    for share, model, calls, prompt, output, published in classes.values():
        needed = gpus_needed(model, PEAK_MESSAGES_PER_S * share, calls, prompt, output)
        assert round(needed) == published
        total += needed
    assert total == pytest.approx(289_786, abs=1)


def test_the_rates_give_the_api_fleet_of_2024() -> None:
    month_s = 30.4 * 86_400
    gpt4 = 50e6 / (6 * 10 + 30) * 1e6 / 233 / month_s * 1.3
    small = 9e6 / (6 * 0.5 + 1.5) * 1e6 / 200 / month_s * 1.3
    total = gpus_needed("gpt4t", gpt4, 1, 1_398, 233) + gpus_needed("gpt35", small, 1, 1_200, 200)
    assert total == pytest.approx(60_005, abs=1)


def test_prices_name_gpu_types_of_the_catalogue() -> None:
    assert {price.gpu for price in catalog.prices().values()} <= set(catalog.gpus())
    assert catalog.prices()["azure-openai-negotiated"].grade == "B"
