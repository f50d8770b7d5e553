"""Means of dated numbers and amounts of streams and costs, against closed forms."""

import math
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from fleetsim.ledger.levels import mean
from fleetsim.ledger.recorded_month import RecordedMonth, recorded_months
from fleetsim.ledger.revenue import Served, earned, spent
from fleetsim.model.costs import MonthlyCost, Staff, Tasks
from fleetsim.model.revenue import MonthlyRevenue, StreamShare, Subscription, TokenRevenue
from fleetsim.timebase import HOUR_US, epoch_us

NOTHING = Served(hour_us=np.zeros(0, dtype=np.int64))


def day(month: int, number: int, hour: int = 0) -> datetime:
    return datetime(2024, month, number, hour, tzinfo=UTC)


def period(start: datetime, end: datetime) -> RecordedMonth:
    return RecordedMonth(epoch_us(start), epoch_us(end))


FEBRUARY = period(day(2, 1), day(3, 1))


def usd(stream: object, when: RecordedMonth = FEBRUARY, served: Served = NOTHING) -> Fraction:
    return earned({"it": stream}, "it", when, served).usd


def test_calendar_months_of_a_horizon() -> None:
    found = recorded_months(day(1, 30, 12), day(3, 2))
    assert [(each.month, each.part) for each in found] == [
        (day(1, 1), Fraction(36, 31 * 24)), (day(2, 1), 1), (day(3, 1), Fraction(1, 31))]


def test_steps_are_weighted_by_their_time() -> None:
    dated = {day(1, 1): 10.0, day(2, 11): 39.0}
    assert mean(dated, "steps", FEBRUARY.start_us, FEBRUARY.end_us) == Fraction(10 * 10 + 19 * 39, 29)


def test_before_its_first_date_the_first_value_holds() -> None:
    assert mean({day(6, 1): 7.0}, "steps", FEBRUARY.start_us, FEBRUARY.end_us) == 7
    assert mean({day(6, 1): 7.0}, "log_linear", FEBRUARY.start_us, FEBRUARY.end_us) == 7


def test_the_mean_of_an_exponential() -> None:
    dated = {day(2, 1): 100.0, day(3, 1): 100.0 * math.e}
    found = mean(dated, "log_linear", FEBRUARY.start_us, FEBRUARY.end_us)
    assert float(found) == pytest.approx(100 * (math.e - 1), rel=1e-14)
    halves = [mean(dated, "log_linear", epoch_us(day(2, 1)), epoch_us(day(2, 15, 12))),
              mean(dated, "log_linear", epoch_us(day(2, 15, 12)), epoch_us(day(3, 1)))]
    assert float(sum(halves)) / 2 == pytest.approx(float(found), rel=1e-14)


def test_from_nothing_it_is_a_straight_line() -> None:
    dated = {day(2, 1): 0.0, day(3, 1): 58.0}
    assert mean(dated, "log_linear", FEBRUARY.start_us, FEBRUARY.end_us) == 29


def test_a_level_that_hardly_grows_keeps_its_digits() -> None:
    dated = {day(2, 1): 1e9, day(3, 1): 1e9 * (1 + 1e-9)}
    found = float(mean(dated, "log_linear", FEBRUARY.start_us, FEBRUARY.end_us))
    assert found == pytest.approx(1e9 + 0.5, abs=1e-6)


def test_a_subscription_is_payers_times_price() -> None:
    stream = Subscription(subscribers=8e6, usd_per_month=Decimal(20))
    assert usd(stream) == 160_000_000
    assert usd(stream, period(day(2, 1), day(2, 2))) == Fraction(160_000_000, 29)
    amount = earned({"plus": stream}, "plus", FEBRUARY, NOTHING)
    assert (amount.quantity, amount.unit) == (8e6, "subscriber")


def test_payers_and_price_step_apart() -> None:
    stream = Subscription(subscribers={day(1, 1): 100.0, day(2, 16): 200.0},
                          usd_per_month={day(1, 1): Decimal(20), day(2, 21): Decimal(30)})
    assert usd(stream) * 29 == 15 * 100 * 20 + 5 * 200 * 20 + 9 * 200 * 30


def test_a_dearer_price_loses_payers() -> None:
    stream = Subscription(subscribers=100.0, usd_per_month={day(1, 1): Decimal(20), day(2, 11): Decimal(80)},
                          price_elasticity=-0.5, reference_usd_per_month=Decimal(20))
    assert usd(stream) * 29 == 10 * 100 * 20 + 19 * 50 * 80
    assert float(earned({"it": stream}, "it", FEBRUARY, NOTHING).quantity or 0) == pytest.approx(
        (10 * 100 + 19 * 50) / 29)
    assert stream.role == "computed"


