"""A training job of the oracle: its phases, and a run with every interval, write and drain as an event."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import simpy

from fleetsim.kernel.arrays import Array
from fleetsim.kernel.training.arrays import CHECKPOINTING, NONE, PRODUCTIVE, TO_COME

GIVEN = ("submit_ns", "work_ns", "gpus", "priority", "team", "interval_ns", "write_ns", "drain_ns",
         "detect_ns", "restart_ns", "first_start_ns", "waits", "preemptible", "software_per_gpu_ns")
KEPT = ("phase", "saved_ns", "held", "lemons", "queued_ns", "started_ns", "ended_ns", "last_start_ns",
        "restarts", "failures", "preemptions")
"""Columns of a job that the kernel and the oracle both keep."""


@dataclass
class Piece:
    """A stretch of a run: work or writing (and waiting for the last checkpoint)."""

    kind: int
    from_ns: int
    to_ns: int


@dataclass
class Run:
    """From a start to the end, a failure or a preemption."""

    pieces: list[Piece] = field(default_factory=list)
    kind: int = NONE
    """What it does now; NONE: it has stopped."""
    kind_since_ns: int = 0
    durable_ns: int = 0
    """Work in durable checkpoints."""

    def turn_to(self, kind: int, now: int) -> None:
        """What it did is a piece; from now on it does something else."""
        if self.kind != NONE:
            self.pieces.append(Piece(self.kind, self.kind_since_ns, now))
        self.kind, self.kind_since_ns = kind, now

    @property
    def work_ns(self) -> int:
        """Work of all pieces, durable or not."""
        return sum(piece.to_ns - piece.from_ns for piece in self.pieces if piece.kind == PRODUCTIVE)


class Job:
    """What was asked for, and what became of it."""

    submit_ns: int
    work_ns: int
    gpus: int
    priority: int
    team: int
    interval_ns: int
    write_ns: int
    drain_ns: int
    detect_ns: int
    restart_ns: int
    first_start_ns: int
    waits: int
    preemptible: int
    software_per_gpu_ns: float

    def __init__(self, env: simpy.Environment, number: int, row: Array,
                 due: Callable[["Job", int], None]) -> None:
        for name in GIVEN:
            setattr(self, name, row[name].item())
        self.env, self.number, self.due = env, number, due
        self.phase, self.since_ns, self.ticket = TO_COME, 0, 0
        self.end_ns: int | None = None
        """Of the phase, if nothing happens; None: it does not end by itself."""
        self.run: Run | None = None
        self.yield_ns = 0
        self.saved_ns = self.held = self.lemons = self.queued_ns = self.last_start_ns = 0
        self.restarts = self.failures = self.preemptions = 0
        self.started_ns = self.ended_ns = self.gone_ns = NONE

    @property
    def left_ns(self) -> int:
        """Work that no checkpoint has."""
        return self.work_ns - self.saved_ns

    @property
    def run_ns(self) -> int:
        """What a whole run takes, by going through its intervals."""
        left, total = self.left_ns, 0
        if left == 0:
            return 0
        while left > 0:
            part = min(self.interval_ns, left)
            total, left = total + part + self.write_ns, left - part
        return total + self.drain_ns

    def enter(self, phase: int, lasting_ns: int | None) -> None:
        """A phase begins, which ends by itself after so long."""
        self.phase, self.since_ns = phase, self.env.now
        self.ticket += 1
        self.end_ns = None
        if lasting_ns is not None:
            self.end_ns = self.env.now + lasting_ns
            self.env.process(self._wait(lasting_ns, self.ticket))

    def _wait(self, ns: int, ticket: int) -> Generator[simpy.Event, None, None]:
        yield self.env.timeout(ns)
        self.due(self, ticket)

    def go(self, phase: int) -> None:
        """A run begins."""
        self.phase, self.since_ns = phase, self.env.now
        self.ticket += 1
        self.end_ns = self.env.now + self.run_ns
        self.run = Run()
        self.env.process(self._cycles(self.run, self.ticket))

    def _cycles(self, run: Run, ticket: int) -> Generator[simpy.Event, None, None]:
        done, drain = 0, None
        while done < self.left_ns:
            part = min(self.interval_ns, self.left_ns - done)
            run.turn_to(PRODUCTIVE, self.env.now)
            yield self.env.timeout(part)
            if self.ticket != ticket:
                return
            done += part
            run.turn_to(CHECKPOINTING, self.env.now)
            yield self.env.timeout(self.write_ns)
            if self.ticket != ticket:
                return
            drain = self.env.process(self._drain(run, done))
        if drain is not None:
            yield drain
        self.due(self, ticket)

    def _drain(self, run: Run, work_ns: int) -> Generator[simpy.Event, None, None]:
        yield self.env.timeout(self.drain_ns)
        run.durable_ns = work_ns
