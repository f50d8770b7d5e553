"""The table of training jobs."""

from fleetsim.output.table import (
    FLAG,
    FLEET,
    Table,
    count,
    gpu_hours,
    name_of,
    number,
    table,
    time,
    usd,
)
from fleetsim.units import Column

HELD = ("productive", "checkpointing", "lost", "restarting", "blocked")
"""States of GPUs that a job holds; columns `<state>_gpu_hours`."""

TRAINING_JOB = table(
    "fact_training_job", "training job", "job",
    name_of("job", "Training job; those of a stream are numbered, as `research/17`."),
    FLEET,
    name_of("team", "Who it belongs to."),
    name_of("outcome", "done, running or queued at the end of the horizon."),
    time("submit_time", "When it was submitted."),
    time("start_time", "When it first had GPUs; null when it never did."),
    time("end_time", "When it was done; null when it is not."),
    time("deadline", "When it was to be done; null without one."),
    Column("deadline_missed", FLAG, "", "Null without a deadline, and while it may still be met."),
    count("gpus", "GPU", "Size of the gang.", additive=False),
    count("priority", "", "0 is the most important.", additive=False),
    gpu_hours("work_gpu_hours", "Useful work of the whole job."),
    gpu_hours("productive_gpu_hours", "Work that counts; at the horizon's end also what is not saved."),
    gpu_hours("checkpointing_gpu_hours", "Writing checkpoints."),
    gpu_hours("lost_gpu_hours", "Work since the last durable checkpoint, done again."),
    gpu_hours("restarting_gpu_hours", "Failures being noticed, and starting again."),
    gpu_hours("blocked_gpu_hours", "Held while the gang waited for a member."),
    gpu_hours("queued_gpu_hours", "Size x time in the queue: GPUs that it waited for, and did not hold."),
    count("restarts", "1", "Starts after the first."),
    count("failures", "1", "Failures of its nodes and its software."),
    count("preemptions", "1", "Times that it made room for another job or for maintenance."),
    number("checkpoint_interval_s", "s", "Useful work between two checkpoints."),
    number("ettr_frac", "1", "Productive / elapsed time since submission, queue included."),
    number("running_ettr_frac", "1", "Productive / time outside the queue."),
    usd("effective_usd", "Cost of the GPUs that it held in recorded hours; the fleet's other GPUs are not in "
                         "it, nor is the warm-up, which nobody pays."),
)

TRAINING_TABLES: tuple[Table, ...] = (TRAINING_JOB,)
