"""Dimensions: one row per thing of the scenario. Its labels become further columns of its table."""

from fleetsim.output.table import (
    CONTRACT,
    DATE,
    FLAG,
    FLEET,
    GPU,
    POOL,
    PROVIDER,
    SERVICE,
    TRAFFIC_CLASS,
    Table,
    count,
    name_of,
    number,
    table,
    text,
    time,
)
from fleetsim.units import Column

DIM_FLEET = table(
    "dim_fleet", "fleet", "fleet",
    FLEET, GPU, PROVIDER,
    name_of("role", "serving or training."),
    text("region", "Provider's region; null when not given."),
    count("promised_gpus", "GPU", "GPUs of all tranches.", additive=False),
    time("first_delivery", "Promised date of the first tranche; null when the fleet has none."),
    count("elastic_max_gpus", "GPU", "Most GPUs of the elastic part; null when it has none.", additive=False),
    number("node_mtbf_h", "h", "Mean time between failures of a node; null when none fails."),
    number("repair_h", "h", "Mean time to repair."),
    number("draining_frac", "1", "Share of the working GPUs that drains at any time."),
    number("expected_availability_frac", "1", "Share of rented GPUs expected healthy."),
)

DIM_POOL = table(
    "dim_pool", "pool", "pool",
    POOL,
    name_of("kind", "serving: a pool of the scenario; training, unassigned: what stands for the rest."),
    text("fleets", "Its fleets in spill-over order, joined by commas; null when it is no real pool."),
    number("target_load_frac", "1", "Load at which it counts as full; null when it is no real pool."),
    number("lending_headroom_frac", "1", "Share of its healthy GPUs that it keeps when it lends to training "
           "jobs; null when it does not."),
)

DIM_GPU = table(
    "dim_gpu", "GPU type", "gpu",
    GPU,
    number("bf16_dense_tflops", "TFLOP/s", "Dense BF16 arithmetic."),
    number("memory_gb", "GB", "HBM."),
    number("bandwidth_gb_per_s", "GB/s", "HBM bandwidth."),
    number("tdp_w", "W", "Thermal design power."),
    number("server_w_per_gpu", "W", "Rated power of the server / its GPUs."),
    number("flops_factor", "1", "Delivered prefill and training speed relative to an A100-80GB."),
    number("bandwidth_factor", "1", "Delivered decode speed relative to an A100-80GB."),
    count("gpus_per_node", "GPU", "GPUs that fail together.", additive=False),
    text("source", "Where the figures come from."),
    text("grade", "A primary source, B named report, C unverified, D own estimate."),
)

DIM_SERVICE = table(
    "dim_service", "service", "service",
    SERVICE,
    text("model", "Model of the catalogue; null when rates are given."),
    number("prefill_tokens_per_s_per_gpu", "token/s", "Benchmark, one A100-80GB; null when not known."),
    number("decode_tokens_per_s_per_gpu", "token/s", "Benchmark, one A100-80GB; null when not known."),
    number("gpu_s_per_call", "GPU-s", "A100-seconds per call; null when rates or a step law are known."),
    text("engine_profile", "Profile of its step law, `roofline` or `declared`; null without a step law."),
    count("max_batch", "sequence", "Largest batch of a replica; null without a step law.", additive=False),
    text("prefill", "`whole` or `chunked` prompts; null without a step law."),
    text("routing", "How requests find a replica; null without a step law."),
    number("efficiency_frac", "1", "Production / benchmark throughput at the horizon's start."),
    count("gpus_per_replica", "GPU", "GPUs of a tensor-parallel group.", additive=False),
)

DIM_TRAFFIC_CLASS = table(
    "dim_traffic_class", "traffic class", "traffic_class",
    TRAFFIC_CLASS, POOL,
    text("services", "Every service the class ever uses, joined by commas."),
    count("priority", "1", "0 is served first.", additive=False),
    number("calls_per_message", "call/message", "Requests to a model per message."),
    number("prompt_tokens_mean", "token", "Tokens read per call."),
    number("output_tokens_mean", "token", "Tokens written per call."),
    text("shape", "consumer, enterprise or flat."),
    number("patience_s", "s", "Mean patience; null when nobody leaves."),
    count("max_retries", "1", "Attempts after the first.", additive=False),
    number("slo_wait_s", "s", "Longest wait within the service level; null when it has none."),
)

DIM_CONTRACT = table(
    "dim_contract", "contract", "contract",
    CONTRACT, FLEET, PROVIDER,
    name_of("kind", "Kind of contract."),
    text("bills", "committed: accepted GPU-hours; allocated: GPU-hours in use."),
    number("minimum_frac", "1", "Share of the GPU-hours it covers that is paid even when it is not taken."),
    Column("charges_taken", FLAG, "",
           "Whether hours are charged for the GPU-hours taken, not for all it covers: by use, with a minimum "
           "below 1, or with a make-up bank."),
    text("committed", "What it commits: gpu_hours, usd or nothing."),
    number("capital_charge_usd_per_gpu_hour", "USD/GPU-hour",
           "Owned hardware: cost of capital beyond depreciation; null otherwise."),
    number("usd_per_gpu_hour", "USD/GPU-hour",
           "The contract's price at the horizon's start; null when the kind derives it."),
    number("list_usd_per_gpu_hour", "USD/GPU-hour", "Public price then; null when not given."),
    text("terms", "All terms as the scenario has them, JSON."),
)

DIM_DATE = table(
    "dim_date", "day", "date",
    Column("date", DATE, "UTC", "Day of the horizon."),
    count("year", "", "Year.", additive=False),
    count("quarter", "", "Quarter, 1-4.", additive=False),
    count("month", "", "Month, 1-12.", additive=False),
    count("day", "", "Day of the month.", additive=False),
    count("iso_year", "", "Year of the ISO week.", additive=False),
    count("iso_week", "", "ISO week, 1-53.", additive=False),
    count("weekday", "", "Monday 1 to Sunday 7.", additive=False),
    Column("is_weekend", FLAG, "", "Saturday or Sunday."),
)

DIM_RUN = table(
    "dim_run", "run", "",
    name_of("scenario", "Scenario."),
    count("seed", "", "Seed.", additive=False),
    count("replication", "", "Replication.", additive=False),
    text("fidelity", "fluid."),
    text("resolution", "hour, or step when the step series are kept."),
    time("start", "Start of the horizon."),
    time("recorded_from", "First recorded hour: the start, after the warm-up."),
    time("end", "End of the horizon, exclusive."),
    count("step_s", "s", "Step of the fluid model.", additive=False),
    text("currency", "Currency of all amounts."),
    text("generator_version", "Version of fleetsim that wrote the run."),
)

DIMENSION_TABLES: tuple[Table, ...] = (
    DIM_RUN, DIM_FLEET, DIM_POOL, DIM_GPU, DIM_SERVICE, DIM_TRAFFIC_CLASS, DIM_CONTRACT, DIM_DATE,
)
