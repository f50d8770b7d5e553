"""Step series: every step of the fluid model, written with `resolution="step"` only."""

from fleetsim.output.table import FLEET, POOL, TRAFFIC_CLASS, Table, single, table, time

STEP = time("time", "Start of the step.")

STEP_CAPACITY = table(
    "series_step_capacity", "step, fleet, pool", "time fleet pool",
    STEP, FLEET, POOL,
    single("rented_gpus", "GPU", "Rented."),
    single("healthy_gpus", "GPU", "Healthy."),
    single("allocated_gpus", "GPU", "Allocated."),
    single("busy_gpus", "GPU", "Busy, mean of the step."),
    single("required_gpus", "GPU", "Required."),
    single("offered_gpus", "GPU", "Work routed to the fleet."),
    single("lent_gpus", "GPU", "Lent to another pool."),
    single("borrowed_gpus", "GPU", "Borrowed from another pool."),
)

STEP_TRAFFIC = table(
    "series_step_traffic", "step, traffic class", "time traffic_class",
    STEP, TRAFFIC_CLASS,
    single("messages_arrived", "message", "First attempts.", additive=True),
    single("messages_served", "message", "Served.", additive=True),
    single("messages_degraded", "message", "Of the served: by a cheaper service.", additive=True),
    single("messages_shed", "message", "Turned away, for good.", additive=True),
    single("messages_abandoned", "message", "Gave up waiting, for good.", additive=True),
    single("messages_retried", "message", "Attempts after the first.", additive=True),
    single("messages_waiting", "message", "Waiting at the step's end."),
    single("messages_in_retry", "message", "About to be tried again, at the step's end."),
    single("waiting_message_s", "message-s", "Messages waiting, integrated over the step.", additive=True),
    single("wait_s", "s", "Wait of a message served at the step's end."),
)

SERIES_TABLES: tuple[Table, ...] = (STEP_CAPACITY, STEP_TRAFFIC)
