"""Compile kernels before the tests: two at once, instead of each by every worker that meets it."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import fleetsim as fs
from fleetsim.engine.request_gauge import gauge_of
from fleetsim.engine.request_pool import RequestPool
from fleetsim.engine.training_pool import Terms, TrainingPool, gangs
from fleetsim.model.replica import ReplicaGroup, RequestClass
from fleetsim.spec import catalog

ROOT = Path(__file__).parent.parent


def training() -> None:
    """Every function of the training kernel."""
    pool = TrainingPool(gangs(1, gpus=8, work_ns=1), Terms(), gpus=16, hours=1)
    pool.advance(0)
    pool.bring(8)
    pool.drain(16)
    pool.force()
    pool.put_back(8)
    pool.retire(8)
    pool.break_down(8)
    pool.end_outage(8)
    pool.close()


def fluid() -> None:
    """The fluid kernel and its noise."""
    with TemporaryDirectory() as results:
        fs.simulate(fs.load(ROOT / "workloads" / "contract-comparison.yaml"), results=results)


def requests() -> None:
    """Every function of the request kernel."""
    rates_rps = np.ones((1, 1))
    law = catalog.step_profiles()["llama-2-70b-2023-engine-a100-80gb"].law
    pool = RequestPool([ReplicaGroup(2, law)], [RequestClass("chat")], "shared_queue", rates_rps=rates_rps)
    pool.expect(rates_rps)
    pool.take_over(0, 1, 0, 1)
    pool.advance(1)
    pool.fail(0)
    pool.restore(0)
    pool.drain(1)
    gauge_of(pool)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        globals()[name]()
