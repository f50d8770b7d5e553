"""Cover: whether the contracts of a fleet bill all of its GPUs, as far as the file alone can say."""

from datetime import UTC, datetime, timedelta
from typing import Any

from fleetsim.ledger.order import Rank
from fleetsim.model.fleet import Fleet, Tranche
from fleetsim.spec.checks.horizon import shown
from fleetsim.spec.draft import Draft
from fleetsim.spec.scalar import number
from fleetsim.timebase import add_months

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


def check_cover(draft: Draft, name: str) -> None:
    """Warn of the first instant at which commitments cover less than the fleet certainly has.

    A contract that bills what is allocated covers all that the others leave.
    """
    fleet, horizon = draft.fleets[name], draft.horizon
    signed = [contract for contract in draft.of("contracts").values() if name in contract.fleets]
    if horizon is None or any(contract.bills == "allocated" for contract in signed if not is_pot(contract)):
        return
    signed = [contract for contract in signed if not is_pot(contract)]
    changes = {horizon.start, *(date for tranche in fleet.tranches for date in held(tranche)),
               *(date for contract in signed for date in _changes(contract, fleet))}
    for instant in sorted(date for date in changes if horizon.start <= date < horizon.end):
        has = sum(tranche.gpus for tranche in fleet.tranches if _within(instant, *held(tranche)))
        covered = min(has, sum(_covered(contract, fleet, instant, has) for contract in signed))
        if covered < has:
            message = (f"contracts cover {number(covered)} of the {number(has)} GPUs of fleet {name!r} "
                       f"on {shown(instant)}: the rest costs nothing")
            draft.warning("no-contract", ("fleets", name), message,
                          "add a contract for the rest, or a longer term", key=True)
            return


def held(tranche: Tranche) -> tuple[datetime, datetime]:
    """The first and last instant between which the fleet has the tranche however late or early it comes."""
    early, late = accepted(tranche)
    if tranche.end is not None:
        return late, tranche.end
    return late, _LAST if tranche.term_months is None else add_months(early, tranche.term_months)


def accepted(tranche: Tranche) -> tuple[datetime, datetime]:
    """The earliest and the latest acceptance."""
    low, high = (0.0, 0.0) if tranche.slip is None else (tranche.slip.low_days, tranche.slip.high_days)
    return tranche.date + timedelta(days=low), tranche.date + timedelta(days=high)


def own_term(contract: Any) -> tuple[datetime, datetime]:
    """Start and end of a contract, as far as it has its own; an early end counts."""
    start, end = contract.term
    return start or _FIRST, end or _LAST


def is_pot(contract: Any) -> bool:
    """Whether it bills no GPU-hours, but draws on what others charge."""
    return bool(contract.primitive().rank is Rank.POT)


def _changes(contract: Any, fleet: Fleet) -> list[datetime]:
    """When a contract may begin to cover less."""
    months = contract.tranche_months
    ends = [] if months is None else [add_months(accepted(each)[1], months) for each in fleet.tranches]
    return [own_term(contract)[1], *ends]


def _covered(contract: Any, fleet: Fleet, instant: datetime, has: int) -> int:
    """The most GPUs that a contract can cover then."""
    if not _within(instant, *own_term(contract)):
        return 0
    months = contract.tranche_months
    if months is not None:
        return sum(each.gpus for each in fleet.tranches if instant < add_months(accepted(each)[1], months))
    return has if contract.committed_gpus is None else int(contract.committed_gpus)


def _within(instant: datetime, start: datetime, end: datetime) -> bool:
    return start <= instant < end
