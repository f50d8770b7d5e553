"""A variance table as text: plan beside actual by month, the total of what can be compared last."""

from collections.abc import Mapping
from typing import Any

from fleetsim.report.numbers import signed_percent, usd
from fleetsim.report.table import BAD, GOOD, QUIET, Cell, Table, render


def variance_text(data: Mapping[str, Any], *, width: int = 100, terminal: bool = False) -> str:
    """One table per amount (billed, effective), then what was left out."""
    parts: list[Table | str] = []
    for total in data["totals"]:
        rows = [row for row in data["rows"] if row["amount"] == total["amount"]]
        table = Table(f"Simulated and actual, {total['amount'].removesuffix('_usd')}",
                      ["Month", *data["keys"], "|simulated", "|actual", "|difference", "|in %"], totals=1)
        for row in [*rows, total]:
            simulated, actual, difference = (None if row[name] is None else float(row[name]) for name in
                                             ("simulated_usd", "actual_usd", "difference_usd"))
            style = QUIET if not difference else BAD if difference > 0 else GOOD
            table.rows.append([row["month"], *(row.get(key, "") if row is not total else ""
                                               for key in data["keys"]),
                               usd(simulated), usd(actual), Cell(usd(difference), style),
                               Cell(signed_percent(row["difference_frac"]), style)])
        parts.append(table)
    parts += [f"* {note}." for note in data["notes"]]
    return render(parts, width=width, terminal=terminal)
