"""Options of the verbs that run a trace on replicas."""

from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Annotated, Literal

import typer

from fleetsim.errors import UsageError
from fleetsim.model.replica import Batching, RequestClass, Routing
from fleetsim.rng import MAX_SEED

TraceArgument = Annotated[
    Path, typer.Argument(metavar="TRACE", help="Trace, as `trace import` writes it.")
]
TraceOfBoth = Annotated[
    Path, typer.Argument(metavar="TRACE", help="Trace of requests or of jobs, as `trace import` writes it.")
]
ServiceName = Annotated[str, typer.Option("--service", metavar="S", help="Model with a step law.")]
GpuName = Annotated[str, typer.Option("--gpu", metavar="G", help="GPU type.")]
ProfileName = Annotated[
    str, typer.Option("--profile", metavar="P", help="Generation of the serving engine.")
]
RoutingName = Annotated[Routing, typer.Option("--routing", help="Where a request goes.")]
MaxBatch = Annotated[int, typer.Option("--max-batch", metavar="B", min=1, max=65_536, help="Most sequences.")]
Prefill = Annotated[
    Literal["whole", "chunked"], typer.Option("--prefill", help="Whole prompts, or chunks in a budget.")
]
StepTokens = Annotated[
    int | None,
    typer.Option("--step-tokens", metavar="N", min=1, help="Tokens of a step (chunked); 512 by default."),
]
Kv = Annotated[
    Literal["reserved", "grown"], typer.Option("--kv", help="KV at admission, or in blocks.")
]
Patience = Annotated[
    float | None,
    typer.Option("--patience-s", metavar="S", help="Mean time that a request waits before it leaves."),
]
TtftSlo = Annotated[
    float | None, typer.Option("--ttft-slo-s", metavar="S", help="Time to first token to meet.")
]
TpotSlo = Annotated[
    float | None, typer.Option("--tpot-slo-s", metavar="S", help="Time per output token to meet.")
]
Requests = Annotated[
    int | None,
    typer.Option("--requests", metavar="N", min=1, help="Resample the trace to so many requests."),
]
UsdPerGpuHour = Annotated[
    float | None,
    typer.Option("--usd-per-gpu-hour", metavar="USD", min=0, help="Price, for cost per request."),
]
Seed = Annotated[
    int, typer.Option("--seed", metavar="N", min=0, max=MAX_SEED, help="Of random routing and draws.")
]


def classes_of(names: Sequence[str], patience_s: float | None, ttft_slo_s: float | None = None,
               tpot_slo_s: float | None = None) -> list[RequestClass]:
    """What the trace's classes expect, all the same; UsageError for a time that is not above 0."""
    given = {"--patience-s": patience_s, "--ttft-slo-s": ttft_slo_s, "--tpot-slo-s": tpot_slo_s}
    for option, value in given.items():
        if value is not None and not value > 0:
            raise UsageError(f"{option} is above 0, not {value:g}; leave it out where it does not matter")
    return [RequestClass(name, patience_s=patience_s or inf, ttft_slo_s=ttft_slo_s or inf,
                         tpot_slo_s=tpot_slo_s or inf) for name in names]


def batching_of(max_batch: int, prefill: Literal["whole", "chunked"], step_tokens: int | None,
                kv: Literal["reserved", "grown"]) -> Batching:
    """What replicas let into their batch; UsageError for a token budget that nothing would use."""
    if step_tokens is None:
        return Batching(max_batch=max_batch, prefill=prefill, kv=kv)
    if prefill != "chunked":
        raise UsageError("--step-tokens is for prompts in chunks: add --prefill chunked")
    return Batching(max_batch=max_batch, prefill=prefill, step_tokens=step_tokens, kv=kv)
