"""The step laws of the catalogue against what was measured, point by point."""

import numpy as np
import pytest

from fleetsim.spec import catalog

PROFILES = catalog.step_profiles()
DECODE_ERROR = {("llama-2-70b", "2023-engine"): (-0.04, 0.06), ("llama-2-70b", "2026-engine"): (-0.06, 0.04),
                ("bloom-176b", "2023-engine"): (-0.05, 0.06)}
"""Of the fits, as their source states them; of BLOOM-176B, as its own fit gives them."""
KV_BYTES_OF_BLOOM = 2 * 70 * 112 * 128 * 2 / (2 * 80 * 8 * 128 * 2)
"""Per token, over those of Llama-2-70B."""


@pytest.mark.parametrize("name", PROFILES)
def test_decode_steps_are_within_the_stated_error(name: str) -> None:
    """Step time at the mean KV of the measured steps: prompt and half of the output, for each sequence."""
    entry = PROFILES[name]
    low, high = DECODE_ERROR[entry.service, entry.profile]
    fits = [fit for fit in entry.fits() if fit.what.startswith("decode")]
    assert len(fits) == len(entry.decode)
    for fit in fits:
        assert low - 0.01 <= fit.error_frac <= high + 0.01, fit


def test_prefill_beyond_the_law_is_marked_and_kept() -> None:
    """The 2023 engine's prefill above 2,048 tokens takes 1.3 to 2.2 times as long as the law says."""
    entry = PROFILES["llama-2-70b-2023-engine-a100-80gb"]
    beyond = [fit for fit in entry.fits() if not fit.within_law]
    assert [fit.measured_ms for fit in beyond] == [661, 1_550, 2_084, 7_554]
    assert all(1.2 < fit.measured_ms / fit.predicted_ms < 2.25 for fit in beyond)
    assert all(-0.12 < fit.error_frac < 0.09 for fit in entry.fits()[:5])


def test_saturation_rates_are_those_of_the_worked_example() -> None:
    """p = 1,000, o = 250, batch 64: 2.58 and 5.25 requests per second on 8 x A100, 4.04 and 11.5 on H100."""
    found = {name: entry.law.saturation_rps(1_000, 250, 0.0, 64) for name, entry in PROFILES.items()
             if entry.service == "llama-2-70b"}
    assert found == pytest.approx({
        "llama-2-70b-2023-engine-a100-80gb": 2.58, "llama-2-70b-2023-engine-h100-80gb": 4.04,
        "llama-2-70b-2026-engine-a100-80gb": 5.25, "llama-2-70b-2026-engine-h100-80gb": 11.46}, rel=0.002)


@pytest.mark.parametrize("gpu", ["a100-80gb", "h100-80gb"])
def test_the_law_of_bloom_is_the_least_squares_fit_of_its_points(gpu: str) -> None:
    """Relative errors, every point alike, the KV read given by that of Llama-2-70B and the KV bytes."""
    entry, llama = (PROFILES[f"{model}-2023-engine-{gpu}"] for model in ("bloom-176b", "llama-2-70b"))
    kv_ms = llama.law.kv_ns * KV_BYTES_OF_BLOOM / 1e6
    steps = [(1, each.tokens, each.tokens, each.ms) for each in entry.prefill]
    steps += [(each.batch, 0, each.kv_tokens, each.ms) for each in entry.decode]
    columns = np.array([[1 / ms, batch / ms, prompt / ms] for batch, prompt, _, ms in steps])
    left = np.array([1 - kv_ms * kv / ms for *_, kv, ms in steps])
    step_ms, decode_ms, prefill_ms = np.linalg.lstsq(columns, left, rcond=None)[0]
    assert entry.law.kv_ns_per_token == pytest.approx(1e6 * kv_ms, rel=0.002)
    assert entry.law.step_ms == pytest.approx(step_ms, rel=0.003)
    assert entry.law.decode_us_per_sequence == pytest.approx(1e3 * decode_ms, rel=0.003)
    assert entry.law.prefill_us_per_token == pytest.approx(1e3 * prefill_ms, rel=0.003)


POINTS = {  # service, profile, gpu type: published steps of prefill and of decode
    ("llama-2-70b", "2023-engine", "a100-80gb"): (9, 9), ("llama-2-70b", "2023-engine", "h100-80gb"): (9, 7),
    ("llama-2-70b", "2026-engine", "a100-80gb"): (6, 6), ("llama-2-70b", "2026-engine", "h100-80gb"): (6, 6),
    ("bloom-176b", "2023-engine", "a100-80gb"): (3, 7), ("bloom-176b", "2023-engine", "h100-80gb"): (3, 7)}


def test_no_published_point_is_dropped() -> None:
    found = {(each.service, each.profile, each.gpu): (len(each.prefill), len(each.decode))
             for each in PROFILES.values()}
    assert found == POINTS
    assert all(len(each.fits()) == len(each.prefill) + len(each.decode) for each in PROFILES.values())


def test_cross_checks_of_the_tp4_rows_are_within_five_percent() -> None:
    """TensorRT-LLM v0.6.1 on 4 x A100: the law that its source gives."""
    rows = [each for each in catalog.cross_checks().values() if each.law is not None]
    assert [each.measured for each in rows] == [670, 525, 79]
    for each in rows:
        assert abs(each.error_frac() or 1.0) < 0.05, each


def test_every_cross_check_has_a_prediction_or_no_law() -> None:
    rows = catalog.cross_checks()
    assert len(rows) == 39
    for name, each in rows.items():
        assert each.source, name
        assert each.gpu in catalog.gpus(), name
        assert each.profile is None or each.profile in PROFILES, name
        assert (each.predicted() is None) == (each.law is None and each.profile is None), name


def test_a_batch_is_published_or_assumed() -> None:
    """The pages of TensorRT-LLM tell the batches of v0.6.1 on A100, and no others."""
    unknown = [name for name, each in catalog.cross_checks().items() if not each.batch_published]
    assert len(unknown) == 12
    assert all(name.startswith(("tensorrt-llm-0.6.1-h100-", "tensorrt-llm-1-")) for name in unknown)


def test_linear_operators_of_vidur_leave_out_attention_and_host() -> None:
    """The 2026 laws lie within 26 % of them: they are cross-checks, not fits."""
    rows = [each for each in catalog.cross_checks().values() if each.what == "step without attention, ms"]
    assert len(rows) == 20
    assert all(abs(each.error_frac() or 1.0) < 0.26 for each in rows)


def test_rows_name_their_source_and_gpu() -> None:
    for entry in PROFILES.values():
        assert entry.source
        assert entry.date
        assert entry.grade in "ABCD"
        assert entry.gpu in catalog.gpus()
        assert entry.prefill
        assert entry.decode
