"""Lone requests: each request of a trace by itself on a replica, the best that more replicas can give."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fleetsim.timebase import LAST_NS, SECOND_NS

if TYPE_CHECKING:
    from fleetsim.model.replica import Batching
    from fleetsim.model.step_law import StepLaw
    from fleetsim.spec.trace.canonical import Trace


def spaced_out(trace: "Trace", law: "StepLaw", batching: "Batching") -> "Trace | None":
    """The same requests so far apart that each is over before the next one comes.

    None where that takes more time than 64-bit nanoseconds hold.
    """
    prompt = np.minimum(trace.prompt_tokens, law.kv_tokens)
    output = np.minimum(trace.output_tokens, law.kv_tokens)
    most = int(prompt.max())
    chunk = min(most, batching.step_tokens) if batching.prefill == "chunked" else 1
    held = min(law.kv_tokens, most + int(output.max()))
    step_ns = float(law.step_ns(1, held, chunk if batching.prefill == "chunked" else 0))
    chunks = -(-prompt // chunk) if batching.prefill == "chunked" else 1
    whole_ns = float(law.step_ns(1, held, most))
    gaps = np.ceil((output + chunks) * step_ns) + (whole_ns + SECOND_NS)
    if float(gaps.sum()) >= LAST_NS:
        return None
    arrival_ns = np.concatenate([[0], np.cumsum(gaps[:-1].astype(np.int64))])
    return replace(trace, arrival_ns=arrival_ns)
