"""What the replicas hold at this moment, without moving them."""

from fleetsim.kernel.arrays import PLACE
from fleetsim.kernel.compiler import compiled_entry
from fleetsim.kernel.request.segment import look

BATCH, KV_TOKENS, ACTIVE_GPUS, ACTIVE_GPU_NS, PREFILL_GPU_NS = range(5)
GAUGED = 5


@compiled_entry
def gauge(state, found):
    """Sums over the replicas into `found` (GAUGED) float64: sequences admitted, KV tokens held after the
    steps completed, GPUs with a batch, GPU-ns with a batch up to now, GPU-ns of prefill in ended segments."""
    now = state.clock[0].now_ns
    found[:] = 0.0
    for r in range(state.replicas.size):
        replica = state.replicas[PLACE(r)]
        gpus = state.groups[PLACE(replica.group)].gpus
        found[ACTIVE_GPU_NS] += gpus * replica.active_ns
        found[PREFILL_GPU_NS] += gpus * replica.prefill_ns
        if replica.running > 0:
            look(replica, now)
            found[BATCH] += replica.running
            found[KV_TOKENS] += replica.kv + replica.steps_done * replica.batch
            found[ACTIVE_GPUS] += gpus
            found[ACTIVE_GPU_NS] += gpus * (now - replica.counted_ns)
