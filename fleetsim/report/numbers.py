"""Numbers as a person reads them: 290,012 GPUs, $3.997B, 82.9 %."""

import math
from datetime import datetime

from fleetsim.model.figure import NEVER

MISSING = "-"
UNSEEN = 5e-5
"""As a share: half of the last digit of an amount."""


def count(value: float | None, digits: int = 0) -> str:
    """A number with thousands separators: 290,012."""
    if value is None:
        return MISSING
    text = f"{value:,.{digits}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def counted(count: int, singular: str, plural: str = "") -> str:
    """`1 fleet`, `2 fleets`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def count_up(value: float | None) -> str:
    """What is needed, in whole things: 5.43 GPUs are 6. A last digit of a float's noise asks for no more."""
    return count(None if value is None else math.ceil(value * (1 - 1e-9)))


def short(value: float | None) -> str:
    """A large number in four significant digits: 1.003B, 450.9M, 12,345."""
    if value is None:
        return MISSING
    for limit, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if abs(value) >= limit * 0.99995:
            return significant(value / limit, 4) + unit
    return count(value) if abs(value) >= 100 or value == 0 else significant(value, 4)


def significant(value: float, digits: int) -> str:
    """`digits` significant digits, without an exponent: 3.997, 450.9, 0.003560."""
    if value == 0:
        return "0"
    exponent = int(f"{abs(value):.{digits - 1}e}".split("e")[1])
    return f"{value:,.{max(0, digits - 1 - exponent)}f}"


def usd(value: float | None) -> str:
    """An amount in four significant digits: $3.997B, $694,444, $0.003560."""
    if value is None:
        return MISSING
    sign = "-" if value < 0 else ""
    return f"{sign}${short(abs(value))}"


def price(value: float | None) -> str:
    """A price per unit, to four decimals and at least two: $1.30, $2.8539."""
    if value is None:
        return MISSING
    text = f"{value:,.4f}".rstrip("0")
    whole, _, decimals = text.partition(".")
    return f"${whole}.{decimals:0<2}"


def percent(fraction: float | None, digits: int = 1) -> str:
    """A share in percent: 82.9 %. A share that is not zero never reads as zero."""
    if fraction is None:
        return MISSING
    smallest = 10.0**-digits
    value = fraction * 100
    if 0 < abs(value) < smallest / 2:
        return f"< {smallest:.{digits}f} %" if value > 0 else f"> -{smallest:.{digits}f} %"
    return f"{value:.{digits}f} %"


def below(share: float, reference: str) -> str:
    """How much less something costs, in words: 67.0 % below list prices; a loss is 218.0 % above them.

    A difference that amounts in four digits do not show is none: invoices are in whole cents.
    """
    if abs(share) < UNSEEN:
        return f"at {reference}"
    return f"{percent(abs(share))} {'below' if share > 0 else 'above'} {reference}"


def signed_percent(fraction: float | None, digits: int = 1) -> str:
    """A difference in percent, with its sign: +0.4 %, 0.0 %."""
    if fraction is None:
        return MISSING
    text = f"{fraction * 100:+.{digits}f}"
    return (text[1:] if float(text) == 0 else text) + " %"


def duration(seconds: float | None) -> str:
    """A time that somebody waits: 0 s, 0.41 s, 12.3 s, 4 min 10 s, 2 h 5 min."""
    if seconds is None:
        return MISSING
    if seconds == 0:
        return "0 s"
    if seconds < 99.95:
        return f"{significant(seconds, 3) if seconds < 10 else f'{seconds:.1f}'} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60} min"


def instant(value: str | None) -> str:
    """A UTC time in ISO 8601 without its seconds: 2025-02-12 18:00."""
    return MISSING if value is None else f"{datetime.fromisoformat(value):%Y-%m-%d %H:%M}"


def day(value: str) -> str:
    """The same, and midnight is the bare date: 2025-02-12."""
    return instant(value).removesuffix(" 00:00")


def by_unit(value: float | str | None, unit: str) -> str:
    """A figure's value, written as its unit asks for."""
    if value is None or isinstance(value, str):
        return instant(value) if unit == "time" and value != NEVER else value or MISSING
    if unit == "1":
        return "0 %" if value == 0 else percent(value, 3 if abs(value) < 0.01 else 1)
    if unit == "USD/GPU-hour":
        return price(value)
    if unit.startswith("USD/message"):
        return f"${significant(value, 4)}"
    if unit.startswith("USD"):
        return usd(value)
    if unit == "s":
        return duration(value)
    if unit in ("GPU", "h"):
        return count(value)
    return short(value)
