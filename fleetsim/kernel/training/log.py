"""What happened, for the table of events."""

from fleetsim.kernel.arrays import PLACE
from fleetsim.kernel.compiler import compiled


@compiled
def note(state, kind, job, gpus, cause, now):
    """Write down an event."""
    cluster = state.cluster[0]
    row = state.log[PLACE(cluster.logged)]
    cluster.logged += 1
    row.time_ns, row.kind, row.job, row.gpus, row.cause = now, kind, job, gpus, cause
