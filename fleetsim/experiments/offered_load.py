"""Offered load: what a trace asks for as a share of what replicas can serve."""

from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from fleetsim.errors import UsageError
from fleetsim.timebase import LAST_NS, LAST_YEARS, SECOND_NS

if TYPE_CHECKING:
    from fleetsim.model.replica import ReplicaGroup
    from fleetsim.spec.trace.canonical import Trace


def offered_load_frac(trace: "Trace", group: "ReplicaGroup") -> float | None:
    """Mean arrival rate over the rate at which the replicas are full with the trace's mean lengths.

    The law's closed form: prompt and output lengths independent, the batch full all the time, every request
    short enough for the KV cache. It is 2 to 3 % above what a full replica serves. None where all requests
    come at once.
    """
    span_ns = int(trace.arrival_ns[-1]) - int(trace.arrival_ns[0])
    if span_ns == 0:
        return None
    fits = trace.prompt_tokens + trace.output_tokens <= group.law.kv_tokens
    if not fits.any():
        return None
    prompt, output = trace.prompt_tokens[fits], trace.output_tokens[fits]
    mean = float(output.mean())
    full_rps = group.replicas * group.law.saturation_rps(
        float(prompt.mean()), mean, float(output.std()) / mean, group.batching.max_batch)
    return float((fits.sum() - 1) * SECOND_NS / span_ns / full_rps)


def at_load(trace: "Trace", load_frac: float, group: "ReplicaGroup") -> "Trace":
    """The trace with its time stretched so that the offered load is `load_frac`; its bursts stretch with it.

    UsageError for a load that is not above 0, or a trace whose requests all come at once.
    """
    if not (isfinite(load_frac) and load_frac > 0):
        raise UsageError(f"a load is a number above 0, not {load_frac:g}")
    load = offered_load_frac(trace, group)
    if not load:
        raise UsageError("a trace needs two requests at different times that fit a replica to have a load")
    factor = load / load_frac
    if float(trace.arrival_ns[-1]) * factor >= LAST_NS:
        raise UsageError(f"at a load of {load_frac:g} the trace takes longer than {LAST_YEARS} years")
    arrival_ns = np.rint(trace.arrival_ns * factor).astype(np.int64)
    return replace(trace, arrival_ns=arrival_ns, metadata={**trace.metadata, "load_frac": load_frac})
