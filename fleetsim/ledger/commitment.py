"""Commitments hour by hour: what was committed, used, left unused, taken above, and what is still owed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from fleetsim.ledger.charges import Rows

if TYPE_CHECKING:
    import numpy as np

    Int64 = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, kw_only=True)
class Commitment:
    """One contract's commitment over a block: one value per hour.

    Commitments in dollars have no GPU-seconds committed: what they cover depends on what is used.
    """

    contract: str
    fleet: str
    committed_gpu_s: "Int64"
    used_gpu_s: "Int64"
    overage_gpu_s: "Int64"
    committed_micro_usd: "Int64"
    """Effective cost of the hour's commitment, what lapses of a prepayment included."""
    used_micro_usd: "Int64"
    """Of it: what was used."""
    remaining_micro_usd: "Callable[[], Int64] | None" = None
    """Payments still due after each hour, without a fee for ending it early; none where the commitment has
    no end."""
    is_open: "np.ndarray[Any, np.dtype[np.bool_]] | None" = None
    """Hours to tell of; by default those in which something was committed or used."""


class Rated(NamedTuple):
    """What a rater gives: the rows, and the commitment behind them where there is one."""

    rows: list[Rows]
    commitment: Commitment | None = None
    ended: "list[Rows] | tuple[()]" = ()
    """What an early end charges and what lapses: no usage of the period."""
