"""What each fleet is charged in a month, exactly."""

import numpy as np

from fleetsim.ledger.charges import Charges
from fleetsim.ledger.recorded_month import Period
from fleetsim.ledger.statement import Bill


def bills(charges: Charges, period: Period) -> dict[str, Bill]:
    """What each fleet is charged in a period, exactly."""
    rows = slice(*np.searchsorted(charges.hour_us, [period.start_us, period.end_us]).tolist())
    codes, fleets = charges.text("fleet")
    here = codes[rows]
    found = {}
    for code, fleet in enumerate(fleets):
        own = here == code
        found[fleet] = Bill(int(charges.effective_micro_usd[rows][own].sum()),
                            int(charges.billed_micro_usd[rows][own].sum()))
    return found
