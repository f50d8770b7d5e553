"""Energy at the meter: what a fleet's GPUs draw in prefill, in decode and idle, times PUE.

A GPU at work on prompts draws the rated power of its share of the server, on outputs less by what the GPU
itself draws less than its rating, idle a fixed share of the rating; GPUs that fail or drain count as idle.
GPUs that training jobs hold draw as in prefill: both are bound by arithmetic.

Idle is what a fleet rents and does not use. A pool that borrows uses GPUs that another one rents: those draw
their idle power where they are rented, and what work adds where it is done, so that a fleet's pools add up to
the fleet whatever they lend.
"""

import numpy as np

from fleetsim.kernel.arrays import GPU_SECONDS
from fleetsim.model.fleet import Fleet
from fleetsim.model.hardware import GpuType
from fleetsim.model.pool import TRAINING
from fleetsim.timebase import HOUR_S


def energy_wh(gpu_s: np.ndarray, fleet: Fleet, gpu: GpuType, pool: str) -> np.ndarray:
    """Watt-hours of a pool's GPU-seconds by quantity, (len(GPU_SECONDS), ...): one value for each of the
    rest."""
    rented, allocated, prefill, decode = (
        gpu_s[GPU_SECONDS.index(name)] for name in ("rented", "allocated", "prefill", "decode"))
    if pool == TRAINING:
        prefill = allocated
    joules = (rented * gpu.idle_w + prefill * (gpu.prefill_w - gpu.idle_w)
              + decode * (gpu.decode_w - gpu.idle_w))
    return np.asarray(joules * (fleet.pue / HOUR_S))
