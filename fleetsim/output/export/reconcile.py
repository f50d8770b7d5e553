"""What an export adds up to, compared with the manifest before it is called done."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fleetsim.errors import UsageError

if TYPE_CHECKING:
    from fleetsim.output.run import Run

CENT = Decimal("0.01")


class Sums(NamedTuple):
    """Rows, and the two ledgers in dollars, as they were read back from what was written."""

    rows: int
    billed_usd: Decimal
    effective_usd: Decimal


def reconcile(run: "Run", found: Sums, path: Path) -> None:
    """UsageError when billed or effective dollars are not the manifest's, to the cent."""
    stated = run.manifest["totals"]
    for name in ("billed_usd", "effective_usd"):
        value, total = getattr(found, name), Decimal(stated[name])
        if value.quantize(CENT) != total.quantize(CENT):
            raise UsageError(f"{path} is not written: its {name} is {value}, the manifest of {run.path} says "
                             f"{total}; fleetsim verify tells whether the run is damaged")
