"""Checkpoint cycles in closed form: work for an interval, write, and again; the end is a checkpoint, too.

A checkpoint counts from when it is durable, `drain_ns` after the gang goes on; the last one is waited for.
Integers throughout, so a run of many cycles is those cycles one by one.
"""

from fleetsim.kernel.compiler import compiled


@compiled
def run_ns(job):
    """How long a run takes to the end of the job if nothing happens."""
    left = job.work_ns - job.saved_ns
    if left == 0:
        return 0
    return left + (left + job.interval_ns - 1) // job.interval_ns * job.write_ns + job.drain_ns


@compiled
def work_by(job, elapsed_ns):
    """Work done in the first `elapsed_ns` of a run, saved or not."""
    cycle = job.interval_ns + job.write_ns
    cycles = elapsed_ns // cycle
    work = cycles * job.interval_ns + min(elapsed_ns - cycles * cycle, job.interval_ns)
    return min(work, job.work_ns - job.saved_ns)


@compiled
def written_by(job, elapsed_ns):
    """Work whose checkpoint is written in the first `elapsed_ns` of a run."""
    if elapsed_ns < 0:
        return 0
    left = job.work_ns - job.saved_ns
    if elapsed_ns >= run_ns(job) - job.drain_ns:
        return left
    return min(elapsed_ns // (job.interval_ns + job.write_ns), left // job.interval_ns) * job.interval_ns
