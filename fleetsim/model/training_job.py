"""Training jobs: gangs of GPUs for an amount of work, with failures, checkpoints and a place in a queue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log
from statistics import NormalDist
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG, Dated, Labels
from fleetsim.model.checkpoint import Checkpoint
from fleetsim.model.hardware import GpuType
from fleetsim.model.traffic import Shape
from fleetsim.units import (
    Factor,
    Flops,
    GpuCount,
    Hours,
    Index,
    JobHours,
    JobSeconds,
    JobsPerDay,
    OpenFraction,
    Ratio,
    UtcTime,
)

P90_Z = NormalDist().inv_cdf(0.9)


@dataclass(frozen=True, kw_only=True)
class Gang:
    """What named jobs and the jobs of a stream have in common."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    fleet: str
    """Fleet that runs it: a training fleet, or a serving fleet that lends GPUs."""
    priority: Index = 1
    """0 is the most important; only policies of kind `priority` and `fair_share` look at it."""
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    """How it saves its work."""
    startup_s: JobSeconds = 0.0
    """From having all GPUs to the first step of work, the first time."""
    detection_s: JobSeconds = 0.0
    """From a failure until it is known; the gang stands still. Meta checks its nodes every 5 minutes."""
    restart_s: JobSeconds = 600.0
    """From having all GPUs again to work: reschedule, load the checkpoint, warm up. Meta: 5-20 minutes in
    all (arXiv:2410.21680)."""
    software_mtbf_h: Hours | None = None
    """Mean time between crashes per node that take no node out; none by default. What Meta measured on
    small jobs beyond the failures of nodes is 1,400-1,700 h (arXiv:2410.21680)."""
    preemptible: bool = True
    """Whether a more important job may take its GPUs."""
    waits_for_repair: bool = False
    """What it does when a node fails and no other is free: keep the others and wait, or queue again."""
    labels: Labels = field(default_factory=dict)
    """Free labels: columns of fact_training_job."""


@dataclass(frozen=True, kw_only=True)
class TrainingJob(Gang):
    """One named job. Its work is given in GPU-hours, in FLOP or in hours on all its GPUs."""

    gpus: GpuCount
    """Size of the gang."""
    start: UtcTime
    """When it is submitted; before the horizon: at its start, with all its work to do."""
    gpu_hours: Hours | None = None
    """Useful GPU-hours."""
    flops: Flops | None = None
    """Floating-point operations, at `mfu_frac`."""
    mfu_frac: OpenFraction | None = None
    """Model FLOPs utilisation: useful / peak dense BF16 arithmetic."""
    duration_h: JobHours | None = None
    """Useful hours on all its GPUs."""
    deadline: UtcTime | None = None
    """When it is to be done."""
    team: str = "training"
    """Who it belongs to, for fair shares."""

    def work_h(self, gpu: GpuType) -> float:
        """Useful hours on all its GPUs."""
        if self.duration_h is not None:
            return self.duration_h
        if self.gpu_hours is not None:
            return self.gpu_hours / self.gpus
        per_hour = self.gpus * gpu.bf16_dense_tflops * 1e12 * 3_600.0 * (self.mfu_frac or 1.0)
        return (self.flops or 0.0) / per_hour


@dataclass(frozen=True)
class Spread:
    """A lognormal by its median and its ninth decile, cut off at both ends."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    median: Factor
    """Half are below."""
    p90: Factor
    """Nine of ten are below."""
    low: Ratio = 0.0
    """Smaller ones are made so large."""
    high: Factor | None = None
    """Larger ones are made so small."""

    @property
    def sigma(self) -> float:
        """Standard deviation of the logarithm."""
        return log(self.p90 / self.median) / P90_Z


@dataclass(frozen=True, kw_only=True)
class JobStream(Gang):
    """Jobs that keep coming: Poisson over the week, of many sizes and lengths."""

    jobs_per_day: Dated[JobsPerDay]
    """Mean number of jobs submitted a day; dated values step."""
    gpus: Spread
    """Size of the gangs; whole nodes from a node on, and no more than the fleet ever has beside its
    spares."""
    duration_h: Spread
    """Useful hours on all GPUs of a job."""
    shape: Shape = field(default_factory=Shape)
    """Day and week."""
    teams: Mapping[str, Factor] = field(default_factory=lambda: {"research": 1.0})
    """Who submits them, by weight."""
