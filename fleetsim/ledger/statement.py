"""The statement: profit and loss and cash by calendar month, exact to the micro-dollar.

Amounts are signed: what comes in is positive, what goes out negative, so that the sum of all lines is
the result (accrual) and the change of cash (cash). Revenue is received and costs are paid in the month
in which they arise; compute costs its effective amount and takes the billed one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from fleetsim.ledger.money import MICRO, micro_usd
from fleetsim.ledger.recorded_month import RecordedMonth
from fleetsim.ledger.revenue import Amount, Served, earned, spent
from fleetsim.model.finance import Finance, Round
from fleetsim.timebase import epoch_us

COMPUTE = {"serving": "inference", "training": "training"}
"""By role of a fleet: the section of its line."""
BALANCE = "balance"


@dataclass(frozen=True)
class FleetBill:
    """What one fleet's contracts charge in one month, micro-dollars."""

    effective_micro_usd: int
    billed_micro_usd: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of one month. Balances stand on the line `balance` alone, which has no amounts."""

    period: RecordedMonth
    line: str
    section: str
    role: str
    """`input` or `computed`."""
    accrual_micro_usd: int = 0
    cash_micro_usd: int = 0
    quantity: float | None = None
    unit: str = ""
    cash_balance_micro_usd: int | None = None
    credits_balance_micro_usd: int | None = None
    prepaid_balance_micro_usd: int | None = None
    cash_out_us: int | None = None
    """First instant of the month at which cash is used up, microseconds since 1970."""


@dataclass
class Month:
    """What the statement needs to know of a month of a run."""

    period: RecordedMonth
    served: Served
    bills: Mapping[str, FleetBill]
    """By fleet."""


class RunningStatement:
    """Cash and credits while months are closed in order of time."""

    def __init__(self, finance: Finance, roles: Mapping[str, str], prepaid_micro_usd: int = 0) -> None:
        """`roles` are the fleets in order: serving or training. `prepaid_micro_usd` is what was paid for
        compute before the first month and not used up."""
        self.finance = finance
        self.roles = roles
        self.cash = micro_usd(finance.opening_cash_usd or Decimal(0))
        self.credits = micro_usd(finance.opening_credits_usd or Decimal(0))
        self.prepaid = prepaid_micro_usd

    def close(self, month: Month) -> list[Entry]:
        """The lines of a month, and its balance."""
        revenue, costs = self._revenue(month), self._costs(month)
        return self.settle(month.period, [*revenue, *self.compute(month.period, month.bills), *costs])

    def settle(self, period: RecordedMonth, entries: list[Entry]) -> list[Entry]:
        """The lines of a month with what follows from them: credits drawn, rounds received, the balance."""
        entries = list(entries)
        rounds = self._rounds(period)
        granted = sum(credit for _, _, credit in rounds)
        compute = [entry for entry in entries if entry.section in COMPUTE.values()]
        billed = -sum(entry.cash_micro_usd for entry in compute)
        self.prepaid += billed + sum(entry.accrual_micro_usd for entry in compute)
        drawn = max(0, min(self.credits + granted, billed))
        if self.credits or granted or drawn:
            entries.append(Entry(period=period, line="credits/drawn", section="credits", role="computed",
                                 cash_micro_usd=drawn))
        flow = sum(entry.cash_micro_usd for entry in entries)
        entries += [Entry(period=period, line=f"funding/{name}", section="funding", role="input",
                          cash_micro_usd=cash) for name, cash, _ in rounds]
        out_us = self._used_up(period, flow, rounds) if self.finance.has_cash else None
        self.cash += flow + sum(cash for _, cash, _ in rounds)
        self.credits += granted - drawn
        entries.append(Entry(
            period=period, line=BALANCE, section=BALANCE, role="computed", quantity=float(period.part),
            unit="month", cash_balance_micro_usd=self.cash if self.finance.has_cash else None,
            credits_balance_micro_usd=self.credits if self.finance.has_credits else None,
            prepaid_balance_micro_usd=self.prepaid, cash_out_us=out_us))
        return entries

    def _revenue(self, month: Month) -> Iterator[Entry]:
        streams = self.finance.revenue
        for name, stream in streams.items():
            amount = earned(streams, name, month.period, month.served)
            yield _entry(month.period, f"revenue/{name}", stream.section, stream.role, amount, 1)

    def _costs(self, month: Month) -> Iterator[Entry]:
        for name, cost in self.finance.costs.items():
            yield _entry(month.period, f"cost/{name}", cost.section, cost.role, spent(cost, month.period), -1)

    def compute(self, period: RecordedMonth, bills: Mapping[str, FleetBill]) -> Iterator[Entry]:
        """What the fleets' contracts charge."""
        for fleet, role in self.roles.items():
            bill = bills.get(fleet, FleetBill(0, 0))
            yield Entry(period=period, line=f"compute/{fleet}", section=COMPUTE[role], role="computed",
                        accrual_micro_usd=-bill.effective_micro_usd, cash_micro_usd=-bill.billed_micro_usd)

    def _rounds(self, period: RecordedMonth) -> list[tuple[str, int, int]]:
        """(name, cash, credits) of the rounds of the period, in order of date."""
        rounds = sorted((epoch_us(round_.date), name) for name, round_ in self.finance.funding.items())
        return [(name, *_split(self.finance.funding[name])) for date, name in rounds
                if period.start_us <= date < period.end_us]

    def _used_up(self, period: RecordedMonth, flow: int, rounds: list[tuple[str, int, int]]) -> int | None:
        """When cash is used up: everything but funding flows evenly over the period.

        A month that begins without cash and loses more is out of it from its start.
        """
        cash, at = Fraction(self.cash), period.start_us
        slope = Fraction(flow, period.length_us)
        steps = [(epoch_us(self.finance.funding[name].date), cash_in) for name, cash_in, _ in rounds]
        for until, received in [*steps, (period.end_us, 0)]:
            if until > at and slope < 0 and cash + slope * (until - at) <= 0:
                return at + -(-max(cash, Fraction(0)) // -slope)
            cash += slope * (until - at) + received
            at = until
        return None


def statement(finance: Finance, roles: Mapping[str, str], months: Iterable[Month]) -> list[Entry]:
    """Every line of every month, in order of time: a pure function of what was served and charged."""
    running = RunningStatement(finance, roles)
    return [entry for month in months for entry in running.close(month)]


def _entry(period: RecordedMonth, line: str, section: str, role: str, amount: Amount, sign: int) -> Entry:
    """A line whose cash flows in the month; rounded once, half-even."""
    micro = sign * round(amount.usd * MICRO)
    return Entry(period=period, line=line, section=section, role=role, accrual_micro_usd=micro,
                 cash_micro_usd=micro, quantity=amount.quantity, unit=amount.unit)


def _split(round_: Round) -> tuple[int, int]:
    """Cash and credits of a round; together they are the round."""
    whole = micro_usd(round_.usd)
    credit = round(whole * Fraction(round_.as_credits_frac))
    return whole - credit, credit
