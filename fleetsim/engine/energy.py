"""Energy at the meter: what a fleet's GPUs draw in prefill, in decode and idle, times PUE.

A GPU at work on prompts draws the rated power of its share of the server, on outputs less by what the GPU
itself draws less than its rating, idle a fixed share of the rating; GPUs that fail or drain count as idle.
A training fleet's allocated GPUs draw as in prefill: both are bound by arithmetic.
"""

import numpy as np

from fleetsim.kernel.arrays import GPU_SECONDS
from fleetsim.model.fleet import Fleet
from fleetsim.model.hardware import GpuType

HOUR_S = 3_600.0


def energy_wh(gpu_s: np.ndarray, fleet: Fleet, gpu: GpuType) -> np.ndarray:
    """Watt-hours of GPU-seconds by quantity, (len(GPU_SECONDS), ...): one value for each of the rest."""
    rented, allocated, prefill, decode = (
        gpu_s[GPU_SECONDS.index(name)] for name in ("rented", "allocated", "prefill", "decode"))
    if fleet.role == "training":
        prefill = allocated
    idle = np.maximum(rented - prefill - decode, 0.0)
    joules = prefill * gpu.prefill_w + decode * gpu.decode_w + idle * gpu.idle_w
    return np.asarray(joules * (fleet.pue / HOUR_S))
