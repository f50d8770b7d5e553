"""GPU time, GPUs, lemons, jobs and work of random training fleets, in whole GPU-nanoseconds."""

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from random_training import HOURS, Case, cases

from fleetsim.engine.training_pool import TrainingPool
from fleetsim.kernel.training.arrays import (
    DONE,
    HELD_STATES,
    LENT,
    MAINTENANCE,
    NONE,
    PRODUCTIVE,
    QUEUED,
    SPAN,
    SUBMITTED,
    TO_COME,
)
from fleetsim.timebase import HOUR_NS

END_NS = HOURS * HOUR_NS
SECOND_NS = 10**9
PLACES = ("idle", "spare", "down", "maintenance", "lent")
ACTS = ("bring", "drain", "lend", "force", "put_back", "return", "retire", "break_down", "end_outage")

MANY = settings(max_examples=max(30, settings().max_examples))
acts = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(1, 40)), min_size=6, max_size=6)


class Operator:
    """Acts on a pool between two moves, and keeps count of the GPUs that it should have."""

    def __init__(self, case: Case) -> None:
        self.pool = TrainingPool(case.jobs, case.terms, gpus=case.gpus, lemons=case.lemons, hours=HOURS,
                                 seed=case.seed)
        self.gpus = case.gpus
        self.counted_ns = 0
        self.hours = [0] * HOURS
        """GPU-ns that exist in each hour."""
        self.retired = False

    def move(self, until_ns: int) -> None:
        self.pool.advance(until_ns)
        for hour in range(HOURS):
            from_ns = max(self.counted_ns, hour * HOUR_NS)
            self.hours[hour] += self.gpus * max(0, min(until_ns, (hour + 1) * HOUR_NS) - from_ns)
        self.counted_ns = until_ns

    def act(self, what: str, gpus: int) -> None:
        pool, cluster = self.pool, self.pool.cluster
        if what == "bring":
            pool.bring(gpus)
            self.gpus += gpus
        elif what in ("drain", "lend"):
            owed = int(cluster["owed_lent"] + cluster["owed_maintenance"])
            pool.drain(min(gpus, int(cluster["idle"] + cluster["spare"] + cluster["running_gpus"]) - owed),
                       MAINTENANCE if what == "drain" else LENT)
        elif what == "force":
            pool.force()
        elif what == "put_back":
            pool.put_back(min(gpus, int(cluster["maintenance"] + cluster["owed_maintenance"])))
        elif what == "return":
            pool.put_back(min(gpus, int(cluster["lent"] + cluster["owed_lent"])), LENT)
        elif what == "break_down":
            pool.break_down(gpus)
        elif what == "end_outage":
            pool.end_outage(min(gpus, int(cluster["outage"])))
        else:
            gpus = min(gpus, int(cluster["maintenance"] + cluster["down"]))
            pool.retire(gpus)
            self.gpus -= gpus
            self.retired = True

    def run(self, case: Case, todo: list[tuple[str, int]]) -> Iterator[TrainingPool]:
        """The pool after each move and after each act, and at the end of the horizon."""
        for until_ns, (what, gpus) in zip(case.splits_ns, todo, strict=False):
            self.move(until_ns)
            yield self.pool
            self.act(what, gpus)
            yield self.pool
        self.move(END_NS)
        yield self.pool


def every_run(check: Callable[[Operator, TrainingPool], None], case: Case,
              todo: list[tuple[str, int]]) -> Operator:
    """`check` after each move and act; the pool is closed at the end."""
    operator = Operator(case)
    for pool in operator.run(case, todo):
        check(operator, pool)
    operator.pool.close()
    return operator


def job_gpu_ns(pool: TrainingPool) -> list[list[int]]:
    """By job and state, in Python integers."""
    state = pool.state
    return [[int(seconds) * SECOND_NS + int(rest) for seconds, rest in zip(*row, strict=True)]
            for row in zip(state.job_s, state.job_ns, strict=True)]


