"""`fleetsim replay TRACE`: every request of a trace on replicas of a service."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetsim.cli.console import say, say_json, text_width, warn
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
    TpotSlo,
    TraceArgument,
    TtftSlo,
    UsdPerGpuHour,
    batching_of,
    classes_of,
)
from fleetsim.errors import UsageError
from fleetsim.model.replica import MOST_REPLICAS
from fleetsim.report.numbers import counted

if TYPE_CHECKING:
    from fleetsim.experiments.replay import Replay

SUFFIX = ".parquet"
TICK_S = 1.0
"""Between the rows of a series unless told."""


LoadFrac = Annotated[
    float | None,
    typer.Option("--load-frac", metavar="X", help="Stretch time to this share of full replicas."),
]
WarmUp = Annotated[float, typer.Option("--warm-up-s", metavar="S", min=0, help="Left out of the rates.")]


def replay(
    trace: TraceArgument,
    service: ServiceName,
    gpu: GpuName,
    replicas: Annotated[
        int, typer.Option("--replicas", metavar="N", min=1, max=MOST_REPLICAS, help="How many replicas.")
    ],
    profile: ProfileName = "2023-engine",
    routing: RoutingName = "join_shortest_queue",
    max_batch: MaxBatch = 256,
    prefill: Prefill = "whole",
    step_tokens: StepTokens = None,
    kv: Kv = "reserved",
    patience: Patience = None,
    ttft_slo: TtftSlo = None,
    tpot_slo: TpotSlo = None,
    usd_per_gpu_hour: UsdPerGpuHour = None,
    requests: Requests = None,
    load_frac: LoadFrac = None,
    warm_up: WarmUp = 0.0,
    requests_out: Annotated[
        Path | None, typer.Option("--requests-out", metavar="FILE", help="Parquet file of single requests.")
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option("--sample", metavar="N", min=1, help="One request in N into that file; all by default."),
    ] = None,
    series_out: Annotated[
        Path | None,
        typer.Option("--series-out", metavar="FILE", help="Parquet file of batch, KV, queue over time."),
    ] = None,
    series_s: Annotated[
        float | None,
        typer.Option("--series-s", metavar="S", min=0.001, help="Time between its rows; 1 s by default."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Run every request of a trace through continuous batching; print latency, attainment and cost."""
    from fleetsim.experiments.replay import replay as replayed
    from fleetsim.report.replay import replay_text, speed_text
    from fleetsim.spec.trace.canonical import read_trace

    _check_files(requests_out, sample, series_out, series_s)
    read = read_trace(trace)
    classes = classes_of(read.class_names, patience, ttft_slo, tpot_slo)
    with ExitStack() as stack:
        files = Files(stack, trace, requests_out, series_out, force)
        found = replayed(
            read, service=service, gpu=gpu, replicas=replicas, profile=profile, routing=routing,
            classes=classes, batching=batching_of(max_batch, prefill, step_tokens, kv),
            usd_per_gpu_hour=usd_per_gpu_hour, seed=seed, requests=requests, load_frac=load_frac,
            warm_up_s=warm_up, series_s=(series_s or TICK_S) if series_out else None,
            keep_every=(sample or 1) if requests_out else 0)
        written = files.write(found)
    if as_json:
        say_json({**found.as_dict(), "files": written})
        return
    width, terminal = text_width()
    say(replay_text(found.as_dict(), width=width, terminal=terminal))
    for path, rows in written.items():
        say(f"{path}: {counted(rows, 'row')}")
    warn(speed_text(found.as_dict()))


def _check_files(requests: Path | None, sample: int | None, series: Path | None,
                 series_s: float | None) -> None:
    """UsageError for an option about a file that is not asked for."""
    if sample is not None and requests is None:
        raise UsageError("--sample thins a file of single requests: add --requests-out FILE")
    if series_s is not None and series is None:
        raise UsageError("--series-s is the time between rows of a file: add --series-out FILE")


class Files:
    """The files of a replay: checked before it runs, written whole after it."""

    def __init__(self, stack: ExitStack, trace: Path, requests: Path | None, series: Path | None,
                 force: bool) -> None:
        from fleetsim.output.export.target import Target

        named = [path for path in (requests, series) if path is not None]
        for path in named:
            if path.suffix != SUFFIX:
                raise UsageError(f"{path}: the name ends in {SUFFIX}")
            if path.exists() and path.samefile(trace):
                raise UsageError(f"{path} is the trace that is read")
        if len({path.resolve() for path in named}) < len(named):
            raise UsageError(f"{requests} cannot hold both requests and series; give two names")
        self.requests, self.series = (
            None if path is None else stack.enter_context(Target(path, force=force))
            for path in (requests, series))

    def write(self, found: "Replay") -> dict[str, int]:
        """Write them, then let them appear; rows by name."""
        from fleetsim.output.request_files import write_requests, write_series

        rows = {}
        if self.requests is not None and found.kept is not None:
            names = [each.name for each in found.classes]
            rows[str(self.requests.path)] = write_requests(self.requests.partial(), found.kept, names)
        if self.series is not None and found.series_s is not None:
            rows[str(self.series.path)] = write_series(self.series.partial(), found.gauges, found.series_s)
        for target in (self.requests, self.series):
            if target is not None:
                target.publish()
        return rows
