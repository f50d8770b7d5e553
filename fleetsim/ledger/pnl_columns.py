"""Lines of the statement as columns of `fact_pnl_monthly`; money is int64 micro-dollars."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from fleetsim.ledger.statement import Entry
from fleetsim.timebase import EPOCH


def pnl_columns(entries: Sequence[Entry]) -> dict[str, Any]:
    """One row per line and month, in their order."""
    def amounts(name: str) -> Any:
        values = [getattr(entry, name) for entry in entries]
        return np.ma.masked_array(np.array([value or 0 for value in values], dtype=np.int64),
                                  mask=[value is None for value in values])

    return {
        "month": [entry.period.month.date() for entry in entries],
        "line": [entry.line for entry in entries],
        "section": [entry.section for entry in entries],
        "role": [entry.role for entry in entries],
        "accrual_usd": amounts("accrual_micro_usd"),
        "cash_usd": amounts("cash_micro_usd"),
        "quantity": [entry.quantity for entry in entries],
        "unit": [entry.unit or None for entry in entries],
        "cash_balance_usd": amounts("cash_balance_micro_usd"),
        "credits_balance_usd": amounts("credits_balance_micro_usd"),
        "prepaid_balance_usd": amounts("prepaid_balance_micro_usd"),
        "cash_out_time": [None if entry.cash_out_us is None
                          else EPOCH + timedelta(microseconds=entry.cash_out_us) for entry in entries],
    }
