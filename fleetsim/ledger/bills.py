"""What each fleet is charged in a month, exactly."""

import numpy as np

from fleetsim.ledger.charges import Charges
from fleetsim.ledger.recorded_month import RecordedMonth
from fleetsim.ledger.statement import FleetBill


def bills(charges: Charges, period: RecordedMonth) -> dict[str, FleetBill]:
    """What each fleet is charged in a period, exactly."""
    rows = slice(*np.searchsorted(charges.hour_us, [period.start_us, period.end_us]).tolist())
    codes, fleets = charges.text("fleet")
    here = codes[rows]
    found = {}
    for code, fleet in enumerate(fleets):
        own = here == code
        found[fleet] = FleetBill(int(charges.effective_micro_usd[rows][own].sum()),
                            int(charges.billed_micro_usd[rows][own].sum()))
    return found
