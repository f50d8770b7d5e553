"""Gangs of the training oracle: who holds which GPUs, what a job goes through, and where GPU time goes."""

import math
from collections import Counter

import simpy
from training_chance import Hazard, uniform
from training_job import Job

from fleetsim.engine.training_pool import STREAMS, Terms
from fleetsim.kernel.arrays import Array
from fleetsim.kernel.training.arrays import (
    BLOCKED,
    CHECKPOINTING,
    DETECTING,
    DONE,
    DOWN,
    FINISHED,
    IDLE,
    LOST,
    NONE,
    PREEMPTED,
    PRODUCTIVE,
    QUEUED,
    REQUEUED,
    RESTARTED,
    RESTARTING,
    RUNNING,
    SHORT,
    SPARE,
    STARTED,
    STARTING,
    YIELDING,
)
from fleetsim.rng import key_of
from fleetsim.timebase import HOUR_NS


class Team:
    """What a team used, forgotten by half each half-life."""

    def __init__(self, share: float, half_life_ns: float) -> None:
        self.share, self.half_life_ns = share, half_life_ns
        self.used, self.gpus, self.counted_ns = 0.0, 0, 0

    def count(self, change: int, now: int) -> None:
        passed = float(now - self.counted_ns)
        if self.half_life_ns == math.inf:
            self.used += self.gpus * passed
        else:
            kept = math.exp(-math.log(2.0) * passed / self.half_life_ns)
            self.used = self.used * kept + self.gpus * (1.0 - kept) * self.half_life_ns / math.log(2.0)
        self.gpus += change
        self.counted_ns = now


