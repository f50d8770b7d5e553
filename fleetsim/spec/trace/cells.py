"""One cell as a number: exact from its decimal text, never through a float."""

import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal

from fleetsim.spec.trace.layout import UNITS, TimeUnit
from fleetsim.timebase import LAST_NS

MOST_TOKENS = 2**31 - 1
"""More are no request."""
NS_PER_S = 1_000_000_000

EXACT = Context(prec=200)
DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})[ T]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?"
                 r"(Z| ?[+-][0-9]{2}:?[0-9]{2})?")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_DIGITS = 64


def parse_time(text: str, unit: TimeUnit) -> int | None:
    """Whole nanoseconds from 1970 (`iso`) or from the file's own zero; None when it is no such time.

    Digits behind the nanosecond are rounded half to even. A calendar time without a zone is UTC.
    """
    text = text.strip()
    found = parse_iso(text) if unit == "iso" else parse_decimal(text, UNITS[unit])
    return found if found is not None and abs(found) < LAST_NS else None


def parse_iso(text: str) -> int | None:
    """Nanoseconds since 1970 of a calendar time with a time of day."""
    match = ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0),
                          tzinfo=UTC)
    except ValueError:
        return None
    seconds = (moment - EPOCH) // timedelta(seconds=1)
    if zone and zone != "Z":
        digits = zone.strip().replace(":", "")
        hours, minutes = int(digits[1:3]), int(digits[3:5])
        if hours > 23 or minutes > 59:
            return None
        offset = hours * 3600 + minutes * 60
        seconds -= offset if digits[0] == "+" else -offset
    part = parse_decimal(f"0.{fraction}", 9) if fraction else 0
    return None if part is None else seconds * NS_PER_S + part


def parse_decimal(text: str, places: int) -> int | None:
    """The number times 10^places as a whole number, half to even; None when it is no number."""
    if len(text) > MOST_DIGITS or not DECIMAL.fullmatch(text):
        return None
    scaled = EXACT.scaleb(Decimal(text), places)
    if scaled and scaled.adjusted() > 30:
        return None
    return int(scaled.to_integral_value(ROUND_HALF_EVEN, EXACT))


def parse_count(text: str) -> int | None:
    """A count of tokens, `12` or `12.0`; None when it is no whole number."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    if len(text) > MOST_DIGITS or not DECIMAL.fullmatch(text):
        return None
    number = Decimal(text)
    if number and number.adjusted() > 30:
        return MOST_TOKENS + 1 if number > 0 else -1
    return int(number) if number == number.to_integral_value(context=EXACT) else None


def fault_of(time_ns: int | None, prompt: int | None, output: int | None, *, class_: str | None,
             calendar: bool) -> str | None:
    """The reason for which a row of these values is dropped; None when it is good."""
    if time_ns is None:
        return "unreadable_time"
    if prompt is None or output is None:
        return "unreadable_number"
    if class_ == "":
        return "no_class"
    if prompt < 0 or output < 0 or (time_ns < 0 and not calendar):
        return "negative"
    if prompt > MOST_TOKENS or output > MOST_TOKENS:
        return "too_large"
    if prompt == 0:
        return "zero_prompt"
    return "zero_output" if output == 0 else None
