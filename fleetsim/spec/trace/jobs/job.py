"""One job of a trace, and how it is read from the cells of a row."""

from collections.abc import Callable
from typing import NamedTuple

from fleetsim.spec.trace.cells import parse_count, parse_decimal, parse_time
from fleetsim.spec.trace.jobs.layout import JobLayout
from fleetsim.spec.trace.jobs.report import REASONS
from fleetsim.timebase import LAST_NS, SECOND_NS

NOTHING = frozenset({"", "none", "null", "nan", "nat", "na"})
"""Ways to write that there is no value."""
MOST_GPUS = 2**31 - 1
WHOLE_MILLI = 1_000
"""Thousandths of a whole GPU."""

UNKNOWN = "unknown"
"""Stands for a user, a team or an outcome that the file does not tell."""

Cell = Callable[[str | None], str]
"""The text under a column, without blanks around it; nothing where there is no such column."""


class Job(NamedTuple):
    """One job."""

    job_id: str
    submit_ns: int
    """From 1970, or from the file's own zero."""
    gpus: int
    gpu_frac: float
    """Share of each GPU that was asked for."""
    duration_ns: int
    queue_ns: int | None
    """As recorded."""
    user: str
    team: str
    state: str
    nodes: int | None
    priority: int | None
    remarks: tuple[str, ...]
    """What is to be counted about it: keys of REMARKS."""


class Run(NamedTuple):
    """When a job waited and ran."""

    duration_ns: int
    queue_ns: int | None
    remarks: tuple[str, ...]


def given(text: str) -> bool:
    """Whether a cell says anything."""
    return text.lower() not in NOTHING


def job_of(cell: Cell, layout: JobLayout, line: int) -> Job | str:
    """The job of a row, or the reason why it is none; of several the first in the order of REASONS."""
    job_id = cell(layout.job) if layout.job is not None else f"line {line}"
    submit_ns = submission(cell, layout)
    run = submit_ns if isinstance(submit_ns, str) else run_of(cell, layout, submit_ns)
    asked = asked_gpus(cell, layout)
    nodes, priority = number_of(cell(layout.nodes)), priority_of(cell(layout.priority), layout)
    if (isinstance(submit_ns, str) or isinstance(run, str) or isinstance(asked, str) or isinstance(nodes, str)
            or isinstance(priority, str) or not given(job_id)):
        found = (submit_ns, run, asked, nodes, priority, "" if given(job_id) else "no_id")
        return min((each for each in found if isinstance(each, str) and each), key=list(REASONS).index)
    gpus, frac = asked
    user, state = known(cell(layout.user)), known(cell(layout.state).lower())
    return Job(job_id, submit_ns, gpus, frac, run.duration_ns, run.queue_ns, user,
               known(cell(layout.team), user), layout.states.get(state, state), nodes, priority,
               (*run.remarks, "fraction") if frac < 1 else run.remarks)


def known(text: str, otherwise: str = UNKNOWN) -> str:
    """A name, or what stands for it where the file has none."""
    return text if given(text) else otherwise


def submission(cell: Cell, layout: JobLayout) -> int | str:
    """When a job was submitted; or a reason. Below 0 is a date before 1970, and no other time."""
    found = parse_time(cell(layout.submit), layout.unit)
    if found is None:
        return "unreadable_time"
    return "negative" if found < 0 and layout.unit != "iso" else found


def run_of(cell: Cell, layout: JobLayout, submit_ns: int) -> Run | str:
    """The run of a job from its start and end, or from what the file says it took; or a reason."""
    duration = cell(layout.duration)
    if layout.start is None:
        if not given(duration):
            return "no_run"
        took_ns, queue = parse_time(duration, "s"), cell(layout.queue)
        queue_ns = parse_time(queue, "s") if given(queue) else None
        if took_ns is None or (given(queue) and queue_ns is None):
            return "unreadable_number"
        if took_ns < 0 or (queue_ns or 0) < 0:
            return "negative"
        return Run(took_ns, queue_ns, ()) if took_ns else "zero_run"
    start, end = cell(layout.start), cell(layout.end)
    if not (given(start) and given(end)):
        return "no_run"
    start_ns, end_ns = parse_time(start, layout.unit), parse_time(end, layout.unit)
    if start_ns is None or end_ns is None:
        return "unreadable_time"
    if end_ns <= start_ns:
        return "negative" if end_ns < start_ns else "zero_run"
    said_ns = parse_time(duration, "s") if given(duration) else None
    differs = said_ns is not None and abs(said_ns - (end_ns - start_ns)) > SECOND_NS
    remarks = ("duration_differs",) if differs else ()
    if start_ns < submit_ns:
        return Run(end_ns - start_ns, None, (*remarks, "queue_below_zero"))
    return Run(end_ns - start_ns, start_ns - submit_ns, remarks)


def asked_gpus(cell: Cell, layout: JobLayout) -> tuple[int, float] | str:
    """Whole GPUs, rounded up, and the share of each that was asked for; or a reason."""
    milli = parse_decimal(cell(layout.gpus), 3)
    share = WHOLE_MILLI if layout.gpu_milli is None else parse_count(cell(layout.gpu_milli))
    if milli is None or share is None:
        return "unreadable_number"
    if milli < 0 or share < 0:
        return "negative"
    gpus = -(-milli // WHOLE_MILLI)
    if gpus > MOST_GPUS:
        return "too_large"
    if gpus == 0 or share == 0:
        return "no_gpu"
    return gpus, milli / (gpus * WHOLE_MILLI) * min(share, WHOLE_MILLI) / WHOLE_MILLI


def number_of(text: str) -> int | str | None:
    """A whole number, or None where there is none; or a reason."""
    if not given(text):
        return None
    found = parse_count(text)
    if found is None:
        return "unreadable_number"
    return "negative" if found < 0 else found if found <= LAST_NS else "too_large"


def priority_of(text: str, layout: JobLayout) -> int | str | None:
    """A priority, 0 the most important; a word that the format does not know has none."""
    return number_of(text) if layout.priorities is None else layout.priorities.get(text)
