"""The scenario: everything that a run needs, resolved and frozen."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, ClassVar, Literal

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.budget import Budget
from fleetsim.model.contract import Contract, Offer
from fleetsim.model.fidelity import Fidelity
from fleetsim.model.figure import Figure
from fleetsim.model.finance import Finance
from fleetsim.model.fleet import Fleet
from fleetsim.model.hardware import GpuType
from fleetsim.model.latency_table import LatencyTable
from fleetsim.model.plan import Policy
from fleetsim.model.pool import Pool
from fleetsim.model.service import Service
from fleetsim.model.surges.surge import Surge
from fleetsim.model.traffic import Curve, TrafficClass
from fleetsim.model.training_job import JobStream, TrainingJob
from fleetsim.timebase import SECOND_NS, ns_between
from fleetsim.units import Days, Fraction, StepSeconds, UtcTime

_CONTROL_S = 900
"""Shortest time between two decisions where none is given."""


@dataclass(frozen=True)
class Horizon:
    """What is simulated: whole hours from `start` to `end`, in steps of `step_s`."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    start: UtcTime
    """First instant, on a whole hour."""
    end: UtcTime
    """Last instant, exclusive, on a whole hour."""
    step_s: StepSeconds = 300
    """Step of the fluid model; divides an hour."""
    warmup_days: Days = 0.0
    """Days at the start that are simulated and discarded."""
    control_s: StepSeconds | None = None
    """Time between two decisions of a policy; a multiple of the step, by default the first from 900 s on."""

    @property
    def steps(self) -> int:
        """Steps from start to end."""
        return ns_between(self.start, self.end) // (self.step_s * SECOND_NS)

    @property
    def control_interval_s(self) -> int:
        """Seconds between two decisions of a policy, given or by default."""
        return self.control_s or -(-_CONTROL_S // self.step_s) * self.step_s

    @property
    def recorded_from(self) -> int:
        """First hour, counted from the start, that is recorded."""
        return round(self.warmup_days * 24)


@dataclass(frozen=True)
class PublishedFact:
    """A figure that somebody published, to stand beside the simulated one."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    what: str
    """What it says, in words."""
    source: str
    """Who published it, and when."""
    figure: str
    """The figure it corresponds to."""
    role: Literal["input", "computed"]
    """Whether the scenario was given the figure or the run computes it."""
    value: float | None = None
    """Published value; or a band, `low` to `high`."""
    low: float | None = None
    """Lower end of the published band."""
    high: float | None = None
    """Upper end of the published band."""
    tolerance_frac: Fraction = 0.0
    """Relative difference within which the two agree."""
    start: UtcTime | None = None
    """First instant of the window the figure is taken over; the horizon's start by default."""
    end: UtcTime | None = None
    """Last instant of that window, exclusive; the horizon's end by default."""
    days: Literal["all", "weekdays", "weekends"] = "all"
    """Days of the window that count."""
    note: str = ""
    """Why the two differ, where they are known to."""


COMPARISONS = {"<": operator.lt, "<=": operator.le, "==": operator.eq, ">=": operator.ge, ">": operator.gt}
"""The operators that an objective may use."""


@dataclass(frozen=True)
class Objective:
    """A condition on a figure, as `result:traffic.plus.shed_frac <= 0.001`."""

    text: str
    figure: Figure
    name: str
    operator: str
    """One of COMPARISONS."""
    value: float | str

    def met_by(self, simulated: float | str | None) -> bool:
        """Whether a simulated value meets it.

        A missing value meets none, but for a time: what never comes is later than any date.
        """
        if simulated is None:
            return self.figure.unit == "time" and self.operator in (">=", ">")
        compare: Callable[[Any, Any], bool] = COMPARISONS[self.operator]
        return bool(compare(simulated, self.value))


@dataclass(frozen=True)
class Scenario:
    """Everything that a run needs. Maps are keyed by name and keep the file's order."""

    name: str
    horizon: Horizon
    fleets: Mapping[str, Fleet]
    gpus: Mapping[str, GpuType]
    """The gpu types in use, from the file or the catalogue."""
    pools: Mapping[str, Pool] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    traffic: Mapping[str, TrafficClass] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    surges: Mapping[str, Surge] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)
    training_jobs: Mapping[str, TrainingJob] = field(default_factory=dict)
    job_streams: Mapping[str, JobStream] = field(default_factory=dict)
    contracts: Mapping[str, Contract] = field(default_factory=dict)
    offers: Mapping[str, Offer] = field(default_factory=dict)
    finance: Finance | None = None
    fidelity: Fidelity = field(default_factory=Fidelity)
    budgets: Mapping[str, Budget] = field(default_factory=dict)
    published: Mapping[str, PublishedFact] = field(default_factory=dict)
    objectives: tuple[Objective, ...] = ()
    series: Mapping[str, tuple[datetime, int, tuple[float, ...]]] = field(default_factory=dict)
    """By traffic class with a file: start of the series, interval in seconds, messages per day."""
    latency_tables: Mapping[str, LatencyTable] = field(default_factory=dict)
    """By service that has one."""
    source: Mapping[str, object] = field(default_factory=dict)
    """The resolved file as plain data: what `scenario.yaml` of a run holds and `run_id` hashes."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """sha256 of every data file the scenario uses, by its path."""
    directory: str = field(default="", compare=False)
    """Where relative paths of data files start."""
    fingerprint: str = field(default="", compare=False)
    """What `contents_sha256` was when the scenario was built from `source`."""

    @cached_property
    def fleets_with_jobs(self) -> frozenset[str]:
        """Fleets that training jobs run on."""
        jobs = (*self.training_jobs.values(), *self.job_streams.values())
        return frozenset(job.fleet for job in jobs)

    @cached_property
    def lends_to_jobs(self) -> bool:
        """Whether training jobs run on what serving fleets lend."""
        return any(self.fleets[name].role == "serving" for name in self.fleets_with_jobs)

    def contents_sha256(self) -> str:
        """Hash of everything that is simulated; `source` says the same as text, until somebody edits."""
        contents = replace(self, source={}, inputs={}, directory="", fingerprint="")
        return sha256(repr(contents).encode()).hexdigest()
