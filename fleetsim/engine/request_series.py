"""A time series of a pool at request level: what it holds at every tick."""

from fleetsim.engine.request_gauge import Gauge, gauge_of
from fleetsim.engine.request_pool import RequestPool


class RequestSeries:
    """Moves a pool on tick by tick and notes what it holds; the pool comes to the same as without ticks."""

    def __init__(self, pool: RequestPool, tick_ns: int) -> None:
        self.pool = pool
        self.tick_ns = tick_ns
        self.gauges: list[Gauge] = []
        """At 0, 1, 2, ... ticks from the start of the run."""

    def advance(self, until_ns: int) -> None:
        """Move the pool on to a time, noting the ticks on the way, the end included."""
        while self._next_ns <= until_ns:
            self._tick()
        self.pool.advance(until_ns)

    def run_out(self) -> None:
        """Tick until nobody is in flight; nobody may be to come."""
        while self.pool.in_flight:
            self._tick()

    @property
    def _next_ns(self) -> int:
        return len(self.gauges) * self.tick_ns

    def _tick(self) -> None:
        self.pool.advance(self._next_ns)
        self.gauges.append(gauge_of(self.pool))
