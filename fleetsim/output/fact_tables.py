"""The facts that a run records: capacity, traffic, waits, cost, events, and what was compared."""

from fleetsim.output.table import (
    CONTRACT,
    FLAG,
    FLEET,
    GPU,
    HOUR,
    POOL,
    PROVIDER,
    SERVICE,
    TRAFFIC_CLASS,
    Table,
    count,
    gpu_hours,
    name_of,
    number,
    table,
    text,
    time,
    usd,
)
from fleetsim.units import Column

JOBS = "null for fleets without training jobs"
"""Said of the states of training GPUs, which with `lent` add up to the rented."""

CAPACITY = table(
    "fact_capacity_hourly", "hour, fleet, pool", "hour fleet pool",
    HOUR, FLEET, POOL, GPU, PROVIDER,
    gpu_hours("rented_gpu_hours", "Accepted and paid for."),
    gpu_hours("healthy_gpu_hours", "Rented, neither failed, draining nor lost to an outage."),
    gpu_hours("allocated_gpu_hours", "Healthy and held by replicas of the pool."),
    gpu_hours("busy_gpu_hours", "Work done, prefill and decode."),
    gpu_hours("prefill_gpu_hours", "Work done on prompts."),
    gpu_hours("decode_gpu_hours", "Work done on outputs."),
    gpu_hours("required_gpu_hours",
              "Expected work of first attempts / (target load x expected availability)."),
    gpu_hours("offered_gpu_hours",
              "Work routed to this fleet; what no fleet can take stands on the pool's last one."),
    gpu_hours("lent_gpu_hours", "Healthy and lent to another pool."),
    gpu_hours("borrowed_gpu_hours", "Borrowed from another pool."),
    gpu_hours("load_offered_gpu_hours",
              "Work offered to the pool, in GPUs of its first fleet; on that fleet's row, 0 elsewhere."),
    gpu_hours("load_capacity_gpu_hours",
              "Healthy GPUs of the pool, in GPUs of its first fleet; on that fleet's row, 0 elsewhere."),
    gpu_hours("load_required_gpu_hours",
              "Required for all the pool's work, in GPUs of its first fleet; on that fleet's row."),
    gpu_hours("load_rented_gpu_hours",
              "Rented for the pool, in GPUs of its first fleet; on that fleet's row."),
    gpu_hours("elastic_gpu_hours", "Of the rented: the elastic part."),
    gpu_hours("elastic_allocated_gpu_hours", "Of the allocated: elastic GPUs, the fixed ones first."),
    gpu_hours("failed_gpu_hours", "Failed and in repair."),
    gpu_hours("draining_gpu_hours", "Being deployed, drained or maintained."),
    gpu_hours("outage_gpu_hours", "Lost to outages and maintenance windows."),
    count("node_failures", "node", "Nodes of the fleet that failed; on the row of its first share."),
    count("node_repairs", "node", "Nodes of the fleet that came back; on the row of its first share."),
    gpu_hours("active_gpu_hours", "Non-empty batch on a replica; null outside windows at request level."),
    gpu_hours("productive_gpu_hours", f"Training: work that counts; {JOBS}."),
    gpu_hours("checkpointing_gpu_hours", f"Training: writing checkpoints; {JOBS}."),
    gpu_hours("lost_gpu_hours", f"Training: work since the last complete checkpoint, done again; {JOBS}."),
    gpu_hours("restarting_gpu_hours", f"Training: starting a job again; {JOBS}."),
    gpu_hours("blocked_gpu_hours", f"Training: waiting for another member of the gang; {JOBS}."),
    gpu_hours("idle_gpu_hours", f"Training: idle; {JOBS}."),
    gpu_hours("spare_gpu_hours", f"Training: hot spares; {JOBS}."),
    gpu_hours("repair_gpu_hours", f"Training: down or in repair; {JOBS}."),
    gpu_hours("maintenance_gpu_hours", f"Training: planned maintenance; {JOBS}."),
    number("energy_kwh", "kWh", "Energy at the site's meter: servers x PUE.", additive=True),
    number("emissions_kg_co2e", "kgCO2e", "Emissions of that electricity.", additive=True),
)

