"""The order of application: which contract a GPU-hour goes to first. It is priced once.

Contracts of one's own capacity, reservations and minimums, spend commitments for one fleet, then for
several, use above a minimum, price lists for what is left. Pots draw on what the others have charged.

Among equals: a contract of a number of GPUs, or of a share, before one for all of them; then the highest
saving, then the lowest price, each as it is first; then by name. So the order of a file changes nothing.
The AWS Savings Plans User Guide has reservations before plans, specific plans before general ones, and the
highest saving first.
"""

from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple


class Rank(IntEnum):
    """Place in the order of application."""

    OWN_CAPACITY = 1
    """Contracts that bring their own capacity: owned hardware, leases, capacity blocks."""
    RESERVATION = 2
    """Reservations, and minimums up to what is committed."""
    SPEND_OF_ONE_FLEET = 3
    """Spend commitments for one fleet."""
    SPEND_OF_SEVERAL = 4
    """Spend commitments for several fleets."""
    OVERAGE = 5
    """Use above a minimum, where its contract prices it."""
    PRICE_LIST = 6
    """Price lists and spot, for what no commitment covers."""
    POT = 7
    """Credits and enterprise commitments."""


class Preference(NamedTuple):
    """Place among contracts of one rank, lowest first."""

    everything: bool
    """Whether it is for all that is left, and not for a number or a share of it."""
    unsaved: Decimal = Decimal(0)
    """Spend commitments: price under the plan / price without it, of the fleet that saves most."""
    price: Decimal = Decimal(0)
    """Price of a GPU-hour; 0 where it follows from a total."""
