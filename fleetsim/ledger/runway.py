"""Runway: when cash is used up, at the burn of the recent months."""

from typing import Literal, NamedTuple

MONTH_US = 2_629_800_000_000
"""A twelfth of 365.25 days, microseconds."""
LONGEST_US = 100 * 12 * MONTH_US
"""What lasts longer is not said to end."""


class Runway(NamedTuple):
    """When cash is used up, microseconds since 1970; None when it is not."""

    time_us: int | None
    basis: Literal["recorded", "extrapolated"] | None


def extrapolated(end_us: int, cash: float, credits_left: float, burn: float, drawn: float) -> Runway:
    """When cash ends after `end_us`, with `burn` dollars of cash and `drawn` of credits going every month.

    While credits last they pay for compute; from then on compute takes cash, and the burn is both.
    """
    months_of_credits = credits_left / drawn if drawn > 0 else 0.0
    if burn * months_of_credits >= cash:
        months = cash / burn if burn > 0 else 0.0
    else:
        later = burn + drawn
        if later <= 0:
            return Runway(None, None)
        months = months_of_credits + (cash - burn * months_of_credits) / later
    if months * MONTH_US > LONGEST_US:
        return Runway(None, None)
    return Runway(end_us + round(months * MONTH_US), "extrapolated")
