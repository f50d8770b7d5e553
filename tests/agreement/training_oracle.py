"""A training fleet as a plain event loop on SimPy, each checkpoint of each job an event of its own.

Written from the rules alone; it shares the kernel's numbers of states, phases and events, and no code.
Queues are lists, GPU time is whole GPU-ns in Python integers, booked by state when a phase is over.
"""

from training_chance import MASK, Hazard, per_ns, uniform
from training_gangs import Gangs
from training_job import Job

from fleetsim.kernel.arrays import NEVER
from fleetsim.kernel.training.arrays import (
    DETECTING,
    DOMAIN_FAILED,
    DOMAIN_REPAIRED,
    FAIR_SHARE,
    FIFO,
    NODE_FAILED,
    NONE,
    REPAIRED,
    SHORT,
    SOFTWARE_FAILED,
    SUBMITTED,
    YIELDING,
)
from fleetsim.timebase import HOUR_NS

FAIL, CRASH, DOMAIN, REPAIR, DOMAIN_REPAIR = range(5)
VICTIM, CAUSE, LEMON = 1, 2, 3
NOBODY_IDLE, NOBODY_SPARE = -1, -2


class Fleet(Gangs):
    """Moves on from event to event: who gets what is free, and what fails."""

    def advance(self, until_ns: int) -> None:
        """Ties: checkpoints, ends of phases by job, failures and repairs, submissions."""
        self.settle_changes()
        while True:
            strike = min(self.hazards, key=lambda hazard: hazard.next_ns)
            submit_ns = self.to_come[0].submit_ns if self.to_come else NEVER
            self.ready = {j: ticket for j, ticket in self.ready.items() if self.jobs[j].ticket == ticket}
            now = self.env.now if self.ready else min(self.env.peek(), strike.next_ns, submit_ns)
            if now > until_ns:
                break
            if now > self.env.now:
                self.env.run(until=self.env.timeout(now - self.env.now))
            while self.env.peek() == now:
                self.env.step()
            self.count_time()
            ready = [j for j, ticket in self.ready.items() if self.jobs[j].ticket == ticket]
            if ready:
                self.ready = {j: self.ready[j] for j in ready if j != min(ready)}
                self.go_on(self.jobs[min(ready)])
            elif strike.next_ns == now:
                self.strike(self.hazards.index(strike))
                strike.number += 1
                strike.renew(now)
            elif submit_ns == now:
                job = self.to_come.pop(0)
                self.note(SUBMITTED, job.number, job.gpus)
                self.join(job)
            self.settle_changes()
        if until_ns > self.env.now:
            self.env.run(until=self.env.timeout(until_ns - self.env.now))
        self.count_time()

    # who gets what is free

    def settle_changes(self) -> None:
        while self.look:
            self.look = False
            self.complete_gangs()
            self.start_waiting()
        self.tune()

    def complete_gangs(self) -> None:
        while short := [job for job in self.active if job.phase == SHORT]:
            job = min(short, key=lambda job: (job.priority, job.number))
            if not self.complete(job):
                if self.terms.preempt:
                    self.make_room(job.gpus - job.held, job.priority, with_spares=True)
                if not self.terms.preempt or not self.complete(job):
                    break

    def rank(self, job: Job) -> tuple[int, int]:
        return (0 if self.terms.order == FIFO else job.priority, job.number)

    def first(self) -> Job:
        """The next in the queue; with fair shares that of the team that used least for its share."""
        if self.terms.order != FAIR_SHARE:
            return min(self.waiting, key=self.rank)
        for t in {job.team for job in self.waiting}:
            self.teams[t].count(0, self.env.now)
        return min(self.waiting, key=lambda job: (self.teams[job.team].used / self.teams[job.team].share,
                                                  job.team, self.rank(job)))

    def start_waiting(self) -> None:
        while self.waiting:
            job = self.first()
            if self.just_left(job):
                break
            if job.gpus > self.idle and self.terms.preempt:
                self.make_room(job.gpus, job.priority, with_spares=False)
            if job.gpus > self.idle:
                if self.terms.backfill and self.idle > 0:
                    self.backfill(job)
                break
            self.start(job)

    def just_left(self, job: Job) -> bool:
        """It made room for another, which waits for still more."""
        leaving = any(other.phase == YIELDING and other.held > 0 for other in self.active)
        return leaving and job.gone_ns == self.env.now

    def make_room(self, gpus: int, priority: int, *, with_spares: bool) -> None:
        """Preempt the least important, of these the last started, if that is enough."""

        def missing() -> int:
            coming = sum(job.held for job in self.active if job.phase == YIELDING)
            there = self.spare if with_spares else -max(0, self.terms.spare_gpus - self.spare)
            return gpus - self.idle - coming - there

        may_go = [job for job in self.active
                  if job.preemptible and job.priority > priority and job.phase != YIELDING and job.held > 0]
        if missing() > sum(job.held for job in may_go):
            return
        may_go.sort(key=lambda job: (job.priority, job.last_start_ns, job.number))
        while missing() > 0:
            self.preempt(may_go.pop())

    def expected_end_ns(self, job: Job) -> int:
        if job.end_ns is None:
            return NEVER
        if job.run is not None:
            return job.end_ns
        return job.end_ns + job.run_ns + (job.restart_ns if job.phase == DETECTING else 0)

    def backfill(self, first: Job) -> None:
        """Others may start if they end before the first can, or leave it what it needs then."""
        ends = sorted((self.expected_end_ns(job), job.held) for job in self.active)
        free, start_ns = self.idle, NEVER
        for end_ns in sorted({end for end, _ in ends}):
            if free < first.gpus:
                free += sum(gpus for end, gpus in ends if end == end_ns)
                start_ns = end_ns
        if free < first.gpus:
            start_ns = NEVER
        extra = free - first.gpus
        fair = self.terms.order == FAIR_SHARE
        for job in sorted(self.waiting, key=lambda job: (job.team if fair else 0, self.rank(job))):
            if job is first or job.gpus > self.idle or self.just_left(job):
                continue
            starting_ns = job.first_start_ns if job.started_ns == NONE else job.restart_ns
            if start_ns == NEVER or self.env.now + starting_ns + job.run_ns <= start_ns:
                self.start(job)
            elif job.gpus <= extra:
                extra -= job.gpus
                self.start(job)

    # failures and repairs

    @property
    def held(self) -> int:
        return sum(job.held for job in self.active)

    @property
    def there(self) -> int:
        return self.idle + self.spare + self.held

    @property
    def lemons(self) -> int:
        return self.idle_lemons + self.spare_lemons + sum(job.lemons for job in self.active)

    def tune(self) -> None:
        terms, now = self.terms, self.env.now
        weight = float(self.there) + self.lemons * (terms.lemon_factor - 1.0) * terms.node_gpus
        self.hazards[FAIL].tune(weight * per_ns(terms.node_mtbf_h, terms.node_gpus), now)
        self.hazards[CRASH].tune(max(0.0, self.software_rate), now)
        self.hazards[DOMAIN].tune(float(self.there) * per_ns(terms.domain_mtbf_h, terms.domain_gpus), now)
        in_repair = self.nodes(self.down - self.domain_gpus_down)
        if terms.crews is not None:
            in_repair = min(in_repair, terms.crews)
        if terms.repair_h > 0:
            self.hazards[REPAIR].tune(in_repair / (terms.repair_h * HOUR_NS), now)
        if terms.domain_repair_h > 0:
            self.hazards[DOMAIN_REPAIR].tune(self.domains_down / (terms.domain_repair_h * HOUR_NS), now)

    def strike(self, what: int) -> None:
        (self.node_fails, self.software_fails, self.domain_fails, self.node_is_repaired,
         self.domain_is_repaired)[what]()

    def who(self, place: float, extra: float) -> Job | int:
        """Whose GPU is at `place` in [0, 1) of all in service, a lemon weighing `extra` GPUs more."""
        at = place * (float(self.there) + extra * self.lemons)
        at -= self.idle + extra * self.idle_lemons
        if at < 0:
            return NOBODY_IDLE
        at -= self.spare + extra * self.spare_lemons
        if at < 0:
            return NOBODY_SPARE
        holders = [job for job in self.active if job.held > 0]
        for job in holders:
            at -= job.held + extra * job.lemons
            if at < 0:
                return job
        if holders:
            return holders[-1]
        return NOBODY_SPARE if self.spare > 0 else NOBODY_IDLE

    def lemons_hit(self, there: int, lemons: int, gpus: int, lemon_u: float | None) -> int:
        """One node fails by its rate, several at once by chance."""
        node_gpus = self.terms.node_gpus
        if lemon_u is None or gpus > node_gpus:
            return self.lemons_among(lemons, there, gpus)
        if lemons == 0:
            return 0
        weight = lemons * self.terms.lemon_factor * node_gpus
        return int(lemon_u < weight / (weight + max(0.0, float(there - lemons * node_gpus))))

    def take_out(self, victim: Job | int, gpus: int, lemon_u: float | None) -> int:
        if isinstance(victim, Job):
            gpus = min(gpus, victim.held)
            lemons = self.lemons_hit(victim.held, victim.lemons, gpus, lemon_u)
            self.lose(victim, gpus, lemons)
        elif victim == NOBODY_IDLE:
            gpus = min(gpus, self.idle)
            lemons = self.lemons_hit(self.idle, self.idle_lemons, gpus, lemon_u)
            self.idle -= gpus
            self.idle_lemons -= lemons
        else:
            gpus = min(gpus, self.spare)
            lemons = self.lemons_hit(self.spare, self.spare_lemons, gpus, lemon_u)
            self.spare -= gpus
            self.spare_lemons -= lemons
        self.down += gpus
        self.down_lemons += lemons
        return gpus

    def take_rest(self, hazard: Hazard, gpus: int) -> None:
        """Others shared what failed."""
        extra = 0
        while gpus > 0 and self.there > 0:
            extra += 1
            u = uniform(hazard.key ^ self.key, (4_096 * hazard.number + extra) & MASK)
            gpus -= self.take_out(self.who(u, 0.0), gpus, None)

    def node_fails(self) -> None:
        terms, hazard = self.terms, self.hazards[FAIL]
        u, cause = hazard.draw(CAUSE), 0
        while cause < len(terms.causes) - 1 and u >= terms.causes[cause]:
            u -= terms.causes[cause]
            cause += 1
        victim = self.who(hazard.draw(VICTIM), (terms.lemon_factor - 1.0) * terms.node_gpus)
        if cause >= terms.node_causes:
            self.note(SOFTWARE_FAILED, number_of(victim), 0, cause)
            if isinstance(victim, Job):
                self.lose(victim, 0, 0)
            return
        self.note(NODE_FAILED, number_of(victim), terms.node_gpus, cause)
        out = self.take_out(victim, terms.node_gpus, hazard.draw(LEMON))
        self.take_rest(hazard, terms.node_gpus - out)
        if terms.repair_h == 0:
            self.node_is_repaired()
            self.hazards[REPAIR].number += 1

    def domain_fails(self) -> None:
        hazard = self.hazards[DOMAIN]
        gpus = min(self.terms.domain_gpus, self.there)
        victim = self.who(hazard.draw(VICTIM), 0.0)
        self.note(DOMAIN_FAILED, number_of(victim), gpus)
        self.take_rest(hazard, gpus - self.take_out(victim, gpus, None))
        self.domains_down += 1
        self.domain_gpus_down += gpus
        if self.terms.domain_repair_h == 0:
            self.domain_is_repaired()

    def software_fails(self) -> None:
        at, hit = self.hazards[CRASH].draw(VICTIM) * self.software_rate, None
        for job in self.active:
            rate = job.software_per_gpu_ns * job.gpus
            if rate > 0 and at >= 0:
                hit = job
                at -= rate
        if hit is not None:
            self.note(SOFTWARE_FAILED, hit.number)
            self.lose(hit, 0, 0)

    def node_is_repaired(self) -> None:
        hazard = self.hazards[REPAIR]
        gpus = min(self.terms.node_gpus, self.down - self.domain_gpus_down)
        lemons = int(hazard.draw(VICTIM) * self.nodes(self.down) < self.down_lemons)
        self.down -= gpus
        self.down_lemons -= lemons
        self.note(REPAIRED, NONE, gpus)
        found_out = lemons > 0 and hazard.draw(LEMON) < self.terms.lemon_found_frac
        self.give(gpus, 0 if found_out else lemons)

    def domain_is_repaired(self) -> None:
        gpus = self.domain_gpus_down // self.domains_down
        lemons = self.lemons_among(self.down_lemons, self.down, gpus)
        self.domains_down -= 1
        self.domain_gpus_down -= gpus
        self.down -= gpus
        self.down_lemons -= lemons
        self.note(DOMAIN_REPAIRED, NONE, gpus)
        self.give(gpus, lemons)


def number_of(victim: Job | int) -> int:
    """Of the job, for the log."""
    return victim.number if isinstance(victim, Job) else NONE
