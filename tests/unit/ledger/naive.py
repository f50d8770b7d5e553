"""The formulas of each kind as plain loops over hours, for the ledger's tests.

Nothing here imports the ledger: quantities are GPU-seconds per hour, prices exact fractions, money whole
micro-dollars, rounded once per charge as `round` does: half-even.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

Quantity = Fraction | Decimal | int
PriceAt = Callable[[datetime], Decimal]


def micro(gpu_s: int, usd_per_gpu_hour: Quantity) -> int:
    """Micro-dollars of GPU-seconds at a price."""
    return round(gpu_s * Fraction(usd_per_gpu_hour) * 1_000_000 / 3_600)


def usd(amount: Quantity) -> int:
    """Dollars as micro-dollars."""
    return round(Fraction(amount) * 1_000_000)


def seconds_in(hour: datetime, start: datetime | None, end: datetime | None) -> int:
    """Seconds of an hour in [start, end)."""
    left, right = hour, hour + timedelta(hours=1)
    left = left if start is None else max(left, start)
    right = right if end is None else min(right, end)
    return max(round((right - left).total_seconds()), 0)


def months_after(instant: datetime, months: int) -> datetime:
    """The same day and time so many months later, or the last day of that month."""
    year, month = divmod(instant.year * 12 + instant.month - 1 + months, 12)
    last = (datetime(year + (month == 11), (month + 1) % 12 + 1, 1, tzinfo=UTC) - timedelta(days=1)).day
    return instant.replace(year=year, month=month + 1, day=min(instant.day, last))


def month_of(hour: datetime) -> tuple[int, int]:
    """Calendar month of an hour."""
    return hour.year, hour.month


def by_month(hours: Sequence[datetime], amounts: Sequence[int]) -> dict[tuple[int, int], int]:
    """Sums over calendar months."""
    sums: dict[tuple[int, int], int] = {}
    for hour, amount in zip(hours, amounts, strict=True):
        sums[month_of(hour)] = sums.get(month_of(hour), 0) + amount
    return sums


def stepped(first: Quantity, steps: Sequence[tuple[datetime, Quantity]]) -> PriceAt:
    """A price that changes at dates; a step inside an hour acts at the next one."""
    dates = [date for date, _ in steps]
    values = [first, *(value for _, value in steps)]
    return lambda hour: Decimal(values[bisect_right(dates, hour)])


def spread_evenly(total: int, start: datetime, end: datetime, hours: Sequence[datetime]) -> list[int]:
    """A prepayment over the hours of its term by the clock: differences of rounded cumulative amounts."""
    whole = (end - start).total_seconds()

    def reached(instant: datetime) -> int:
        done = min(max((instant - start).total_seconds(), 0), whole)
        return round(Fraction(total) * Fraction(done) / Fraction(whole))

    return [reached(hour + timedelta(hours=1)) - reached(hour) for hour in hours]


def spend_plan(
    dollars: int,
    demand: Sequence[int],
    prices: Sequence[tuple[Quantity, Quantity]],
) -> tuple[list[int], list[int], int]:
    """One hour of a spend plan: covered GPU-seconds and micro-dollars spent by fleet, and what is left.

    `prices` are (plan, on demand). Highest saving first, then the lowest plan price.
    """
    covered, spent, left = [0] * len(demand), [0] * len(demand), dollars
    for k in sorted(
        range(len(demand)),
        key=lambda k: (Fraction(prices[k][0]) / Fraction(prices[k][1]), Fraction(prices[k][0])),
    ):
        price = Fraction(prices[k][0])
        if micro(demand[k], price) <= left:
            covered[k], spent[k] = demand[k], micro(demand[k], price)
        else:
            covered[k], spent[k] = min(demand[k], int(left * 3_600 / (price * 1_000_000))), left
        left -= spent[k]
    return covered, spent, left


def graduated(quantity: int, bounds: Sequence[int], prices: Sequence[Quantity]) -> Fraction:
    """Exact micro-dollars of a period's GPU-seconds: sum of p_k (min(Q, b_k) - b_(k-1))+."""
    due, lower = Fraction(0), list(bounds)
    for k, price in enumerate(prices):
        upper = lower[k + 1] if k + 1 < len(lower) else quantity
        due += Fraction(price) * max(min(quantity, upper) - lower[k], 0) * 1_000_000 / 3_600
    return due
