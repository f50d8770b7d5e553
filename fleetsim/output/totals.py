"""Totals of a run, to reconcile: summed on the way to the files, stated by the manifest."""

from typing import Any

import numpy as np

from fleetsim.output.encode import Columns
from fleetsim.output.table import MONEY
from fleetsim.output.tables import TABLES


class Totals:
    """What was written, summed on its way to the files: the manifest states it, the files must agree."""

    def __init__(self) -> None:
        self.micro_usd: dict[str, int] = dict.fromkeys(TABLES["fact_cost_hourly"].names_of(MONEY), 0)
        self.rented_gpu_hours = 0.0

    def add(self, table: str, columns: Columns) -> None:
        """Count a block."""
        if table == "fact_cost_hourly":
            for name in self.micro_usd:
                if name in columns:
                    self.micro_usd[name] += exact_sum(columns[name])
        elif table == "fact_capacity_hourly" and "rented_gpu_hours" in columns:
            self.rented_gpu_hours += float(np.sum(columns["rented_gpu_hours"]))

    def as_strings(self, rows: int) -> dict[str, str]:
        """Rows of all tables, dollars with six decimals, GPU-hours: decimal strings."""
        totals = {name: micro_as_usd(value) for name, value in sorted(self.micro_usd.items())}
        return {"rows": str(rows), **totals, "rented_gpu_hours": f"{self.rented_gpu_hours:.3f}"}


def exact_sum(values: Any) -> int:
    """The sum of int64 values as a Python int, right also beyond 2^63."""
    data = np.asarray(values, dtype=np.int64)
    return (int(np.sum(data >> 32)) << 32) + int(np.sum(data & 0xFFFFFFFF))


def micro_as_usd(micro_usd: int) -> str:
    """Micro-dollars as dollars with six decimals: -1 is `-0.000001`."""
    whole, rest = divmod(abs(micro_usd), 1_000_000)
    return f"{'-' if micro_usd < 0 else ''}{whole}.{rest:06d}"
