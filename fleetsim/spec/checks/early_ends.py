"""Early ends of contracts: inside the term, and with something that a fee or a refund can be a share of."""

from datetime import datetime
from typing import Any

from fleetsim.ledger.primitives import CapacityCommitment, Minimum, Pot, SpendCommitment
from fleetsim.spec.checks.horizon import shown
from fleetsim.spec.draft import Draft
from fleetsim.timebase import add_months, instant_of


def check_termination(draft: Draft, name: str, contract: Any) -> None:
    """An early end lies inside the term and after the minimum term; fee and refund are of something."""
    ended = contract.termination
    if ended is None:
        return
    start = contract.term[0] or _first_tranche(draft, contract)
    last = _end(contract)
    path = ("contracts", name, "termination", "date")
    if start is not None and ended.date <= start:
        draft.error("ends-early", path, f"ended on {shown(ended.date)}, before its start {shown(start)}")
    elif last is not None and ended.date >= last:
        message = f"ended on {shown(ended.date)}; it ends by itself on {shown(last)}"
        draft.error("ends-early", path, message, "choose an earlier date, or remove termination")
    elif start is not None and ended.minimum_term_months is not None:
        first = add_months(start, ended.minimum_term_months)
        if ended.date < first:
            message = f"ended on {shown(ended.date)}, inside its minimum term, which lasts to {shown(first)}"
            draft.error("ends-early", path, message, "choose a later date")
    if ended.fee_frac and (why := _owes_nothing(draft, contract)):
        draft.error("nothing-owed", (*path[:-1], "fee_frac"),
                    f"the fee is a share of what is still owed: {why}", "remove fee_frac")
    if ended.refund_frac and not _prepaid(contract):
        draft.error("nothing-owed", (*path[:-1], "refund_frac"),
                    "a share of what was paid ahead comes back: nothing is paid ahead", "remove refund_frac")


def _owes_nothing(draft: Draft, contract: Any) -> str:
    """Why no payment is due after an early end; empty when some is."""
    match contract.primitive():
        case CapacityCommitment(gpus=None, term_months=None, end_s=None) | Minimum(
                gpus=None, term_months=None, end_s=None):
            fleets = [draft.fleets[fleet] for fleet in contract.fleets if fleet in draft.fleets]
            ends = [tranche.promised_end for fleet in fleets for tranche in fleet.tranches]
            return "" if any(ends) or not fleets else "it has no end, and its tranches have none"
        case CapacityCommitment(term_months=None, end_s=None) | Minimum(term_months=None, end_s=None):
            return "it has no end"
        case SpendCommitment(end_s=None):
            return "it has no end"
        case Pot(prepaid=True, end_s=end_s, period_months=months) if end_s is None or months is None:
            return "no period is bought after it"
        case CapacityCommitment() | Minimum() | SpendCommitment() | Pot():
            return ""
    return "it bills what is used and commits nothing"


def _prepaid(contract: Any) -> bool:
    match contract.primitive():
        case CapacityCommitment(payment=payment) | SpendCommitment(payment=payment):
            return payment.ahead
        case Pot(prepaid=prepaid):
            return prepaid
    return False


def _end(contract: Any) -> datetime | None:
    """When it ends by itself, as far as it has an end of its own."""
    match contract.primitive():
        case CapacityCommitment(end_s=int(end_s)) | Minimum(end_s=int(end_s)) | SpendCommitment(
                end_s=int(end_s)) | Pot(end_s=int(end_s)):
            return instant_of(end_s)
    return None


def _first_tranche(draft: Draft, contract: Any) -> datetime | None:
    """When the first GPUs of its fleets are promised, which is where a term begins that has no start."""
    return min((tranche.date for fleet in contract.fleets if fleet in draft.fleets
                for tranche in draft.fleets[fleet].tranches), default=None)
