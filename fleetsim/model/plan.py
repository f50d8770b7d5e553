"""The plan: numbers by which policies steer the data plane, and the view they decide on.

A policy is pure: `decide(view, plan) -> plan`. It moves nothing; the engine hands the plan to the
kernel, which executes it inside every step until the next plan.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol, TypeVar

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class Scheduling:
    """Who of the jobs that wait for a training fleet comes next, and at whose expense."""

    order: Literal["fifo", "priority", "fair_share"] = "fifo"
    """By time of submission; by priority first; by what the team has used for its share first."""
    backfill: bool = False
    """Whether jobs may pass one that does not fit yet, if they do not delay it."""
    preempt: bool = False
    """Whether jobs take the GPUs of less important ones."""
    checkpoint_first: bool = True
    """Whether a preempted job writes a checkpoint before it goes."""
    share: Mapping[str, float] = field(default_factory=dict)
    """Share by team; 1 for one without an entry."""
    half_life_h: float | None = None
    """Time after which half of what a team used is forgotten; nothing by default."""


@dataclass(frozen=True)
class Plan:
    """What holds until the next decision. A thing without an entry has no limit, target or weight."""

    max_messages_per_s: Mapping[str, float] = field(default_factory=dict)
    """Rate limit by traffic class; what comes on top is shed."""
    max_wait_s: Mapping[str, float] = field(default_factory=dict)
    """Longest wait by traffic class; messages that would wait longer are shed."""
    shed_above_load_frac: Mapping[str, float] = field(default_factory=dict)
    """By pool: new messages are shed, lowest priority first, until the load is no higher."""
    degrade_above_load_frac: Mapping[str, float] = field(default_factory=dict)
    """By pool: classes are degraded, lowest priority first, until the load is no higher."""
    degrade_to: Mapping[str, str] = field(default_factory=dict)
    """By traffic class: the cheaper service that takes over."""
    routing_weight: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """By (pool, fleet): share of the pool's work sent there first; without it, spill-over order."""
    target_gpus: Mapping[str, float] = field(default_factory=dict)
    """By pool: healthy GPUs wanted, in GPUs of its first fleet. Beyond the fixed ones, elastic GPUs are
    ordered or given back; below them, replicas are taken down."""
    lent_gpus: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    """By (fleet, lender pool, borrower pool): GPUs lent. Either may be the jobs of the fleet, `training`."""
    reclaim_delay_s: Mapping[tuple[str, str, str], float] = field(default_factory=dict)
    """By loan: how long training jobs have to save their work before they lose GPUs to the other side."""
    scheduling: Mapping[str, Scheduling] = field(default_factory=dict)
    """By fleet: how its training jobs are scheduled; first come, first served without an entry."""


def with_entry(entries: Mapping[K, V], key: K, value: V) -> Mapping[K, V]:
    """A copy of `entries` in which `key` has `value`."""
    return {**entries, key: value}


@dataclass(frozen=True)
class PoolView:
    """What is known of a pool at a control tick: means since the last one, in GPUs."""

    offered_gpus: float
    """Work that arrived, in GPUs of the pool's first fleet."""
    waiting_gpu_s: float
    """Work that waits now, GPU-seconds of the pool's first fleet."""
    target_load_frac: float
    """Load at which the pool counts as full."""


@dataclass(frozen=True)
class View:
    """What policies may look at."""

    pools: Mapping[str, PoolView]
    """By pool."""
    healthy_gpus: Mapping[tuple[str, str], int]
    """By (fleet, pool), now."""
    worth: Mapping[tuple[str, str], float]
    """By (fleet, pool): GPUs of the pool's first fleet that one GPU of this fleet is worth."""
    offered_gpus: Mapping[tuple[str, str], float]
    """By (fleet, pool): work routed to the fleet, mean since the last tick, in its own GPUs."""
    lent_gpus: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    """By loan: what the last plan lent."""
    growth: Mapping[str, float] = field(default_factory=dict)
    """By pool that lends to jobs: most work of a step that the usual day brings until GPUs called in at the
    next tick are there / mean since the last tick; at least 1, infinite where traffic begins."""
    job_gpus: Mapping[str, int] = field(default_factory=dict)
    """By fleet with jobs: GPUs that jobs hold or wait for."""


class Policy(Protocol):
    """Decides at control ticks. A static policy decides once."""

    static: ClassVar[bool]

    def decide(self, view: View, plan: Plan) -> Plan:
        """The plan with this policy's numbers in it."""