TRAFFIC = table(
    "fact_traffic_hourly", "hour, traffic class, service", "hour traffic_class service",
    HOUR, TRAFFIC_CLASS, SERVICE, POOL,
    count("messages_arrived", "message", "First attempts; on the class's primary service, as all below "
                                         "but served, degraded, calls, tokens and busy."),
    count("messages_served", "message", "Served by this service."),
    count("messages_degraded", "message", "Of the served: by a cheaper service than the class's own."),
    count("messages_shed", "message", "Turned away, for good."),
    count("messages_abandoned", "message", "Gave up waiting, for good."),
    count("messages_retried", "message", "Attempts after the first."),
    count("messages_waiting", "message", "Waiting at the hour's end.", additive=False),
    count("messages_in_retry", "message", "Lost and about to be tried again, at the hour's end.",
          additive=False),
    number("calls", "call", "Requests to the model, of served messages.", additive=True),
    number("prompt_tokens", "token", "Tokens read, of served messages.", additive=True),
    number("output_tokens", "token", "Tokens written, of served messages.", additive=True),
    number("expected_messages", "message", "First attempts expected: no noise, no retries.", additive=True),
    number("waiting_message_s", "message-s", "Messages waiting, integrated over the hour.", additive=True),
    gpu_hours("busy_gpu_hours", "Work done."),
    count("slo_met_count", "message", "Served within `slo_wait_s`; null when the class has none."),
    count("slo_ttft_met_count", "message", "Of those served by this service, within `slo_ttft_s`; null when "
                                           "the class has none or the latency is not known."),
    count("slo_tpot_met_count", "message", "The same within `slo_tpot_s`; a single token is within."),
)

WAIT = table(
    "fact_wait_hourly", "hour, traffic class, wait bucket", "hour traffic_class bucket",
    HOUR, TRAFFIC_CLASS,
    count("bucket", "", "0 is no wait at all; b >= 1 is [0.125 x 2^((b-1)/8), 0.125 x 2^(b/8)) s, "
                        "bucket 1 from 0 s.", additive=False),
    number("wait_low_s", "s", "Shortest wait of the bucket."),
    number("wait_high_s", "s", "Longest wait of the bucket, exclusive."),
    count("messages", "message", "Served messages whose wait falls in the bucket."),
)

LATENCY = table(
    "fact_latency_hourly", "hour, traffic class, service, metric, bucket",
    "hour traffic_class service metric bucket",
    HOUR, TRAFFIC_CLASS, SERVICE,
    name_of("metric", "ttft, tpot or e2e: of one call of the message."),
    count("bucket", "", "0 is below 1 ms; b >= 1 is [0.001 x 2^((b-1)/16), 0.001 x 2^(b/16)) s.",
          additive=False),
    number("latency_low_s", "s", "Lower end of the bucket."),
    number("latency_high_s", "s", "Upper end of the bucket, exclusive."),
    count("messages", "message", "Served messages in the bucket; no rows for services whose latency is not "
                                 "known."),
)

COST = table(
    "fact_cost_hourly", "hour, fleet, contract, charge category, clause",
    "hour fleet contract charge_category clause",
    HOUR, FLEET, CONTRACT,
    name_of("charge_category", "Usage, Purchase, Credit, Adjustment or Tax, as FOCUS has them."),
    name_of("clause", "What the contract charges for: used, unused, recurring, upfront, overage ..."),
    PROVIDER,
    Column("gpu_hours", "float64", "GPU-hour", "Quantity charged. Purchases pay for the quantity that usage "
           "rows count again: sum one of the two."),
    usd("list_usd", "Usage at the public price."),
    usd("contracted_usd", "Usage at the negotiated price, without commitments."),
    usd("billed_usd", "On the invoice: commitments when they are paid, the usage they cover 0."),
    usd("effective_usd", "What the hour cost, prepayments spread over what they bought."),
)

EVENT = table(
    "fact_event", "event", "sequence",
    count("sequence", "", "0, 1, 2 ... over the run, in order of recording.", additive=False),
    time("time", "When it happened."),
    time("effective_time", "The step boundary from which it counts."),
    name_of("thing", "What it happened to, as `fleet/azure-inference`."),
    name_of("kind", "What happened."),
    count("gpus", "GPU", "Change of rented GPUs; null when none."),
    number("value", "", "A number that belongs to the event; null when none."),
    text("detail", "In words."),
)

PUBLISHED = table(
    "fact_published", "published fact", "fact",
    name_of("fact", "Published fact."),
    text("what", "What it says."),
    text("source", "Who published it, and when."),
    text("figure", "The figure it corresponds to."),
    text("role", "input: the scenario was given it; computed: the run computes it."),
    number("value", "", "Published value; or a band."),
    number("low", "", "Lower end of the published band."),
    number("high", "", "Upper end of the published band."),
    number("simulated", "", "The run's figure."),
    number("difference_frac", "1", "Simulated / published - 1; for a band, from its nearer end, 0 inside."),
    Column("agrees", FLAG, "", "Whether the two agree within the declared tolerance."),
    text("note", "Why they differ, where that is known."),
)

OBJECTIVE = table(
    "fact_objective", "objective", "objective",
    name_of("objective", "The objective as written."),
    text("figure", "The figure it is about."),
    text("operator", "<, <=, ==, >= or >."),
    text("value", "The limit."),
    text("simulated", "The run's figure; `never` for a time that does not come, null when it has no value."),
    Column("met", FLAG, "", "Whether the run meets it."),
)

FACT_TABLES: tuple[Table, ...] = (CAPACITY, TRAFFIC, WAIT, LATENCY, COST, EVENT, PUBLISHED, OBJECTIVE)
