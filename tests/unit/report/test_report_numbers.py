"""Numbers are written so that a person cannot misread them."""

import pytest

from fleetsim.report import numbers


@pytest.mark.parametrize(("value", "written"), [
    (290_011.6, "290,012"), (0.4, "0"), (-0.4, "0"), (-1_234.0, "-1,234"), (None, "-"),
])
def test_counts_have_separators_and_no_negative_zero(value: float | None, written: str) -> None:
    assert numbers.count(value) == written


@pytest.mark.parametrize(("value", "written"), [
    (3_997_000_000, "$3.997B"), (694_444.4, "$694,444"), (0.00356, "$0.003560"), (999_960, "$1.000M"),
    (-4.8e9, "-$4.800B"), (None, "-"), (0, "$0"), (132e6, "$132.0M"),
])
def test_amounts_have_four_digits(value: float | None, written: str) -> None:
    assert numbers.usd(value) == written


@pytest.mark.parametrize(("value", "written"), [(1.3, "$1.30"), (2.8539, "$2.8539"), (1_000.0, "$1,000.00"),
                                                (12.05, "$12.05"), (None, "-")])
def test_prices_have_two_to_four_decimals(value: float | None, written: str) -> None:
    assert numbers.price(value) == written


@pytest.mark.parametrize(("value", "written"), [
    (0.829, "82.9 %"), (1.0983, "109.8 %"), (0.0, "0.0 %"), (0.0001, "< 0.1 %"), (None, "-"),
    (-0.0001, "> -0.1 %"), (-0.25, "-25.0 %"),
])
def test_a_share_that_is_not_zero_never_reads_as_zero(value: float | None, written: str) -> None:
    assert numbers.percent(value) == written


@pytest.mark.parametrize(("share", "written"), [
    (0.67, "67.0 % below list prices"), (-2.18, "218.0 % above list prices"), (0.0, "at list prices"),
    (-0.0001, "< 0.1 % above list prices"), (-0.00004, "at list prices"), (1e-9, "at list prices"),
])
def test_a_loss_is_no_negative_saving(share: float, written: str) -> None:
    assert numbers.below(share, "list prices") == written


@pytest.mark.parametrize(("value", "written"), [(0.004, "+0.4 %"), (-0.123, "-12.3 %"), (-0.0001, "0.0 %"),
                                                (None, "-")])
def test_differences_have_their_sign(value: float | None, written: str) -> None:
    assert numbers.signed_percent(value) == written


@pytest.mark.parametrize(("value", "written"), [
    (0.0, "0 s"), (0.4123, "0.412 s"), (9.51, "9.51 s"), (12.34, "12.3 s"), (99.96, "1 min 40 s"),
    (3_599.7, "1 h 0 min"), (7_500, "2 h 5 min"), (None, "-"),
])
def test_waits_are_in_the_unit_that_fits(value: float | None, written: str) -> None:
    assert numbers.duration(value) == written


def test_the_first_hour_of_a_day_keeps_its_time_and_a_day_does_not() -> None:
    assert numbers.instant("2024-06-15T00:00:00Z") == "2024-06-15 00:00"
    assert numbers.day("2024-06-15T00:00:00Z") == "2024-06-15"
    assert numbers.day("2024-06-15T18:00:00Z") == "2024-06-15 18:00"
    assert numbers.instant("2024-06-15T18:00:00Z") == "2024-06-15 18:00"
    assert numbers.instant(None) == "-"


@pytest.mark.parametrize(("value", "unit", "written"), [
    (0.92, "1", "92.0 %"), (0.0004, "1", "0.040 %"), (0.0, "1", "0 %"), (1.3, "USD/GPU-hour", "$1.30"),
    (0.00356, "USD/message", "$0.003560"), (694_444.4, "USD/day", "$694,444"), (35_000.0, "GPU", "35,000"),
    (4.5e8, "message/day", "450.0M"), ("2024-06-15T18:00:00Z", "time", "2024-06-15 18:00"),
    (None, "GPU", "-"),
    (9.51, "s", "9.51 s"), (87, "h", "87"),
])
def test_a_figure_is_written_by_its_unit(value: float | str | None, unit: str, written: str) -> None:
    assert numbers.by_unit(value, unit) == written
