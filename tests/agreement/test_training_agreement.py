"""The training kernel against the SimPy oracle: events, jobs and GPU time, bit for bit, under all options."""

import numpy as np
import pytest
from hypothesis import given, settings
from random_training import HOURS, Case, cases
from training_job import KEPT
from training_oracle import Fleet

from fleetsim.engine import training_pool
from fleetsim.engine.training_pool import TrainingPool
from fleetsim.kernel.arrays import Array
from fleetsim.kernel.training.arrays import HELD_STATES, LOG, STATES
from fleetsim.timebase import HOUR_NS

END_NS = HOURS * HOUR_NS
SECOND_NS = 10**9


def pool_of(case: Case) -> TrainingPool:
    return TrainingPool(case.jobs, case.terms, gpus=case.gpus, lemons=case.lemons, hours=HOURS,
                        seed=case.seed)


def events(pool: TrainingPool) -> list[tuple[int, ...]]:
    return np.concatenate(pool.events or [np.zeros(0, LOG)]).tolist()


def job_time(state: training_pool.rows.State) -> list[list[int]]:
    """GPU-ns by job and state, in Python integers: they may not fit 64 bits."""
    return [[int(seconds) * SECOND_NS + int(rest) for seconds, rest in zip(*row, strict=True)]
            for row in zip(state.job_s, state.job_ns, strict=True)]


def hours_of(fleet: Fleet) -> Array:
    found = np.zeros((HOURS, len(STATES)), np.int64)
    for place, gpu_ns in fleet.hours.items():
        if gpu_ns > 0:
            found[place] = gpu_ns
    return found


def check(pool: TrainingPool, fleet: Fleet) -> None:
    """Everything that both keep."""
    assert events(pool) == fleet.log
    for name in KEPT:
        assert pool.jobs[name].tolist() == [getattr(job, name) for job in fleet.jobs], name
    cluster = pool.cluster
    for name in ("idle", "spare", "down", "idle_lemons", "spare_lemons", "down_lemons", "domains_down",
                 "domain_gpus_down", "software_rate"):
        assert cluster[name] == getattr(fleet, name), name
    assert cluster["running_gpus"] == fleet.held
    assert cluster["waiting"] == len(fleet.waiting)
    assert pool.state.active[: cluster["active"]].tolist() == [job.number for job in fleet.active]
    check_time(pool.state, fleet)


def check_time(state: training_pool.rows.State, fleet: Fleet) -> None:
    np.testing.assert_array_equal(state.hours, hours_of(fleet))
    assert job_time(state) == [[fleet.time[job.number, kind] for kind in range(HELD_STATES)]
                               for job in fleet.jobs]


@given(case=cases())
@settings(max_examples=max(150, settings().max_examples))
def test_the_kernel_does_what_the_oracle_does(case: Case) -> None:
    pool = pool_of(case)
    pool.advance(END_NS)
    fleet = Fleet(case.jobs, case.terms, gpus=case.gpus, lemons=case.lemons, seed=case.seed)
    fleet.advance(END_NS)
    check(pool, fleet)


@given(case=cases())
@settings(max_examples=max(100, settings().max_examples))
def test_pieces_add_up_to_the_whole(case: Case) -> None:
    """Stops on the way, and a log so short that it is emptied on the way, change nothing."""
    whole = pool_of(case)
    whole.advance(END_NS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_pool, "FIRST_LOG_ROWS", 17)
        pieces = pool_of(case)
        for until_ns in (*case.splits_ns, END_NS):
            pieces.advance(until_ns)
    assert events(pieces) == events(whole)
    assert pieces.jobs.tobytes() == whole.jobs.tobytes()
    assert pieces.state.hours.tobytes() == whole.state.hours.tobytes()
    assert job_time(pieces.state) == job_time(whole.state)
