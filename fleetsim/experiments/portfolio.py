"""The portfolio that was chosen: its contracts, what it costs, and how sure it is that nothing is cheaper."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from fleetsim.experiments.chosen import Chosen
from fleetsim.experiments.contract_source import contract_source
from fleetsim.experiments.merit_order import MeritRange
from fleetsim.ledger.contracts import Agreement


@dataclass(frozen=True, kw_only=True)
class Portfolio:
    """The cheapest mix that was found."""

    run: str
    """Path of the run."""
    fleet: str
    end: str
    """Where the run's horizon ends."""
    hours: int
    required_gpu_hours: float
    peak_gpus: float
    chosen: tuple[Chosen, ...]
    contracts: Mapping[str, Agreement]
    discount_frac_per_year: float
    budget_upfront_usd: float | None
    spot_max_frac: float
    solver_usd: float
    """The objective by the solver, at its answer."""
    solver_gap_frac: float
    """The solver's own: between its answer and its bound."""
    bound_usd: float
    """No portfolio of orders on `order_dates` costs less."""
    order_dates: tuple[str, ...]
    """When an order could be signed: what the bound holds for."""
    solver_ledger_usd: float
    """The objective by the ledger, at the solver's answer."""
    ledger_usd: float
    """The objective by the ledger, at the answer that was chosen."""
    portfolios_rated: int
    """Portfolios that the ledger rated on the way."""
    without_commitments_usd: float | None
    """The objective with price lists alone; None where they do not meet demand."""
    merit_order: tuple[MeritRange, ...]
    notes: tuple[str, ...] = ()

    @property
    def gap_frac(self) -> float:
        """How much cheaper than the answer anything could be, as a share of it."""
        return max(0.0, self.ledger_usd - self.bound_usd) / self.ledger_usd if self.ledger_usd else 0.0

    @property
    def difference_usd(self) -> float:
        """Ledger less solver, for the solver's answer: what the order of application makes."""
        return self.solver_ledger_usd - self.solver_usd

    @property
    def effective_usd(self) -> float:
        """Effective cost over the horizon."""
        return sum(each.effective_usd for each in self.chosen)

    @property
    def billed_usd(self) -> float:
        """Cash over the horizon."""
        return sum(each.billed_usd for each in self.chosen)

    @property
    def upfront_usd(self) -> float:
        """Cash paid ahead."""
        return sum(each.upfront_usd for each in self.chosen)

    @property
    def remaining_usd(self) -> float:
        """Payments due after the horizon."""
        return sum(each.remaining_usd for each in self.chosen)

    @property
    def waste_usd(self) -> float:
        """Paid for and not used."""
        return sum(each.waste_usd for each in self.chosen)

    @property
    def coverage_frac(self) -> float:
        """Required GPU-hours that commitments served."""
        served = sum(each.gpu_hours for each in self.chosen if each.gpus is not None)
        return served / self.required_gpu_hours if self.required_gpu_hours else 0.0

    @property
    def utilisation_frac(self) -> float | None:
        """Used share of what the commitments cost; None without any."""
        cost = sum(each.effective_usd for each in self.chosen if each.gpus is not None)
        waste = sum(each.waste_usd for each in self.chosen if each.gpus is not None)
        return None if not cost else 1 - waste / cost

    @property
    def cautions(self) -> tuple[str, ...]:
        """Per contract that outlives the run: what the time after it costs, which the objective has not."""
        return tuple(
            f"{each.contract} runs to {each.end[:10]} and the run ends on {self.end[:10]}: "
            f"${each.remaining_usd:,.0f} fall due after it"
            + (f", ${each.prepaid_usd:,.0f} are paid ahead for the time after it" if each.prepaid_usd else "")
            + "; not in the cost above"
            for each in self.chosen if each.end is not None and each.end > self.end
            and (each.remaining_usd or each.prepaid_usd))

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        own = {field.name: getattr(self, field.name) for field in fields(self)
               if field.name not in ("contracts", "chosen", "merit_order")}
        computed = ("gap_frac", "difference_usd", "effective_usd", "billed_usd", "upfront_usd",
                    "remaining_usd", "waste_usd", "coverage_frac", "utilisation_frac", "cautions")
        return {
            **own, **{name: getattr(self, name) for name in computed},
            "chosen": [vars(each) for each in self.chosen],
            "merit_order": [vars(each) for each in self.merit_order],
            "contracts": self.source()["contracts"],
        }

    def source(self) -> dict[str, Any]:
        """A contract file's data: what `rebill` and `compare` take."""
        return {"fleetsim": 1, "name": "portfolio",
                "contracts": {name: contract_source(contract) for name, contract in self.contracts.items()}}

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the contract file."""
        from fleetsim.spec import dump

        Path(path).write_text(dump(self.source()), encoding="utf-8")