@given(case=cases(), todo=acts)
@MANY
def test_gpus_are_in_one_place_each(case: Case, todo: list[tuple[str, int]]) -> None:
    def check(operator: Operator, pool: TrainingPool) -> None:
        cluster = pool.cluster
        assert sum(int(cluster[name]) for name in (*PLACES, "running_gpus")) == operator.gpus
        assert cluster["running_gpus"] == pool.jobs["held"].sum()
        assert cluster["job_lemons"] == pool.jobs["lemons"].sum()
        counts = (*PLACES, *(name + "_lemons" for name in PLACES), "running_gpus", "job_lemons",
                  "domains_down", "domain_gpus_down", "outage", "yielding", "owed_lent", "owed_maintenance",
                  "active", "short", "waiting")
        for name in counts:
            assert cluster[name] >= 0, name
        assert cluster["domain_gpus_down"] + cluster["outage"] <= cluster["down"]
        held = pool.jobs["held"]
        assert ((held >= 0) & (held <= pool.jobs["gpus"]) & (pool.jobs["lemons"] >= 0)).all()
        active = pool.state.active[: cluster["active"]]
        assert len(set(active.tolist())) == len(active)
        assert held.sum() == held[active].sum()

    every_run(check, case, todo)


@given(case=cases(), todo=acts)
@MANY
def test_lemons_stay_lemons_until_they_are_found_out(case: Case, todo: list[tuple[str, int]]) -> None:
    seen = [case.lemons]

    def check(operator: Operator, pool: TrainingPool) -> None:
        lemons = sum(int(pool.cluster[name + "_lemons"]) for name in PLACES) + int(pool.cluster["job_lemons"])
        if case.terms.lemon_found_frac == 0 and not operator.retired:
            assert lemons == case.lemons
        assert 0 <= lemons <= seen[-1]
        seen.append(lemons)

    every_run(check, case, todo)


@given(case=cases(), todo=acts)
@MANY
def test_jobs_are_done_or_active_or_waiting(case: Case, todo: list[tuple[str, int]]) -> None:
    def check(operator: Operator, pool: TrainingPool) -> None:
        phases = Counter(pool.jobs["phase"].tolist())
        cluster, count = pool.cluster, len(pool.jobs)
        submitted = sum(int((rows["kind"] == SUBMITTED).sum()) for rows in pool.events)
        assert submitted == cluster["next_job"] == count - phases[TO_COME]
        assert submitted == phases[DONE] + cluster["active"] + cluster["waiting"]
        assert phases[QUEUED] == cluster["waiting"]
        assert ((pool.jobs["ended_ns"] != NONE) == (pool.jobs["phase"] == DONE)).all()
        assert ((pool.jobs["saved_ns"] >= 0) & (pool.jobs["saved_ns"] <= pool.jobs["work_ns"])).all()

    every_run(check, case, todo)


@given(case=cases(), todo=acts)
@MANY
def test_gpu_time_adds_up_to_the_ns(case: Case, todo: list[tuple[str, int]]) -> None:
    operator = every_run(lambda _operator, _pool: None, case, todo)
    pool = operator.pool
    hours = pool.state.hours
    assert (hours >= 0).all()
    assert hours.sum(axis=1).tolist() == operator.hours
    per_job = job_gpu_ns(pool)
    assert all(gpu_ns >= 0 for row in per_job for gpu_ns in row)
    by_state = [sum(row[kind] for row in per_job) for kind in range(HELD_STATES)]
    assert by_state == hours[:, :HELD_STATES].sum(axis=0).tolist()
    held = [0] * len(pool.jobs)
    for row in np.concatenate(pool.spans or [np.zeros(0, SPAN)]).tolist():
        job, from_ns, to_ns, gpus = row
        held[job] += gpus * (to_ns - from_ns)
    assert [sum(row) for row in per_job] == held


@given(case=cases(), todo=acts)
@MANY
def test_the_work_of_a_job_is_what_was_asked_for(case: Case, todo: list[tuple[str, int]]) -> None:
    operator = every_run(lambda _operator, _pool: None, case, todo)
    for job, times in zip(operator.pool.jobs, job_gpu_ns(operator.pool), strict=True):
        asked, saved = int(job["gpus"] * job["work_ns"]), int(job["gpus"] * job["saved_ns"])
        if job["phase"] == DONE:
            assert times[PRODUCTIVE] == asked
        else:
            assert saved <= times[PRODUCTIVE] <= asked
