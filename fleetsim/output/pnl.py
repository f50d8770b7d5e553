"""The P&L of a run over a window, from `fact_pnl_monthly`."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from fleetsim.ledger.runway import Runway, extrapolated
from fleetsim.model.scenario import Scenario
from fleetsim.output.window import Window
from fleetsim.timebase import add_months, epoch_us

COST_SECTIONS = ("inference", "training", "staff", "data", "other")
"""The sections that cost something."""
RECENT = 3
"""Months whose mean burn goes on beyond the run."""


@dataclass(frozen=True)
class PnlMonth:
    """One month: accrual and cash by line, and the balance."""

    start: Any
    part: float
    """Recorded part of the calendar month."""
    sections: dict[str, str]
    """By line, as all that follows."""
    roles: dict[str, str]
    accrual: dict[str, Decimal]
    cash: dict[str, Decimal]
    cash_balance: Decimal | None
    credits_balance: Decimal | None
    prepaid_balance: Decimal | None
    cash_out_us: int | None

    def of(self, amounts: dict[str, Decimal], *sections: str) -> Decimal:
        """The sum of the lines of some sections, or of all."""
        return sum((usd for line, usd in amounts.items() if not sections or self.sections[line] in sections),
                   start=Decimal(0))

    @property
    def end_us(self) -> int:
        """When its recorded part ends, microseconds since 1970."""
        first = self.start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return epoch_us(self.start) + round(self.part * (epoch_us(add_months(first, 1)) - epoch_us(first)))

    @property
    def revenue_usd(self) -> float:
        """Revenue, a part of a month in proportion for the whole."""
        return float(self.of(self.accrual, "revenue")) / self.part

    @property
    def burn_usd(self) -> float:
        """Cash that goes, funding aside."""
        return float(self.of(self.cash, "funding") - self.of(self.cash))


class Pnl:
    """The months that begin in a window; the recording's first one begins where recording does."""

    def __init__(self, months: Sequence[PnlMonth]) -> None:
        self.months = months

    @classmethod
    def of(cls, connection: Any, window: Window) -> "Pnl":
        """Read the months of a window."""
        rows = connection.execute(f"""
            with lines as (
                select *, greatest(month::timestamptz, (select min(recorded_from) from dim_run)) as start
                from fact_pnl_monthly)
            select start, line::varchar, section::varchar, role::varchar, accrual_usd, cash_usd, quantity,
                   cash_balance_usd, credits_balance_usd, prepaid_balance_usd, epoch_us(cash_out_time)
            from lines where {Window(window.start, window.end).sql("start")} order by start""").fetchall()
        found: dict[Any, list[Any]] = {}
        for row in rows:
            found.setdefault(row[0], []).append(row[1:])
        return cls([_month(start, lines) for start, lines in found.items()])

    def accrual_usd(self, *sections: str) -> float:
        """Accrual of some sections, or of all."""
        return float(self.total(False, *sections))

    def line_usd(self, line: str) -> float:
        """Accrual of one line."""
        return float(sum((month.accrual.get(line, Decimal(0)) for month in self.months), start=Decimal(0)))

    @property
    def last_revenue_usd(self) -> float | None:
        """Revenue of the last month."""
        return self.months[-1].revenue_usd if self.months else None

    @property
    def growth_ratio(self) -> float | None:
        """Last / first month's revenue, raised to what it would be in twelve months."""
        between = len(self.months) - 1
        first = self.months[0].revenue_usd if self.months else 0.0
        last = self.last_revenue_usd or 0.0
        return float((last / first) ** (12 / between)) if between > 0 and first > 0 and last > 0 else None

    def burn_usd_per_month(self, recent: int | None = None) -> float | None:
        """Mean burn of the last months, or of all."""
        return self._mean([month.burn_usd for month in self.months], recent)

    def _mean(self, amounts: Sequence[float], recent: int | None) -> float | None:
        """Amounts of the last months, or of all, per whole month."""
        months = self.months[-recent:] if recent else self.months
        return sum(amounts[-len(months):]) / sum(month.part for month in months) if months else None

    @property
    def cash_usd(self) -> float | None:
        """Cash at the end of the last month."""
        balance = self.months[-1].cash_balance if self.months else None
        return None if balance is None else float(balance)

    @property
    def credits_usd(self) -> float | None:
        """Credits left at the end of the last month."""
        balance = self.months[-1].credits_balance if self.months else None
        return None if balance is None else float(balance)

    @property
    def prepaid_usd(self) -> float | None:
        """Paid for compute and not used up at the end of the last month."""
        balance = self.months[-1].prepaid_balance if self.months else None
        return None if balance is None else float(balance)

    def total(self, cash: bool, *sections: str) -> Decimal:
        """The exact sum of some sections, or of all, accrual or cash."""
        return sum((month.of(month.cash if cash else month.accrual, *sections) for month in self.months),
                   start=Decimal(0))

    @cached_property
    def runway(self) -> Runway:
        """When cash is used up: within these months, or after them at the burn of the last three."""
        if self.cash_usd is None:
            return Runway(None, None)
        for month in self.months:
            if month.cash_out_us is not None:
                return Runway(month.cash_out_us, "recorded")
        drawn = [float(month.of(month.cash, "credits")) for month in self.months]
        return extrapolated(self.months[-1].end_us, self.cash_usd, self.credits_usd or 0.0,
                            self.burn_usd_per_month(RECENT) or 0.0, self._mean(drawn, RECENT) or 0.0)


