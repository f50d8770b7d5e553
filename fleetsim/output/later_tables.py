"""Facts that a run without training jobs leaves empty."""

from dataclasses import replace

from fleetsim.output.table import (
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

TRAINING_JOB = table(
    "fact_training_job", "training job", "job",
    name_of("job", "Training job."),
    FLEET,
    time("submit_time", "When it was submitted."),
    time("start_time", "When it first ran."),
    time("end_time", "When it ended; null while it runs."),
    count("gpus", "GPU", "Size of the gang.", additive=False),
    gpu_hours("productive_gpu_hours", "Work that counts."),
    gpu_hours("checkpointing_gpu_hours", "Writing checkpoints."),
    gpu_hours("lost_gpu_hours", "Work done again."),
    gpu_hours("restarting_gpu_hours", "Starting again."),
    gpu_hours("blocked_gpu_hours", "Waiting for another member of the gang."),
    gpu_hours("queued_gpu_hours", "Waiting for GPUs."),
    count("restarts", "1", "Starts after the first."),
    number("ettr_frac", "1", "Productive / elapsed time."),
    usd("effective_usd", "Effective cost."),
)

def empty(found: Table) -> Table:
    """The table, each of whose columns says that it has no rows."""
    columns = (replace(column, meaning=f"{column.meaning} No rows in this version's runs.")
               for column in found.columns)
    return replace(found, columns=tuple(columns))


LATER_TABLES: tuple[Table, ...] = (empty(TRAINING_JOB),)
