"""Facts that a fluid run without finance, training jobs or request windows leaves empty."""

from dataclasses import replace

from fleetsim.output.table import (
    CONTRACT,
    DATE,
    FLEET,
    HOUR,
    PROVIDER,
    SERVICE,
    TRAFFIC_CLASS,
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

MONTH = Column("month", DATE, "UTC", "First day of the calendar month.")

LATENCY = table(
    "fact_latency_hourly", "hour, traffic class, service, metric, bucket",
    "hour traffic_class service metric bucket",
    HOUR, TRAFFIC_CLASS, SERVICE,
    name_of("metric", "ttft, tpot or e2e."),
    count("bucket", "", "Bucket of the histogram.", additive=False),
    number("latency_low_s", "s", "Lower end of the bucket."),
    number("latency_high_s", "s", "Upper end of the bucket, exclusive."),
    count("messages", "message", "Served messages in the bucket."),
)

COST_ALLOCATION = table(
    "fact_cost_allocation_hourly", "hour, traffic class, service (idle on its own row)",
    "hour traffic_class service",
    HOUR, TRAFFIC_CLASS, SERVICE,
    gpu_hours("gpu_hours", "GPU-hours of the cost."),
    usd("effective_usd", "Effective cost."),
)

COMMITMENT = table(
    "fact_commitment_hourly", "hour, contract", "hour contract",
    HOUR, CONTRACT, PROVIDER,
    gpu_hours("committed_gpu_hours", "Committed for the hour."),
    gpu_hours("used_gpu_hours", "Of the committed: used."),
    gpu_hours("unused_gpu_hours", "Of the committed: paid for and not used."),
    gpu_hours("overage_gpu_hours", "Used above the commitment."),
    Column("remaining_gpu_hours", "float64", "GPU-hour", "Of the commitment, left at the hour's end."),
    usd("unused_usd", "Effective cost of the unused part."),
)

INVOICE = table(
    "fact_invoice_monthly", "month, provider, contract", "month provider contract",
    MONTH, PROVIDER, CONTRACT,
    gpu_hours("gpu_hours", "Quantity charged."),
    usd("list_usd", "At public prices."),
    usd("contracted_usd", "At contract prices."),
    usd("billed_usd", "On the invoice."),
    usd("effective_usd", "Effective cost of the month."),
)

PNL = table(
    "fact_pnl_monthly", "month, line", "month line",
    MONTH,
    name_of("line", "Line of the income statement."),
    usd("accrual_usd", "Earned or incurred in the month."),
    usd("cash_usd", "Received or paid in the month."),
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


LATER_TABLES: tuple[Table, ...] = tuple(
    map(empty, (LATENCY, COST_ALLOCATION, COMMITMENT, INVOICE, PNL, TRAINING_JOB)))
