"""Market prices: a level with correlated lognormal movement, one draw an hour from a stream by name.

log price = log level + s z - s^2 / 2 with s^2 = log(1 + cv^2), so the mean is the level; z is AR(1) with
coefficient exp(-1 h / correlation time). The same seed sees the same prices whatever else is signed.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.accounts import Account
from fleetsim.ledger.price import Price
from fleetsim.ledger.primitives import Market
from fleetsim.rng import Streams

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


@dataclass
class Draws:
    """One block's uniforms, taken once per stream: contracts on one market see one price."""

    streams: Streams
    taken: dict[str, Any] = field(default_factory=dict)

    def of(self, stream: str, count: int) -> Any:
        """The block's uniforms of a stream."""
        if stream not in self.taken:
            self.taken[stream] = self.streams.uniforms(stream, count)
        return self.taken[stream]


def prices_micro_usd(terms: Market, level: Price, hour_s: "Int64", account: Account,
                     market: Draws) -> "Int64":
    """Micro-dollars per GPU-hour of each hour of the block."""
    from scipy.signal import lfilter
    from scipy.special import ndtri

    draws = ndtri(market.of(terms.stream, len(hour_s)))
    kept = float(np.exp(-1.0 / terms.correlation_h))
    first = not account.started
    account.started = True
    fresh = np.sqrt(1.0 - kept * kept) * draws
    if first and len(draws):
        fresh[0] = draws[0]  # the first hour is in the long-run distribution
    z, _ = lfilter([1.0], [1.0, -kept], fresh, zi=np.array([0.0 if first else kept * account.level]))
    if len(z):
        account.level = float(z[-1])
    sigma = float(np.sqrt(np.log1p(terms.cv_frac**2)))
    factor = np.exp(sigma * z - sigma * sigma / 2.0)
    dollars = np.concatenate([np.zeros(0), *(np.full(hours.stop - hours.start, float(price))
                                             for hours, price in level.segments(hour_s))])
    return np.asarray(np.rint(dollars * factor * 1e6), dtype=np.int64)
