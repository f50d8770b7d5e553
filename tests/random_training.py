"""Random training fleets: jobs, failures, and every rule of sharing out, in any combination."""

from dataclasses import dataclass

from hypothesis import strategies as st

from fleetsim.engine.training_pool import Terms, gangs
from fleetsim.kernel.arrays import Array
from fleetsim.kernel.training.arrays import FAIR_SHARE, FIFO, PRIORITY

MINUTE_NS = 60 * 10**9
HOURS = 60


@dataclass(frozen=True)
class Case:
    terms: Terms
    jobs: Array
    gpus: int
    lemons: int
    splits_ns: tuple[int, ...]
    """Where `advance` stops on the way."""
    seed: int


def minutes(*values: float) -> st.SearchStrategy[int]:
    """Times on a grid, so that events meet at one nanosecond, and beside it."""
    return st.tuples(st.sampled_from([round(value * MINUTE_NS) for value in values]),
                     st.sampled_from([0, 0, 0, 1, 12_345_678_901])).map(sum)


@st.composite
def terms(draw: st.DrawFn, teams: int) -> Terms:
    node_gpus = draw(st.sampled_from([1, 4, 8, 8]))
    causes = draw(st.sampled_from([(1.0,), (0.5, 0.3, 0.2)]))
    domains = draw(st.booleans())
    order = draw(st.sampled_from([PRIORITY, PRIORITY, FIFO, FAIR_SHARE]))
    return Terms(
        node_gpus=node_gpus, node_mtbf_h=draw(st.sampled_from([None, 20.0, 100.0, 500.0])),
        repair_h=draw(st.sampled_from([0.0, 0.5, 10.0, 40.0])), crews=draw(st.sampled_from([None, 1, 3])),
        spare_gpus=draw(st.sampled_from([0, 0, node_gpus, 2 * node_gpus + 1])),
        replace_s=draw(st.sampled_from([0.0, 90.0])),
        domain_gpus=draw(st.sampled_from([12, 24])) if domains else 0,
        domain_mtbf_h=draw(st.sampled_from([30.0, 200.0])) if domains else None,
        domain_repair_h=draw(st.sampled_from([0.0, 1.0, 10.0])),
        lemon_factor=draw(st.sampled_from([1.0, 10.0])),
        lemon_found_frac=draw(st.sampled_from([0.0, 0.4, 1.0])),
        order=order, backfill=draw(st.booleans()),
        preempt=order == PRIORITY and draw(st.sampled_from([True, True, False])), yields=draw(st.booleans()),
        half_life_h=draw(st.sampled_from([None, 3.0, 50.0])),
        team_shares=draw(st.sampled_from([(1.0,) * teams, (2.0, 1.0, 0.5)[:teams]])), causes=causes,
        node_causes=draw(st.integers(1, len(causes))))


@st.composite
def requests(draw: st.DrawFn, teams: int, gpus: int) -> dict[str, object]:
    """One job. Drains may take longer than an interval, gangs be smaller than a node or too large ever."""
    work_ns = draw(minutes(240, 900, 90, 30, 1)) + 1
    return {
        "submit_ns": draw(minutes(60, 0, 30, 100, 600, 1_500)), "work_ns": work_ns,
        "gpus": draw(st.sampled_from([max(8, gpus // 2), gpus, 20, 16, 8, 3, 1, gpus + 1])),
        "priority": draw(st.integers(0, 3)), "team": draw(st.integers(0, teams - 1)),
        "interval_ns": int(draw(st.sampled_from([1.0, 0.3, 0.1, 0.017])) * work_ns) + 1,
        "write_ns": draw(minutes(0, 0, 1, 10)), "drain_ns": draw(minutes(0, 0, 5, 70)),
        "detect_ns": draw(minutes(0, 1)), "restart_ns": draw(minutes(0, 5, 30)),
        "first_start_ns": draw(minutes(0, 2)), "waits": draw(st.integers(0, 1)),
        "preemptible": draw(st.sampled_from([0, 1, 1])),
        "software_per_gpu_ns": draw(st.sampled_from([0.0, 0.0, 0.02 / (60 * MINUTE_NS)]))}


@st.composite
def cases(draw: st.DrawFn, most_jobs: int = 14) -> Case:
    gpus = draw(st.sampled_from([8, 30, 48, 64]))
    teams = draw(st.integers(1, 3))
    rows = draw(st.lists(requests(teams, gpus), min_size=4, max_size=most_jobs))
    rows.sort(key=lambda row: row["submit_ns"])
    rules = draw(terms(teams))
    splits = draw(st.lists(minutes(*range(0, 60 * HOURS, 150)), max_size=6))
    return Case(terms=rules, jobs=gangs(len(rows), **{name: [row[name] for row in rows] for name in rows[0]}),
                gpus=gpus, lemons=draw(st.integers(0, gpus // rules.node_gpus // 2)),
                splits_ns=tuple(sorted(splits)), seed=draw(st.integers(0, 2**31)))
