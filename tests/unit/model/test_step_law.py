"""Step laws: tables, what a full replica takes per call, and the fluid work of services."""

import math
from typing import Any

import pytest

from fleetsim.model.hardware import GpuType
from fleetsim.model.replica import Batching
from fleetsim.model.service import Rates, Service
from fleetsim.model.step_law import BatchTime, PromptTime, StepLaw
from fleetsim.model.step_law_source import StepLawSource
from fleetsim.model.traffic import TokenCount
from fleetsim.spec import catalog

STRAIGHT: dict[str, Any] = {"step_ms": 17.1, "decode_us_per_sequence": 62, "prefill_us_per_token": 100,
                            "kv_ns_per_token": 29, "kv_tokens": 1_414_000, "prefill_limit_tokens": 8_192}
DECODE = tuple(BatchTime(n, ms) for n, ms in ((1, 44.9), (8, 46.5), (64, 71.6)))
PREFILL = tuple(PromptTime(n, ms) for n, ms in ((128, 65.3), (512, 93.0), (2_048, 274.2)))
TABLES: dict[str, Any] = {"decode_ms": DECODE, "prefill_ms": PREFILL, "kv_ns_per_token": 66,
                          "kv_tokens": 1_414_000, "prefill_limit_tokens": 2_048}


def a100() -> GpuType:
    return catalog.gpus()["a100-80gb"]


def test_a_table_gives_back_what_was_measured() -> None:
    law = StepLaw(**TABLES)
    for point in DECODE:
        assert law.decode_ns(64)[point.batch] == round(point.ms * 1e6)
    for prompt in PREFILL:
        assert law.step_ns(1, prompt.tokens, prompt.tokens) == round(prompt.ms * 1e6)


def test_a_table_is_straight_between_its_points() -> None:
    law = StepLaw(**TABLES)
    assert law.decode_ns(64)[36] == (46_500_000 + 71_600_000) // 2
    assert law.step_ns(1, 1_280, 1_280) == (93_000_000 + 274_200_000) / 2
    assert law.decode_ns(64)[0] == 44_900_000


def test_few_prompt_tokens_take_as_long_as_the_first_point_and_none_take_nothing() -> None:
    law = StepLaw(**TABLES)
    assert law.prefill_time_ns(1) == law.prefill_time_ns(128) == 65_300_000 - 44_900_000 - 66 * 128
    assert law.prefill_time_ns(0) == 0


def test_the_last_slope_of_prefill_continues() -> None:
    law = StepLaw(**TABLES)
    slope = (law.prefill_time_ns(2_048) - law.prefill_time_ns(512)) / 1_536
    assert law.prefill_time_ns(20_480) == pytest.approx(law.prefill_time_ns(2_048) + 18_432 * slope, abs=1)


def test_a_batch_beyond_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="beyond the last point, 64"):
        StepLaw(**TABLES).decode_ns(65)


def test_a_table_of_a_straight_line_is_the_straight_line() -> None:
    straight = StepLaw(**STRAIGHT)
    table = StepLaw(
        decode_ms=(BatchTime(1, 17.162), BatchTime(256, 17.1 + 0.062 * 256)),
        prefill_ms=(PromptTime(1, 17.162 + 0.100029), PromptTime(8_192, 17.162 + 0.100029 * 8_192)),
        kv_ns_per_token=29, kv_tokens=1_414_000, prefill_limit_tokens=8_192)
    assert table.decode_ns(256)[1:] == straight.decode_ns(256)[1:]
    for tokens in (1, 2, 77, 8_192, 20_000):
        assert table.prefill_time_ns(tokens) == straight.prefill_time_ns(tokens)
    for cv in (0.0, 1.5):
        found, expected = (law.saturation_rps(1_000, 250, cv, 64) for law in (table, straight))
        assert found == pytest.approx(expected)


