"""Any CSV of jobs whose columns the caller names."""

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.spec.trace.jobs.layout import JobFormat, JobLayout
from fleetsim.spec.trace.layout import UNITS, TimeUnit, named_columns

JOBS = JobFormat(None, "any CSV of jobs: name the columns with --time-column and so on")


def jobs_layout(*, submit: str | None, gpus: str | None, duration: str | None, job: str | None = None,
                queue: str | None = None, user: str | None = None, team: str | None = None,
                state: str | None = None, nodes: str | None = None, priority: str | None = None,
                unit: str = "iso") -> JobLayout:
    """The layout of a file whose columns are named; UsageError when one of the first three is not,
    or two of them are one."""
    submitted, sizes, durations = named_columns(
        {"--time-column": submit, "--gpus-column": gpus, "--duration-column": duration}, "jobs")
    found: TimeUnit | None = next((each for each in ("iso", *UNITS) if each == unit), None)
    if found is None:
        raise UsageError(f"unknown time unit {unit!r} ({did_you_mean(unit, ['iso', *UNITS])})")
    return JobLayout(name="jobs", submit=submitted, gpus=sizes, duration=durations, job=job, queue=queue,
                     user=user, team=team, state=state, nodes=nodes, priority=priority, unit=found)
