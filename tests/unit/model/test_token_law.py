"""Token lengths keep their declared mean when they are cut at the context limit."""

from math import inf, log

import numpy as np
import pytest

from fleetsim.model.token_law import cut_mean, location, spread


@pytest.mark.parametrize(("mean", "cv", "most"), [(2_700, 1.3, 4_096), (900, 1.0, 128_000),
                                                  (3_900, 2.0, 4_000), (1.5, 0.8, 2)])
def test_the_mean_of_what_is_cut_is_the_declared_one(mean: float, cv: float, most: float) -> None:
    mu = location(mean, cv, most)
    drawn = np.exp(mu + spread(cv) * np.random.default_rng(1).standard_normal(400_000))
    found = np.minimum(drawn, most)
    assert found.mean() == pytest.approx(mean, abs=4 * found.std() / 400_000**0.5)
    assert cut_mean(mu, spread(cv), most) == pytest.approx(mean, rel=1e-6)


def test_far_from_the_limit_it_is_the_plain_lognormal() -> None:
    assert location(1_000, 0.5, 10**9) == log(1_000) - spread(0.5) ** 2 / 2
    assert location(1_000, 0.0, 2_000) == log(1_000)


def test_at_the_limit_every_length_is_the_limit() -> None:
    assert location(5_000, 1.0, 4_096) == inf
