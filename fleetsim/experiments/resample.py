"""A resample: a trace of as many requests as one likes, with the rates, gaps and lengths of another."""

from typing import TYPE_CHECKING

import numpy as np

from fleetsim.errors import UsageError
from fleetsim.rng import Streams
from fleetsim.timebase import LAST_NS, LAST_YEARS

if TYPE_CHECKING:
    from fleetsim.spec.trace.canonical import Trace

NEIGHBOURS = 100
"""Requests in a row that count as one rate."""


def resample(trace: "Trace", requests: int, *, seed: int = 0) -> "Trace":
    """A trace of `requests` requests: a local bootstrap of gaps and lengths, lap after lap of the trace.

    Request k stands for request k mod n of the n of the trace. It is drawn, with replacement, from the
    about NEIGHBOURS requests around that one: the gap before it, prompt, output and class together. So the
    mean rate, its course over a lap, the spread of gaps and the lengths that go with them are kept; the
    order of gaps within a neighbourhood is not. The first request of a lap comes after a mean gap. Fewer
    requests than the trace has are its beginning. The same seed gives the same trace.
    """
    count = len(trace)
    if requests < 1:
        raise UsageError(f"a trace has at least 1 request, not {requests}")
    gaps = np.diff(trace.arrival_ns, prepend=trace.arrival_ns[0])
    if count > 1:
        gaps[0] = round(float(trace.arrival_ns[-1] - trace.arrival_ns[0]) / (count - 1))
    edges = np.linspace(0, count, max(1, round(count / NEIGHBOURS)) + 1).astype(np.int64)
    place = np.arange(requests, dtype=np.int64) % count
    block = np.searchsorted(edges, place, side="right") - 1
    first = edges[block]
    draws = Streams(seed).uniforms("resample", requests)
    drawn = first + (draws * (edges[block + 1] - first)).astype(np.int64)
    own = gaps[drawn]
    own[0] = 0
    if float(own.sum(dtype=np.float64)) >= LAST_NS:
        raise UsageError(f"{requests:,} requests at the trace's rate take longer than {LAST_YEARS} "
                         "years")
    return type(trace)(
        np.cumsum(own), trace.prompt_tokens[drawn], trace.output_tokens[drawn], trace.class_names,
        trace.class_index[drawn], {**trace.metadata, "resampled": {"requests": requests, "seed": seed}})
