"""`fleetsim replay TRACE`: every request of a trace on replicas of a service."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fleetsim.cli.console import say, say_json, text_width
from fleetsim.cli.options import AsJson
from fleetsim.model.replica import Batching, RequestClass, Routing


def replay(
    trace: Annotated[Path, typer.Argument(metavar="TRACE", help="Trace, as `trace import` writes it.")],
    service: Annotated[str, typer.Option("--service", metavar="S", help="Model with a step law.")],
    gpu: Annotated[str, typer.Option("--gpu", metavar="G", help="GPU type.")],
    replicas: Annotated[int, typer.Option("--replicas", metavar="N", min=1, help="How many replicas.")],
    profile: Annotated[
        str, typer.Option("--profile", metavar="P", help="Generation of the serving engine.")
    ] = "2023-engine",
    routing: Annotated[
        Routing, typer.Option("--routing", help="Where a request goes.")
    ] = "join_shortest_queue",
    max_batch: Annotated[int, typer.Option("--max-batch", metavar="B", min=1, help="Most sequences.")] = 256,
    prefill: Annotated[
        Literal["whole", "chunked"], typer.Option("--prefill", help="Whole prompts, or chunks in a budget.")
    ] = "whole",
    step_tokens: Annotated[
        int, typer.Option("--step-tokens", metavar="N", min=1, help="Tokens of a step (chunked).")
    ] = 512,
    kv: Annotated[
        Literal["reserved", "grown"], typer.Option("--kv", help="KV at admission, or in blocks.")
    ] = "reserved",
    ttft_slo: Annotated[
        float | None, typer.Option("--ttft-slo-s", metavar="S", help="Time to first token to meet.")
    ] = None,
    tpot_slo: Annotated[
        float | None, typer.Option("--tpot-slo-s", metavar="S", help="Time per output token to meet.")
    ] = None,
    usd_per_gpu_hour: Annotated[
        float | None, typer.Option("--usd-per-gpu-hour", metavar="USD", help="Price, for cost per request.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Of random routing.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Run every request of a trace through continuous batching; print latency, attainment and cost."""
    from math import inf

    from fleetsim.experiments.replay import replay as replayed
    from fleetsim.report.replay import replay_text
    from fleetsim.spec.trace.canonical import read_trace

    read = read_trace(trace)
    classes = [RequestClass(name, ttft_slo_s=ttft_slo or inf, tpot_slo_s=tpot_slo or inf)
               for name in read.class_names]
    found = replayed(
        read, service=service, gpu=gpu, replicas=replicas, profile=profile, routing=routing, classes=classes,
        batching=Batching(max_batch=max_batch, prefill=prefill, step_tokens=step_tokens, kv=kv),
        usd_per_gpu_hour=usd_per_gpu_hour, seed=seed)
    if as_json:
        say_json(found.as_dict())
    else:
        width, terminal = text_width()
        say(replay_text(found.as_dict(), width=width, terminal=terminal))
