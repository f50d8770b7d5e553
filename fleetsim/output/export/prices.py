"""Unit prices: the shortest decimal that gives an amount back when it is multiplied by its quantity."""

from decimal import Decimal

PLACES = Decimal("0.000000000001")
"""FOCUS amounts have twelve decimals."""
IDENTITY_FRAC = Decimal("5e-10")
"""Half of the relative error, or absolute one below a dollar, that FOCUS readers allow: 1e-9."""


def fixed(value: Decimal) -> Decimal:
    """Twelve decimals."""
    return value.quantize(PLACES)


def usd(micro_usd: int) -> Decimal:
    """Micro-dollars as dollars, exact."""
    return Decimal(micro_usd).scaleb(-6)


def hours(gpu_s: int) -> Decimal:
    """GPU-seconds as GPU-hours."""
    return fixed(Decimal(gpu_s) / 3_600)


def unit_price(cost: Decimal, quantity: Decimal) -> Decimal:
    """Cost / quantity with as few decimals as the identity price x quantity = cost needs.

    The ledger rounds each hour to a micro-dollar, which would show as digits that no price list has.
    ValueError when there is a cost and no quantity.
    """
    if not quantity:
        if cost:
            raise ValueError(f"a cost of {cost} has no quantity")
        return Decimal(0)
    exact, allowed = cost / quantity, IDENTITY_FRAC * max(abs(cost), Decimal(1))
    for digits in (2, 4, 6, 9):
        price = round(exact, digits)
        if abs(price * quantity - cost) <= allowed:
            return price
    return fixed(exact)


def as_text(price: Decimal) -> str:
    """A price without trailing zeros."""
    return format(price.normalize(), "f")
