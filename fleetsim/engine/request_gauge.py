"""A pool at request level at one moment: batch, KV cache, queue, GPUs at work."""

from dataclasses import dataclass

import numpy as np

from fleetsim.engine.request_pool import RequestPool
from fleetsim.kernel.request.gauge import (
    ACTIVE_GPU_NS,
    ACTIVE_GPUS,
    BATCH,
    GAUGED,
    KV_TOKENS,
    PREFILL_GPU_NS,
    gauge,
)
from fleetsim.timebase import SECOND_NS


@dataclass(frozen=True)
class Gauge:
    """Sums over all replicas."""

    batch: int
    """Sequences admitted, those in prefill included."""
    kv_tokens: int
    """KV tokens held after the steps completed so far."""
    queue: int
    """Requests that wait."""
    active_gpus: int
    """GPUs of replicas with a batch."""
    active_gpu_s: float
    """GPU-seconds of replicas with a batch since the start."""
    prefill_gpu_s: float
    """Of them in prefill; of a segment that still runs, none."""


def gauge_of(pool: RequestPool) -> Gauge:
    """The pool as it is now."""
    found = np.zeros(GAUGED)
    gauge(pool.state, found)
    batch = int(found[BATCH])
    return Gauge(batch, int(found[KV_TOKENS]), pool.in_flight - batch, int(found[ACTIVE_GPUS]),
                 float(found[ACTIVE_GPU_NS]) / SECOND_NS, float(found[PREFILL_GPU_NS]) / SECOND_NS)