@pytest.mark.parametrize(("change", "message"), [
    ({"decode_ms": ()}, "decode_ms in place of the two"),
    ({"step_ms": 1.0}, "decode_ms in place of the two"),
    ({"prefill_us_per_token": 1.0}, "one of the two"),
    ({"prefill_ms": ()}, "one of the two"),
    ({"decode_ms": DECODE[1:]}, "starts at batch 1"),
    ({"decode_ms": (DECODE[0], DECODE[2], DECODE[1])}, "rise from point to point"),
    ({"prefill_ms": PREFILL[:1]}, "at least two points"),
    ({"prefill_ms": (PREFILL[1], PREFILL[0])}, "at least two points"),
    ({"prefill_limit_tokens": 2_049}, "beyond the last point"),
    ({"prefill_ms": (PromptTime(1, 40.0), PREFILL[2])}, "less time than the same step"),
    ({"prefill_ms": (PromptTime(1, 300.0), PREFILL[2])}, "their slope continues"),
])
def test_a_table_that_makes_no_law_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StepLaw(**{**TABLES, **change})


def test_work_of_a_call_term_by_term() -> None:
    """b_p E[p] (1 - cached); E[o] (a / n + b_d) + c (E[o] E[p] + (E[o^2] - E[o]) / 2), on 8 GPUs."""
    service = Service(step_law=StepLawSource(gpus={"a100-80gb": StepLaw(**STRAIGHT)}),
                      batching=Batching(max_batch=64))
    prefill, decode = service.gpu_seconds_per_call(
        TokenCount(1_000, 2.0), TokenCount(250, 0.8), "a100-80gb", a100(), cached_frac=0.25)
    square = 250**2 * (1 + 0.8**2)
    assert prefill == pytest.approx(8 * 100e-6 * 1_000 * 0.75)
    held = 250 * 1_000 + (square - 250) / 2
    assert decode == pytest.approx(8 * (250 * (17.1e-3 / 64 + 62e-6) + 29e-9 * held))


def test_the_batch_at_saturation_is_bound_by_kv() -> None:
    law = StepLaw(**{**STRAIGHT, "kv_tokens": 60_000})
    assert law.batch_at_saturation(1_000, 250, 0.8, 256) == pytest.approx(60_000 / (1_000 + 250 * 1.64))
    assert law.batch_at_saturation(1_000, 250, 0.8, 16) == 16
    assert law.batch_at_saturation(80_000, 250, 0.0, 16) == 1


def test_work_is_that_of_saturation() -> None:
    """A replica that is full makes 1 / (its seconds per call) calls a second: the worked example."""
    law = StepLaw(step_ms=6, prefill_us_per_token=20, decode_us_per_sequence=15, kv_ns_per_token=30,
                  kv_tokens=400_000, prefill_limit_tokens=8_192)
    cv = math.sqrt(math.exp(0.8**2) - 1)
    assert law.saturation_rps(1_000, 250, cv, 256) == pytest.approx(25.75, abs=0.005 * 25.75)
    assert 1 / sum(law.replica_s_per_call(1_000, 250, cv, 256)) == law.saturation_rps(1_000, 250, cv, 256)


def test_chunks_pay_the_first_point_of_a_table_each() -> None:
    law = StepLaw(**TABLES)
    whole, _ = law.replica_s_per_call(2_048, 128, 0.0, 64)
    chunked, _ = law.replica_s_per_call(2_048, 128, 0.0, 64, chunk_tokens=64 + 64)
    assert whole == pytest.approx(law.prefill_time_ns(2_048) / 1e9)
    assert chunked == pytest.approx(2_048 / 64 * law.prefill_time_ns(64) / 1e9)


def test_cached_prompts_cost_no_prefill_at_rates_either() -> None:
    service = Service(rates=Rates(1_000, 100))
    found = service.gpu_seconds_per_call(TokenCount(2_000), TokenCount(50), "a100-80gb", a100(), 0.5)
    assert found == (1.0, 0.5)


def test_share_of_lognormal_tokens_above_a_limit() -> None:
    assert TokenCount(1_000, 0.0).share_above(999) == 1.0
    assert TokenCount(1_000, 0.0).share_above(1_000) == 0.0
    median = 1_000 / math.sqrt(2)
    assert TokenCount(1_000, 1.0).share_above(median) == pytest.approx(0.5)
    one_sigma = median * math.exp(math.sqrt(math.log(2)))
    assert TokenCount(1_000, 1.0).share_above(one_sigma) == pytest.approx(0.158655, abs=1e-6)
