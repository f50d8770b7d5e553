"""Pots: whose invoices they pay, and how much of them was drawn before recording begins."""

from datetime import timedelta
from typing import Any

from fleetsim.ledger.primitives import Pot
from fleetsim.spec.checks.horizon import shown
from fleetsim.spec.draft import Draft


def check_pots(draft: Draft) -> None:
    for name, contract in draft.of("contracts").items():
        if isinstance(contract.primitive(), Pot):
            _check_providers(draft, name, contract)
            _check_counted(draft, name, contract)
            _check_start(draft, name, contract)


def _check_providers(draft: Draft, name: str, pot: Any) -> None:
    """What is paid to one provider pays no invoice of another."""
    first: tuple[str, str] | None = None
    for index, fleet in enumerate(pot.fleets):
        if fleet not in draft.fleets:
            continue
        provider = draft.fleets[fleet].provider
        if first is None:
            first = fleet, provider
        elif provider != first[1]:
            message = f"fleet {fleet!r} is rented from {provider!r}, fleet {first[0]!r} from {first[1]!r}"
            draft.error("pot-of-two-providers", ("contracts", name, "fleets", index), message,
                        "write a contract for each provider")
            return


def _check_counted(draft: Draft, name: str, pot: Any) -> None:
    """Contracts that it names bill one of its fleets."""
    for index, counted in enumerate(pot.contracts):
        other = draft.of("contracts").get(counted)
        if other is not None and not set(other.fleets) & set(pot.fleets):
            message = f"contract {counted!r} bills none of its fleets: nothing of it counts"
            draft.warning("never-acts", ("contracts", name, "contracts", index), message)


def _check_start(draft: Draft, name: str, pot: Any) -> None:
    """What is open when recording begins has a history, which the file has to tell."""
    horizon = draft.horizon
    if horizon is None:
        return
    recorded = horizon.start + timedelta(days=horizon.warmup_days)
    begins_before = pot.start < recorded
    if begins_before and pot.drawn_before_usd is None:
        message = f"starts on {shown(pot.start)}, before recording begins on {shown(recorded)}"
        draft.error("drawn-before", ("contracts", name, "start"), message,
                    "say how much is gone by then: drawn_before_usd: 0, or more")
    elif pot.drawn_before_usd and not begins_before:
        message = (f"starts on {shown(pot.start)}: nothing is drawn before recording begins on "
                   f"{shown(recorded)}")
        draft.error("drawn-before", ("contracts", name, "drawn_before_usd"), message, "leave it out")
