"""Service levels as text."""

import pytest

from fleetsim.errors import UsageError
from fleetsim.model.slo import Slo, parse_slos

LATENCIES = ("ttft", "tpot", "e2e")


def test_terms_are_read() -> None:
    found = parse_slos(" ttft_p99_s <= 1, chat:tpot_mean_s<=5e-2,e2e_p99.9_s<=60,served_frac>=.99,"
                       "my class:lost_frac<=0", LATENCIES)
    assert [(each.metric, each.statistic, each.bound, each.at_least, each.class_name) for each in found] == [
        ("ttft", "p99", 1.0, False, None), ("tpot", "mean", 0.05, False, "chat"),
        ("e2e", "p99.9", 60.0, False, None), ("served_frac", "", 0.99, True, None),
        ("lost_frac", "", 0.0, False, "my class")]
    assert [each.quantile for each in found] == [0.99, None, pytest.approx(0.999), None, None]


@pytest.mark.parametrize("text", ["ttft_p99_s<=1", "a b:tpot_mean_s<=0.05", "served_frac>=0.999"])
def test_a_term_reads_back(text: str) -> None:
    (term,) = parse_slos(text, LATENCIES)
    assert str(term) == text
    assert parse_slos(str(term), LATENCIES) == (term,)


def test_a_value_on_the_bound_is_met() -> None:
    most, least = Slo("ttft", "p99", 1.0), Slo("served_frac", "", 0.9, at_least=True)
    assert [most.met_by(value) for value in (0.9, 1.0, 1.1)] == [True, True, False]
    assert [least.met_by(value) for value in (0.8, 0.9, 1.0)] == [False, True, True]


@pytest.mark.parametrize(("text", "said"), [
    ("", "no service level: ''"),
    ("ttft_p99_s<1", "no service level"),
    ("ttft_p99_s<=1,", "no service level: ''"),
    ("ttft_p99<=1", "did you mean 'ttft_p99_s'"),
    ("ttfs_p99_s<=1", "did you mean 'ttft_p99_s'"),
    ("ttft_p0_s<=1", "no service level 'ttft_p0_s'"),
    ("ttft_p100_s<=1", "no service level 'ttft_p100_s'"),
    ("ttft_p99_s>=1", "bounded by <="),
    ("ttft_p99_s<=0", "above 0 s"),
    ("ttft_p99_s<=-1", "above 0 s"),
    ("ttft_p99_s<=nan", "no number"),
    ("ttft_p99_s<=inf", "no number"),
    ("ttft_p99_s<=1s", "'1s' is no number"),
    ("served_frac<=0.9", "served_frac is bounded by >="),
    ("lost_frac>=0.9", "lost_frac is bounded by <="),
    ("served_frac>=99", "between 0 and 1"),
    ("ttft_p99_s<=1,ttft_p99_s<=2", "ttft_p99_s twice"),
])
def test_what_is_no_term_is_told(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_slos(text, LATENCIES)