def test_at_the_reference_an_elasticity_changes_nothing() -> None:
    plain = Subscription(subscribers=123_457.0, usd_per_month=Decimal("19.99"))
    elastic = Subscription(subscribers=123_457.0, usd_per_month=Decimal("19.99"), price_elasticity=-1.7,
                           reference_usd_per_month=Decimal("19.99"))
    assert usd(elastic) == usd(plain)
    assert elastic.price_factor(19.99) == 1.0


def test_what_rate_limits_leave_of_payers() -> None:
    stream = Subscription(subscribers=100.0, usd_per_month=Decimal(20), rate_limit_elasticity=0.5)
    assert usd(stream, served=Served(NOTHING.hour_us, payers_factor={"it": 0.5})) == 1_000


def test_tokens_at_the_price_of_their_hour() -> None:
    hours = np.array([epoch_us(day(2, 10, hour)) for hour in range(4)], dtype=np.int64)
    served = Served(hours, {"api": np.array([1e6, 2e6, 3e6, 4e6])}, {"api": np.array([0.0, 0.0, 5e6, 0.0])})
    stream = TokenRevenue(
        traffic_classes=("api",), usd_per_million_output_tokens=Decimal("30"),
        usd_per_million_prompt_tokens={day(1, 1): Decimal("10"), day(2, 10, 2): Decimal("5")})
    when = RecordedMonth(int(hours[0]), int(hours[-1]) + HOUR_US)
    assert usd(stream, when, served) == 3 * 10 + 7 * 5 + 5 * 30
    assert earned({"it": stream}, "it", when, served).quantity == 15e6


@pytest.mark.parametrize(("terms", "expected"), [
    ({}, -37_500), ({"direction": "received"}, 37_500),
    ({"min_usd_per_month": Decimal(50_000)}, -50_000), ({"max_usd_per_month": Decimal(30_000)}, -30_000),
    ({"share_frac": {day(1, 1): 0.25, day(2, 2): 0.5}}, -(25_000 + 28 * 50_000) / 29),
])
def test_a_share_is_paid_between_floor_and_cap(terms: dict[str, object], expected: float) -> None:
    gross = MonthlyRevenue(usd_per_month=Decimal(100_000))
    share = StreamShare(of="gross", **{"share_frac": 0.375, **terms})
    found = earned({"gross": gross, "share": share}, "share", FEBRUARY, NOTHING).usd
    assert float(found) == pytest.approx(expected, rel=1e-14)


def test_floor_and_cap_are_of_a_calendar_month() -> None:
    streams = {"gross": MonthlyRevenue(usd_per_month=Decimal(0)),
               "share": StreamShare(of=("gross",), share_frac=0.5, min_usd_per_month=Decimal(29_000))}
    assert earned(streams, "share", period(day(2, 28), day(3, 1)), NOTHING).usd == -2_000


def test_costs() -> None:
    staff = Staff(headcount=1_500.0, usd_per_head_per_year=Decimal("1.0e6"))
    assert spent(staff, FEBRUARY).usd == 125_000_000
    growing = Staff(headcount={day(2, 1): 100.0, day(3, 1): 100.0 * math.e}, interpolation="log_linear",
                    usd_per_head_per_year=Decimal(12))
    assert float(spent(growing, FEBRUARY).usd) == pytest.approx(100 * (math.e - 1))
    tasks = Tasks(tasks_per_month=29_000.0, usd_per_task=Decimal("3.50"))
    assert spent(tasks, period(day(2, 1), day(2, 2))) == (3_500, 1_000.0, "task")
    rent = MonthlyCost(usd_per_month={day(2, 1): Decimal(29), day(2, 2): Decimal(0)})
    assert spent(rent, FEBRUARY).usd == 1


@pytest.mark.parametrize("terms", [
    {"price_elasticity": -1.0}, {"price_elasticity": -1.0, "reference_usd_per_month": Decimal(0)},
    {"usd_per_month": Decimal(0), "price_elasticity": -1.0, "reference_usd_per_month": Decimal(1)},
    {"subscribers": 1e12, "usd_per_month": Decimal(1_000)},
])
def test_subscriptions_that_cannot_be(terms: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"reference|more than"):
        Subscription(**{"subscribers": 1.0, "usd_per_month": Decimal(1), **terms})
