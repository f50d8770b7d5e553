"""Totals: what a portfolio is billed and costs over a block of hours, without the rows behind them.

To the micro-dollar what the pipeline's rows add up to, several times as fast: for searches that rate
thousands of portfolios on one usage. Reservations of a number of GPUs, spend commitments and plain price
lists are added up straight away; a portfolio with any other kind or a clause goes through the pipeline.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fleetsim.ledger.capacity import upfront_micro_usd
from fleetsim.ledger.claim import Window
from fleetsim.ledger.meter import Meter
from fleetsim.ledger.money import half_even, micro_usd_per_gpu_s
from fleetsim.ledger.periods import hour_of
from fleetsim.ledger.price import Price
from fleetsim.ledger.primitives import CapacityCommitment, RateCard, SpendCommitment
from fleetsim.ledger.rating import Biller
from fleetsim.ledger.spans import Span, accrued, spans_of
from fleetsim.ledger.spend import cover, plan_term, prepaid
from fleetsim.ledger.terms import Terms
from fleetsim.ledger.usage import HourlyUsage
from fleetsim.model.contract import Contract
from fleetsim.timebase import HOUR_S

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


class Total(NamedTuple):
    """What one contract is billed and costs."""

    billed_micro_usd: int
    effective_micro_usd: int


def totals(contracts: Mapping[str, Contract], usage: Sequence[HourlyUsage]) -> dict[str, Total]:
    """By contract: the sums of what `rate` charges for the same hours, which follow each other."""
    biller = Biller(contracts)
    if not usage or not len(usage[0].hour_us) or not all(map(_plain, biller.terms.values())):
        return _of_rows(biller, usage)
    meters = {metered.fleet: Meter.of(metered) for metered in usage}
    found = dict.fromkeys(contracts, Total(0, 0))
    for _, name in biller.in_order(meters):
        primitive = biller.terms[name].primitive
        if isinstance(primitive, CapacityCommitment):
            found[name] = _capacity(primitive, meters[primitive.fleet])
        elif isinstance(primitive, SpendCommitment):
            found[name] = _spend(primitive, meters)
        elif isinstance(primitive, RateCard):
            found[name] = _price_list(name, primitive, meters[primitive.fleet])
    return found


def _plain(terms: Terms) -> bool:
    """Whether a contract's totals follow without rows."""
    if terms.termination or terms.sla or terms.delay or terms.revenue_share:
        return False
    match terms.primitive:
        case CapacityCommitment(gpus=gpus, unusable_before_end_s=lost):
            return gpus is not None and not lost
        case RateCard(tiers=tiers, market=market, running=running, most_frac=most):
            return tiers is None and market is None and most is None and not running
        case SpendCommitment():
            return True
    return False


def _of_rows(biller: Biller, usage: Sequence[HourlyUsage]) -> dict[str, Total]:
    charges = biller.bill(usage).charges
    of_line, names = charges.text("contract")
    found = dict.fromkeys(biller.terms, Total(0, 0))
    for code, name in enumerate(names):
        mine = of_line == code
        found[name] = Total(sum(charges.billed_micro_usd[mine].tolist()),
                            sum(charges.effective_micro_usd[mine].tolist()))
    return found


def _capacity(terms: CapacityCommitment, meter: Meter) -> Total:
    assert terms.gpus is not None, "the plain ones have a number"
    assert terms.prices.own is not None, "and a price"
    seconds = meter.seconds_within(terms.start_s, terms.end_s)
    committed = terms.gpus * seconds
    meter.claim(committed, windows=[Window(terms.start_s, terms.end_s)])
    spans = spans_of(terms, ()) if terms.payment.ahead else []
    paid = [span._replace(micro_usd=upfront_micro_usd(span, terms)) for span in spans]
    own = terms.prices.own.scaled(1 - Fraction(terms.payment.upfront_frac))
    recurring = own.total(committed, meter.hour_s)
    return Total(recurring + _paid_within(paid, meter.hour_s),
                 recurring + _accrued_within(paid, meter.hour_s))


def _spend(terms: SpendCommitment, meters: Mapping[str, Meter]) -> Total:
    fleets = [fleet for fleet in terms.rates if fleet in meters]
    hour_s = meters[fleets[0]].hour_s
    seconds = meters[fleets[0]].seconds_within(terms.start_s, terms.end_s)
    span = plan_term(terms)
    ahead = Fraction(terms.payment.upfront_frac) if span else Fraction(0)
    parts = prepaid(terms, span, ahead) if span and ahead else []
    recurring = terms.usd_per_hour.scaled(1 - ahead).charge(seconds, hour_s)
    committed = recurring + accrued(parts, hour_s, terms.end_s) if parts else recurring
    most = _most_gpu_s(terms.rates[fleets[0]].own, committed) if len(fleets) == 1 else None
    windows = [Window(terms.start_s, terms.end_s)]
    if most is not None:
        demand = meters[fleets[0]].allocated
        meters[fleets[0]].claim_allocated(np.where(demand <= most[0], demand, most[1]), windows)
    else:
        for fleet, (covered, _) in cover(terms, fleets, meters, committed)[0].items():
            meters[fleet].claim_allocated(covered, windows)
    upfront = [span._replace(micro_usd=sum(part.owed for part in parts))] if span else []
    return Total(int(recurring.sum()) + _paid_within(upfront, hour_s), int(committed.sum()))


def _most_gpu_s(own: Price, committed: "Int64") -> tuple[int, int] | None:
    """The GPU-seconds up to which all is covered, and those that are where it is not.

    None unless the price and the dollars are the same in every hour. All is covered up to the quantity
    whose rounded price is within the dollars, which can be a little more than they buy.
    """
    dollars, price = int(committed[0]), micro_usd_per_gpu_s(own.first)
    if len(own.steps) > 1 or not price or dollars != int(committed.min()) or dollars != int(committed.max()):
        return None
    most = Fraction(2 * dollars + 1, 2) / price
    tie_goes_up = most.denominator == 1 and dollars % 2 == 1
    return int(most) - tie_goes_up, int(dollars / price)


def _price_list(name: str, terms: RateCard, meter: Meter) -> Total:
    assert terms.prices.own is not None, "a price list has a price"
    within = meter.claim_allocated(meter.left_within(terms.start_s, terms.end_s),
                                   [Window(terms.start_s, terms.end_s)])
    taken = within + meter.claim_elastic(name, terms.start_s, terms.end_s)
    due = terms.prices.own.total(taken, meter.hour_s)
    return Total(due, due)


def _paid_within(paid: Sequence[Span], hour_s: "Int64") -> int:
    """What is paid ahead in the block."""
    return sum(span.owed for span in paid if hour_of(span.start_s, hour_s) is not None)


def _accrued_within(paid: Sequence[Span], hour_s: "Int64") -> int:
    """What the block's hours cost of what was paid ahead: the ends of `accrued`."""
    first, last, cost = int(hour_s[0]), int(hour_s[-1]) + HOUR_S, 0
    for span in paid:
        whole = span.end_s - span.start_s
        reached = (half_even(span.owed * min(max(at - span.start_s, 0), whole), whole)
                   for at in (last, first))
        cost += next(reached) - next(reached)
    return cost