def pnl_summary(scenario: Scenario, pnl: Pnl) -> dict[str, Any]:
    """The P&L of a run for its summary: lines and totals with the figures that say the same."""
    lines: dict[str, dict[str, Any]] = {}
    for month in pnl.months:
        for line, section in month.sections.items():
            entry = lines.setdefault(line, {"section": section, "role": month.roles[line],
                                            "accrual": Decimal(0), "cash": Decimal(0)})
            entry["accrual"] += month.accrual[line]
            entry["cash"] += month.cash[line]
    totals = {"revenue": ("revenue",), "cost": COST_SECTIONS, "result": ("revenue", *COST_SECTIONS)}
    roles = {name: "computed" if any(entry["role"] == "computed" for entry in lines.values()
                                     if entry["section"] in sections) else "input"
             for name, sections in totals.items()}
    figures = {"revenue": ["finance.revenue_usd"], "cost": ["finance.cost_usd"],
               "result": ["finance.net_result_usd", "finance.net_loss_usd"]}
    return {
        "lines": [{"line": line, "section": entry["section"], "role": entry["role"],
                   "accrual_usd": str(entry["accrual"]), "cash_usd": str(entry["cash"]),
                   "figures": _figures_of(scenario, line)} for line, entry in lines.items()],
        "totals": {name: {"role": roles[name], "accrual_usd": str(pnl.total(False, *sections)),
                          "cash_usd": str(pnl.total(True, *sections)), "figures": figures[name]}
                   for name, sections in totals.items()},
        "runway_basis": pnl.runway.basis,
        "facts_of_the_run": [name for name, fact in scenario.published.items()
                             if (fact.start, fact.end, fact.days) == (None, None, "all")],
    }


def _figures_of(scenario: Scenario, line: str) -> list[str]:
    """The figures that are a line of the P&L, or minus it."""
    kind, _, name = line.partition("/")
    if kind != "compute":
        return [f"finance.{kind}.{name}_usd"] if kind in ("revenue", "cost") else []
    role = scenario.fleets[name].role
    alone = sum(fleet.role == role for fleet in scenario.fleets.values()) == 1
    whole = "cost.inference_usd" if role == "serving" else "cost.training_usd"
    return [f"fleets.{name}.cost_usd", *([whole] if alone else [])]


def _month(start: Any, rows: list[Any]) -> PnlMonth:
    """A month from its lines; the balance is one of them."""
    lines = {line: rest for line, *rest in rows}
    _, _, _, _, part, cash, credits_left, prepaid, out_us = lines.pop("balance")
    sections, roles, accrual, paid = [{line: rest[place] for line, rest in lines.items()}
                                      for place in range(4)]
    return PnlMonth(start, part, sections, roles, accrual, paid, cash, credits_left, prepaid, out_us)