class Gangs:
    """The counts and the jobs of a fleet; what happens to them is decided elsewhere."""

    def __init__(self, jobs: Array, terms: Terms, *, gpus: int, lemons: int, seed: int) -> None:
        self.env = simpy.Environment(initial_time=0)
        self.terms, self.key, self.drawn = terms, key_of(seed, 0, "fleet/training/nodes"), 0
        self.hazards = [Hazard(key_of(seed, 0, "fleet/training/" + name)) for name in STREAMS]
        half_life_ns = math.inf if terms.half_life_h is None else terms.half_life_h * HOUR_NS
        self.teams = [Team(share, half_life_ns) for share in terms.team_shares]
        self.ready: dict[int, int] = {}
        """Jobs whose phase is over, with the ticket of that phase."""
        self.jobs = [Job(self.env, j, row, self._due) for j, row in enumerate(jobs)]
        self.to_come, self.waiting, self.active = list(self.jobs), list[Job](), list[Job]()
        self.idle = self.spare = self.down = self.domains_down = self.domain_gpus_down = 0
        self.idle_lemons = self.spare_lemons = self.down_lemons = 0
        self.software_rate, self.look, self.counted_ns = 0.0, False, 0
        self.log: list[tuple[int, int, int, int, int]] = []
        self.hours: Counter[tuple[int, int]] = Counter()
        self.time: Counter[tuple[int, int]] = Counter()
        """GPU-ns by hour and state, and by job and state."""
        self.give(gpus, lemons)

    def _due(self, job: Job, ticket: int) -> None:
        self.ready[job.number] = ticket

    def note(self, kind: int, job: int = NONE, gpus: int = 0, cause: int = NONE) -> None:
        self.log.append((self.env.now, kind, job, gpus, cause))

    # GPU time

    def book(self, kind: int, from_ns: int, to_ns: int, gpus: int, job: Job | None = None) -> None:
        if job is not None:
            self.time[job.number, kind] += gpus * (to_ns - from_ns)
        while from_ns < to_ns:
            end_ns = min(to_ns, (from_ns // HOUR_NS + 1) * HOUR_NS)
            self.hours[from_ns // HOUR_NS, kind] += gpus * (end_ns - from_ns)
            from_ns = end_ns

    def count_time(self) -> None:
        for kind, gpus in ((IDLE, self.idle), (SPARE, self.spare), (DOWN, self.down)):
            self.book(kind, self.counted_ns, self.env.now, gpus)
        self.counted_ns = self.env.now

    def settle(self, job: Job, counts_ns: int) -> None:
        """The phase of a job is over: `counts_ns` of its run's work counts, the rest is lost."""
        now, since_ns = self.env.now, job.since_ns
        kind = BLOCKED if job.phase == SHORT else RESTARTING
        if job.run is not None:
            job.run.turn_to(NONE, now)
            done = 0
            for piece in job.run.pieces:
                if piece.kind == PRODUCTIVE:
                    done += piece.to_ns - piece.from_ns
                    piece.kind = PRODUCTIVE if done <= counts_ns else LOST
                self.book(piece.kind, piece.from_ns, piece.to_ns, job.held, job)
            kind, since_ns = CHECKPOINTING, job.yield_ns if job.phase == YIELDING else now
        self.book(kind, since_ns, now, job.held, job)
        job.since_ns, job.run = now, None

    def close(self) -> None:
        """Book what is under way, all work as work that counts."""
        for job in self.active:
            self.settle(job, job.work_ns)

    # GPUs that change hands

    def nodes(self, gpus: int) -> int:
        return -(-gpus // self.terms.node_gpus)

    def lemons_among(self, lemons: int, gpus: int, taken_gpus: int) -> int:
        """Lemons among GPUs that are taken from others, without replacement."""
        found, nodes, taken = 0, self.nodes(gpus), self.nodes(taken_gpus)
        for k in range(lemons):
            u = uniform(self.key, self.drawn)
            self.drawn += 1
            if u * (nodes - k) < taken - found:
                found += 1
        return found

    def hold(self, job: Job, gpus: int, lemons: int) -> None:
        job.held += gpus
        job.lemons += lemons
        self.teams[job.team].count(gpus, self.env.now)

    def take_idle(self, gpus: int) -> int:
        lemons = self.lemons_among(self.idle_lemons, self.idle, gpus)
        self.idle -= gpus
        self.idle_lemons -= lemons
        return lemons

    def take_spare(self, gpus: int) -> int:
        lemons = self.lemons_among(self.spare_lemons, self.spare, gpus)
        self.spare -= gpus
        self.spare_lemons -= lemons
        return lemons

    def give(self, gpus: int, lemons: int) -> None:
        """GPUs become idle, and idle ones fill up the spares."""
        self.idle += gpus
        self.idle_lemons += lemons
        kept = min(self.idle, max(0, self.terms.spare_gpus - self.spare))
        if kept > 0:
            self.spare_lemons += self.take_idle(kept)
            self.spare += kept
        self.look = True

    # a job's life

    def join(self, job: Job) -> None:
        job.enter(QUEUED, None)
        self.waiting.append(job)
        self.look = True

    def start(self, job: Job) -> None:
        self.waiting.remove(job)
        job.queued_ns += self.env.now - job.since_ns
        self.hold(job, job.gpus, self.take_idle(job.gpus))
        self.active.append(job)
        self.software_rate += job.software_per_gpu_ns * job.gpus
        job.last_start_ns = self.env.now
        if job.started_ns == NONE:
            job.started_ns = self.env.now
            self.note(STARTED, job.number, job.gpus)
            self.set_out(job, job.first_start_ns)
        else:
            job.restarts += 1
            self.note(RESTARTED, job.number, job.gpus)
            self.set_out(job, job.restart_ns)

    def set_out(self, job: Job, starting_ns: int) -> None:
        if starting_ns > 0:
            job.enter(STARTING, starting_ns)
        else:
            job.go(RUNNING)

    def release(self, job: Job) -> None:
        gpus, lemons = job.held, job.lemons
        self.hold(job, -gpus, -lemons)
        self.give(gpus, lemons)
        place, last = self.active.index(job), self.active.pop()
        if last is not job:
            self.active[place] = last
        self.software_rate -= job.software_per_gpu_ns * job.gpus
        if not self.active:
            self.software_rate = 0.0

    def queue_again(self, job: Job, kind: int) -> None:
        self.note(kind, job.number, job.held)
        self.release(job)
        job.gone_ns = self.env.now
        self.join(job)

    def count_work(self, job: Job, counts_ns: int) -> None:
        self.settle(job, counts_ns)
        job.saved_ns += counts_ns

    def go_on(self, job: Job) -> None:
        """A phase is over."""
        if job.phase == RUNNING:
            self.count_work(job, job.left_ns)
            self.note(FINISHED, job.number, job.gpus)
            job.enter(DONE, None)
            self.release(job)
            job.ended_ns = self.env.now
        elif job.phase == DETECTING:
            if not self.complete(job):
                self.settle(job, 0)
                if job.waits:
                    job.enter(SHORT, None)
                    self.look = True
                else:
                    self.queue_again(job, REQUEUED)
        elif job.phase == STARTING:
            self.settle(job, 0)
            job.go(RUNNING)
        elif job.phase == YIELDING:
            assert job.run is not None
            self.count_work(job, job.run.work_ns)
            self.queue_again(job, PREEMPTED)

    def preempt(self, job: Job) -> None:
        """At once with what is durable, or with all its work after one more checkpoint."""
        job.preemptions += 1
        save_ns = job.write_ns + job.drain_ns
        if job.run is None or not self.terms.yields:
            self.count_work(job, 0 if job.run is None else job.run.durable_ns)
            self.queue_again(job, PREEMPTED)
            return
        job.run.turn_to(NONE, self.env.now)
        if save_ns == 0:
            self.count_work(job, job.run.work_ns)
            self.queue_again(job, PREEMPTED)
        else:
            began_ns, job.yield_ns = job.since_ns, self.env.now
            job.enter(YIELDING, save_ns)
            job.since_ns = began_ns

    def lose(self, job: Job, gpus: int, lemons: int) -> None:
        """A failure stops a job, and takes some of its GPUs out."""
        job.failures += 1
        self.count_work(job, 0 if job.run is None else job.run.durable_ns)
        self.hold(job, -gpus, -lemons)
        if job.phase == YIELDING:
            self.queue_again(job, PREEMPTED)
        elif job.phase != SHORT:
            job.enter(DETECTING, job.detect_ns)

    def complete(self, job: Job) -> bool:
        """Spares first, then idle GPUs, for what a gang lost."""
        missing = job.gpus - job.held
        if self.spare + self.idle < missing:
            return False
        self.settle(job, 0)
        spares = min(missing, self.spare)
        if spares > 0:
            self.hold(job, spares, self.take_spare(spares))
        if missing > spares:
            self.hold(job, missing - spares, self.take_idle(missing - spares))
        job.restarts += 1
        self.note(RESTARTED, job.number, job.gpus)
        self.set_out(job, job.restart_ns + (round(self.terms.replace_s * 1e9) if missing > 0 else 0))
        return True
