"""A price and the clauses that move it."""

from decimal import Decimal

from fleetsim.ledger.contracts.escalator import Escalator
from fleetsim.ledger.contracts.most_favoured import MostFavoured
from fleetsim.ledger.price import Price, next_hour
from fleetsim.timebase import epoch_s


def moved(price: Price, escalator: Escalator | None, most_favoured: MostFavoured | None) -> Price:
    """The steps of a price in order of time; at one instant a step, a rise, a reset."""
    if escalator is None and most_favoured is None:
        return price
    changes: list[tuple[int, int, Decimal]] = [(second, 0, value) for second, value in price.steps]
    if escalator is not None:
        changes += [(epoch_s(date), 1, factor) for date, factor in escalator.rises()]
    if most_favoured is not None:
        changes += [(epoch_s(date), 2, market) for date, market in most_favoured.resets()]
    held, risen = price.first, Decimal(1)
    steps = {min(changes)[0] - 1: held}  # what holds before the first change
    for second, what, value in sorted(changes):
        if what == 0:
            held = value * risen
        elif what == 1:
            risen, held = risen * value, held * value
        else:
            held = min(held, value)
        steps[next_hour(second)] = _to_a_billionth(held)
    kept: list[tuple[int, Decimal]] = []
    for second, value in steps.items():
        if not kept or kept[-1][1] != value:
            kept.append((second, value))
    return Price(tuple(kept))


def _to_a_billionth(price: Decimal) -> Decimal:
    """Nine decimals; a price that has risen beyond all bounds after decades keeps its 28 digits."""
    return (price.quantize(Decimal("0.000000001")) if price < 10**15 else price).normalize()
