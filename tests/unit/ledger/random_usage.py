"""Random usage of one fleet, as arrays for the ledger and as plain lists for loops over hours."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from metered import delivery, hours, usage

from fleetsim.ledger.usage import HourlyUsage

prices = st.decimals(0, 20, places=3)
dear = st.decimals(Decimal("0.01"), 20, places=3)


class Metered(NamedTuple):
    """A fleet's hours, twice."""

    usage: HourlyUsage
    hours: list[datetime]
    committed: list[int]
    allocated: list[int]
    elastic: list[int]
    tranches: list[tuple[datetime, int]]

    def __repr__(self) -> str:
        return f"Metered({self.tranches}, allocated={sum(self.allocated)}, elastic={sum(self.elastic)})"


def metered(
    start: datetime,
    end: datetime,
    tranches: list[tuple[datetime, int]],
    seed: int,
    *,
    fleet: str = "azure",
    load: int = 1_000,
    elastic: int = 0,
    **more: Any,
) -> Metered:
    """Allocated shares of what is accepted, drawn hour by hour up to `load` thousandths, some hours idle."""
    hour_us, generator = hours(start, end), np.random.default_rng(seed)
    accepted = [delivery(*tranche) for tranche in tranches]
    committed = usage(hour_us, *accepted).committed_gpu_s
    shares = generator.integers(0, load + 1, len(hour_us)) * (generator.random(len(hour_us)) > 0.1)
    extra = generator.integers(0, elastic + 1, len(hour_us))
    whole = usage(
        hour_us, *accepted, allocated=committed * shares // 1_000, elastic=extra, fleet=fleet, **more
    )
    instants = [start + timedelta(hours=i) for i in range(len(hour_us))]
    return Metered(
        whole,
        instants,
        whole.committed_gpu_s.tolist(),
        whole.allocated_gpu_s.tolist(),
        whole.elastic_allocated_gpu_s.tolist(),
        tranches,
    )


seeds = st.integers(0, 2**32)


@st.composite
def instants(draw: Any, first: datetime, last: datetime) -> datetime:
    """A whole minute between two instants."""
    minutes = int((last - first).total_seconds()) // 60
    return first + timedelta(minutes=draw(st.integers(0, minutes)))


@st.composite
def fleets(
    draw: Any, start: datetime = datetime(2024, 1, 20, tzinfo=UTC), days: int = 50, **more: Any
) -> Metered:
    """A fleet with up to three tranches, accepted in the first third, over a leap day and two month ends."""
    end = start + timedelta(days=days)
    tranches = draw(
        st.lists(
            st.tuples(instants(start, start + timedelta(days=days // 3)), st.integers(1, 5_000)),
            min_size=1,
            max_size=3,
        )
    )
    return metered(start, end, tranches, draw(seeds), load=draw(st.integers(0, 1_000)), **more)
