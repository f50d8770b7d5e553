"""`fleetsim replay TRACE`: the requests of a trace on replicas, or its jobs on a training fleet."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fleetsim.cli.console import say, say_json, text_width, warn
from fleetsim.cli.job_options import (
    CheckpointInterval,
    CheckpointWrite,
    FleetGpus,
    LongestDays,
    NodeGpus,
    NodeMtbf,
    Repair,
    Restart,
    ScheduleName,
    SpareGpus,
)
from fleetsim.cli.options import AsJson
from fleetsim.cli.replay_kind import check_options, is_of_jobs
from fleetsim.cli.replica_options import (
    Kv,
    MaxBatch,
    Patience,
    Prefill,
    ProfileName,
    Requests,
    RoutingName,
    Seed,
    StepTokens,
    TpotSlo,
    TraceOfBoth,
    TtftSlo,
    UsdPerGpuHour,
    batching_of,
    classes_of,
)
from fleetsim.cli.request_options import (
    Force,
    LoadFrac,
    ReplayedGpu,
    ReplayedService,
    ReplicaCount,
    RequestsOut,
    Sample,
    SeriesOut,
    SeriesStep,
    WarmUp,
)
from fleetsim.errors import UsageError
from fleetsim.experiments.replay_jobs import LONGEST_DAYS, Fleet, Schedule
from fleetsim.report.numbers import counted

if TYPE_CHECKING:
    from fleetsim.experiments.replay import Replay

SUFFIX = ".parquet"
TICK_S = 1.0
"""Between the rows of a series unless told."""


def replay(
    ctx: typer.Context,
    trace: TraceOfBoth,
    service: ReplayedService = None,
    gpu: ReplayedGpu = None,
    replicas: ReplicaCount = None,
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
    requests_out: RequestsOut = None,
    sample: Sample = None,
    series_out: SeriesOut = None,
    series_s: SeriesStep = None,
    force: Force = False,
    gpus: FleetGpus = None,
    schedule: ScheduleName = "fifo",
    node_gpus: NodeGpus = 8,
    node_mtbf_h: NodeMtbf = None,
    repair_h: Repair = 24.0,
    spare_gpus: SpareGpus = 0,
    checkpoint_interval_s: CheckpointInterval = None,
    checkpoint_write_s: CheckpointWrite = 0.0,
    restart_s: Restart = 0.0,
    longest_days: LongestDays = LONGEST_DAYS,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Run the requests of a trace through continuous batching on replicas, or its jobs on a training fleet.

    Requests need --service, --gpu and --replicas; jobs need --gpus. Prints latency, attainment and cost of
    requests; waits of jobs and what the GPUs did.
    """
    from fleetsim.experiments.replay import replay as replayed
    from fleetsim.spec.trace.canonical import read_trace

    check_options(ctx, trace)
    if is_of_jobs(trace):
        fleet = Fleet(gpus=gpus or 0, node_gpus=node_gpus, node_mtbf_h=node_mtbf_h, repair_h=repair_h,
                      spare_gpus=spare_gpus, checkpoint_interval_s=checkpoint_interval_s,
                      checkpoint_write_s=checkpoint_write_s, restart_s=restart_s)
        run_jobs(trace, fleet, schedule, seed=seed, longest_days=longest_days, as_json=as_json)
        return
    _check_files(requests_out, sample, series_out, series_s)
    read = read_trace(trace)
    run = partial(
        replayed, read, service=service or "", gpu=gpu or "", replicas=replicas or 0, profile=profile,
        routing=routing, classes=classes_of(read.class_names, patience, ttft_slo, tpot_slo),
        batching=batching_of(max_batch, prefill, step_tokens, kv), usd_per_gpu_hour=usd_per_gpu_hour,
        seed=seed, requests=requests, load_frac=load_frac, warm_up_s=warm_up,
        series_s=(series_s or TICK_S) if series_out else None,
        keep_every=(sample or 1) if requests_out else 0)
    with ExitStack() as stack:
        run_requests(run, Files(stack, trace, requests_out, series_out, force), as_json=as_json)


def run_requests(run: "Callable[[], Replay]", files: "Files", *, as_json: bool) -> None:
    """Requests on replicas: run, write the files, print."""
    from fleetsim.report.replay import replay_text, speed_text

    found = run()
    written = files.write(found)
    if as_json:
        say_json({**found.as_dict(), "files": written})
        return
    width, terminal = text_width()
    say(replay_text(found.as_dict(), width=width, terminal=terminal))
    for path, rows in written.items():
        say(f"{path}: {counted(rows, 'row')}")
    warn(speed_text(found.as_dict()))


def run_jobs(trace: Path, fleet: Fleet, schedule: Schedule, *, seed: int, longest_days: float,
             as_json: bool) -> None:
    """Jobs on a training fleet: run and print."""
    from fleetsim.experiments.replay_jobs import replay_jobs
    from fleetsim.report.replay_jobs import replay_jobs_text, speed_text

    found = replay_jobs(trace, fleet, schedule=schedule, seed=seed, longest_days=longest_days).as_dict()
    if as_json:
        say_json(found)
        return
    width, terminal = text_width()
    say(replay_jobs_text(found, width=width, terminal=terminal))
    warn(speed_text(found))


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
