"""The roofline against its worked example: Llama-2-70B, 16 bits, 8 x A100-80GB."""

from dataclasses import replace

import pytest

from fleetsim.model.roofline import Roofline
from fleetsim.spec import catalog

A100, H100 = catalog.gpus()["a100-80gb"], catalog.gpus()["h100-80gb"]
LLAMA = Roofline(shape=catalog.model_shapes()["llama-2-70b"], flops_efficiency_frac=1.0,
                 bandwidth_efficiency_frac=1.0)


def test_terms_of_the_worked_example() -> None:
    shape = LLAMA.known_shape
    assert shape.weight_bytes / 1e9 == pytest.approx(137.95, abs=0.015)
    assert shape.kv_bytes_per_token(8) == 327_680
    assert LLAMA.weight_read_s(A100, 8) == pytest.approx(8.46e-3, abs=5e-6)
    assert LLAMA.token_s(A100, 8) == pytest.approx(55.3e-6, abs=5e-8)
    assert LLAMA.kv_read_s(A100, 8) == pytest.approx(20.1e-9, abs=5e-11)
    assert LLAMA.kv_tokens(A100, 8) == pytest.approx(1_414_000, abs=100)
    assert LLAMA.kv_tokens(A100, 8) % 16 == 0


def test_all_reduces_of_the_worked_example() -> None:
    """15.3 us per token and 160 latencies: 4.1 ms at 26 us."""
    plain = replace(LLAMA, all_reduce_us=0.0)
    assert LLAMA.law(A100, 8).decode_ns(1)[1] - plain.law(A100, 8).decode_ns(1)[1] == 160 * 26_000
    steps = plain.law(A100, 8).decode_ns(65)
    assert steps[65] - steps[64] == pytest.approx(15_300, abs=20)


def test_heads_are_copied_when_there_are_more_gpus() -> None:
    shape = LLAMA.known_shape
    assert shape.kv_bytes_per_token(16) == 2 * shape.kv_bytes_per_token(8)


def test_a_step_is_the_greater_of_weights_and_arithmetic() -> None:
    """The knee is at FLOP/s x bytes per weight / (2 x bandwidth): 153 tokens on an A100."""
    law = replace(LLAMA, all_reduce_us=0.0, link_efficiency_frac=1.0).law(A100, 8)
    sent_ns = 160 * 8_192 * 2 * 2 * 7 / 8 / 300
    steps = law.decode_ns(400)
    for batch in (1, 100, 152, 153, 154, 200, 400):
        alone = max(LLAMA.weight_read_s(A100, 8), LLAMA.token_s(A100, 8) * batch) * 1e9
        assert steps[batch] == pytest.approx(alone + sent_ns * batch, rel=2e-4), batch


def test_prefill_grows_with_the_square_of_long_prompts() -> None:
    """Attention adds 2 % at 2,048 tokens, 8 % at 8,192 and 31 % at 32,768."""
    roofline = replace(LLAMA, all_reduce_us=0.0, prefill_limit_tokens=32_768)
    law = roofline.law(replace(A100, link_gb_per_s=1e9), 8)
    for tokens, more in ((2_048, 0.02), (8_192, 0.08), (32_768, 0.31)):
        whole = law.step_ns(1, 0, tokens) / 1e9
        assert whole / (roofline.token_s(A100, 8) * (tokens + 1)) - 1 == pytest.approx(more, abs=0.005)


def test_a_model_that_does_not_fit() -> None:
    assert LLAMA.kv_tokens(A100, 1) < 0
    assert LLAMA.fewest_gpus(A100) == 2
    assert LLAMA.fewest_gpus(replace(A100, memory_gb=1.0)) is None
    with pytest.raises(ValueError, match="no room"):
        LLAMA.law(A100, 1)


def test_one_gpu_needs_no_links() -> None:
    small = replace(LLAMA, shape=replace(LLAMA.known_shape, parameters=7.0, layers=32, d_model=4_096))
    law = small.law(replace(A100, link_gb_per_s=None), 1)
    assert law.decode_ns(1)[1] == pytest.approx(7e9 * 2 / 2.039e12 * 1e9, abs=1)


def test_a_mixture_reads_all_experts_and_computes_the_active_ones() -> None:
    sparse = replace(LLAMA, shape=replace(LLAMA.known_shape, active_parameters=10.0))
    assert sparse.weight_read_s(H100, 8) == LLAMA.weight_read_s(H100, 8)
    assert sparse.token_s(H100, 8) == pytest.approx(LLAMA.token_s(H100, 8) * 10 / 68.98)


@pytest.mark.parametrize(("gpu", "profile"), [("a100-80gb", "2026-engine"), ("h100-80gb", "2026-engine")])
def test_no_measured_engine_is_faster_than_the_roofline(gpu: str, profile: str) -> None:
    entry = catalog.step_profiles()[f"llama-2-70b-{profile}-{gpu}"]
    law = replace(LLAMA, all_reduce_us=0.0).law(catalog.gpus()[gpu], 8)
    for point in entry.decode:
        assert law.step_ns(point.batch, point.kv_tokens) < point.ms * 1e6
    for prompt in entry.prefill:
        assert law.step_ns(1, prompt.tokens, prompt.tokens) < prompt.ms * 1e6
