"""Contracts and offers: every GPU-hour is billed by one contract, and offers can still be signed."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from fleetsim.ledger.order import Rank
from fleetsim.ledger.primitives import SpendCommitment
from fleetsim.spec.checks.cover import is_pot, own_term
from fleetsim.spec.checks.early_ends import check_termination
from fleetsim.spec.checks.fleets import most_gpus, span
from fleetsim.spec.checks.horizon import shown
from fleetsim.spec.checks.prices import check_prices
from fleetsim.spec.draft import Draft
from fleetsim.spec.scalar import number


def check_contracts(draft: Draft) -> None:
    by_fleet: dict[str, list[str]] = defaultdict(list)
    for name, contract in draft.of("contracts").items():
        _check_term(draft, name, contract)
        check_termination(draft, name, contract)
        check_prices(draft, name, contract)
        if not is_pot(contract):
            for fleet in contract.fleets:
                by_fleet[fleet].append(name)
    for fleet, names in by_fleet.items():
        if fleet in draft.fleets:
            _check_cover(draft, fleet, names)
    _check_spend(draft)


def _check_term(draft: Draft, name: str, contract: Any) -> None:
    start, end = _term(draft, contract)
    if draft.horizon is not None and start >= end:
        message = f"its term lies outside the horizon {span(draft.horizon.start, draft.horizon.end)}"
        draft.warning("never-acts", ("contracts", name), message, key=True)


def _term(draft: Draft, contract: Any) -> tuple[datetime, datetime]:
    """The part of a contract's term that lies in the horizon; it ends before it starts when none does."""
    start, end = own_term(contract)
    if draft.horizon is None:
        return start, end
    return max(start, draft.horizon.start), min(end, draft.horizon.end)


def _check_cover(draft: Draft, fleet: str, names: list[str]) -> None:
    """No GPU of a fleet may be billed by two commitments, nor its free use by two price lists."""
    contracts = draft.of("contracts")
    elastic = draft.fleets[fleet].elastic
    metered = [name for name in names if contracts[name].primitive().rank is Rank.PRICE_LIST
               and contracts[name].primitive().most_frac is None
               and not (elastic and elastic.contract == name)]
    for position, name in enumerate(metered):
        first, last = _term(draft, contracts[name])
        for other in metered[:position]:
            start, end = _term(draft, contracts[other])
            if max(first, start) < min(last, end):
                message = f"contract {other!r} bills the same GPU-hours of fleet {fleet!r}"
                draft.error("covered-twice", ("contracts", name), message, "remove one of the two", key=True)
                break
    has = most_gpus(draft.fleets[fleet], draft)
    committed = [name for name in names if contracts[name].bills == "committed"]
    for position, name in enumerate(committed):
        own = contracts[name].committed_gpus
        if own is not None and own > has:
            message = f"reserves {number(own)} GPUs; fleet {fleet!r} never has more than {number(has)}"
            draft.error("more-gpus-than-fleet", ("contracts", name, "gpus"), message,
                        f"reserve at most {number(has)}, or add a tranche to the fleet")
        else:
            _check_together(draft, fleet, has, name, committed[:position])


def _check_spend(draft: Draft) -> None:
    """A commitment in dollars an hour that all GPUs together cannot use."""
    for name, contract in draft.of("contracts").items():
        primitive = contract.primitive()
        if not isinstance(primitive, SpendCommitment) or not all(
                fleet in draft.fleets for fleet in primitive.rates):
            continue
        committed = float(primitive.usd_per_hour.first)
        usable = sum(float(rate.own.first) * most_gpus(draft.fleets[fleet], draft)
                     for fleet, rate in primitive.rates.items())
        if committed > usable:
            message = (f"commits ${number(committed)} an hour; all GPUs of its fleets cost "
                       f"${number(usable)} an hour under the plan")
            key = "usd_per_hour" if contract.usd_per_hour is not None else "on_demand_usd_per_hour"
            draft.error("more-gpus-than-fleet", ("contracts", name, key), message, "commit less")


def _check_together(draft: Draft, fleet: str, has: int, name: str, earlier: list[str]) -> None:
    """At every start of a term, the commitments that hold then cover no more GPUs than there are."""
    contracts = draft.of("contracts")
    start, end = _term(draft, contracts[name])
    terms = {other: _term(draft, contracts[other]) for other in earlier}
    starts = {start, *(first for first, _ in terms.values())}
    for instant in sorted(date for date in starts if start <= date < end):
        held = [other for other, (first, last) in terms.items() if first <= instant < last]
        gpus = [contracts[other].committed_gpus for other in [*held, name]]
        covered = sum(has if count is None else count for count in gpus)
        if held and covered > has:
            noun = "contract" if len(held) == 1 else "contracts"
            listed = " and ".join(repr(other) for other in held)
            message = (
                f"{noun} {listed} and this one cover {number(covered)} GPUs of fleet {fleet!r}, "
                f"which has {number(has)}"
            )
            hint = "limit them by gpus, start or end"
            draft.error("covered-twice", ("contracts", name), message, hint, key=True)
            return


def check_offers(draft: Draft) -> None:
    for name, offer in draft.offers.items():
        if draft.horizon is not None and offer.expires is not None and offer.expires < draft.horizon.start:
            message = (
                f"expired on {shown(offer.expires)}, before the horizon starts {shown(draft.horizon.start)}"
            )
            draft.warning("never-acts", ("offers", name, "expires"), message)
