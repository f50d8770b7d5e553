"""Small traces, made up."""

import numpy as np

from fleetsim.spec.trace.canonical import Trace

SECOND_NS = 10**9


def trace_of(*requests: tuple[float, int, int] | tuple[float, int, int, str]) -> Trace:
    """Requests as (arrival in s, prompt, output, class)."""
    classes = [each[3] if len(each) == 4 else "chat" for each in requests]
    names = tuple(dict.fromkeys(classes))
    return Trace(np.array([round(each[0] * SECOND_NS) for each in requests], np.int64),
                 np.array([each[1] for each in requests], np.int64),
                 np.array([each[2] for each in requests], np.int64), names,
                 np.array([names.index(name) for name in classes], np.int32), {})


def poisson(count: int, rate_rps: float, seed: int = 3) -> Trace:
    """Two classes in turn, lognormal lengths."""
    draw = np.random.default_rng(seed)
    arrival = np.cumsum(draw.exponential(1 / rate_rps, count))
    prompt = np.maximum(1, draw.lognormal(6.0, 0.8, count).astype(np.int64))
    output = np.maximum(1, draw.lognormal(4.0, 0.8, count).astype(np.int64))
    arrival_ns = np.rint((arrival - arrival[0]) * SECOND_NS).astype(np.int64)
    return Trace(arrival_ns, prompt, output, ("chat", "search"),
                 (np.arange(count) % 3 == 0).astype(np.int32), {})
