"""`fleetsim size TRACE --slo ...`: the fewest replicas that meet service levels."""

from pathlib import Path
from typing import Annotated

import typer

from fleetsim.cli.console import say, say_json, text_width
from fleetsim.cli.options import AsJson
from fleetsim.cli.replica_options import (
    GpuName,
    Kv,
    MaxBatch,
    Patience,
    Prefill,
    ProfileName,
    Requests,
    RoutingName,
    Seed,
    ServiceName,
    StepTokens,
    TraceArgument,
    UsdPerGpuHour,
    batching_of,
    classes_of,
)


def size(
    trace: TraceArgument,
    slo: Annotated[
        str,
        typer.Option("--slo", metavar="TERMS", help="Such as ttft_p99_s<=1,tpot_p99_s<=0.1."),
    ],
    service: ServiceName,
    gpu: GpuName,
    profile: ProfileName = "2023-engine",
    routing: RoutingName = "join_shortest_queue",
    max_batch: MaxBatch = 256,
    prefill: Prefill = "whole",
    step_tokens: StepTokens = None,
    kv: Kv = "reserved",
    patience: Patience = None,
    usd_per_gpu_hour: UsdPerGpuHour = None,
    contracts: Annotated[
        Path | None, typer.Option("--contracts", metavar="FILE", help="Contract file that gives the price.")
    ] = None,
    contract: Annotated[
        str | None, typer.Option("--contract", metavar="NAME", help="One of its contracts; all by default.")
    ] = None,
    requests: Requests = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Find the fewest replicas on which a trace meets service levels, and what they cost.

    Each number is a full replay: doubled until the terms hold, then bisected.
    """
    from fleetsim.experiments.resample import resample
    from fleetsim.experiments.size import refuse_scenario
    from fleetsim.experiments.size import size as sized
    from fleetsim.report.size import size_text
    from fleetsim.spec.trace.canonical import read_trace

    refuse_scenario(trace)
    read = read_trace(trace)
    if requests is not None:
        read = resample(read, requests, seed=seed)
    found = sized(
        read, slo=slo, service=service, gpu=gpu, profile=profile, routing=routing,
        batching=batching_of(max_batch, prefill, step_tokens, kv),
        classes=classes_of(read.class_names, patience),
        usd_per_gpu_hour=usd_per_gpu_hour, contracts=contracts, contract=contract, seed=seed)
    if as_json:
        say_json(found.as_dict())
    else:
        width, terminal = text_width()
        say(size_text(found.as_dict(), width=width, terminal=terminal))
