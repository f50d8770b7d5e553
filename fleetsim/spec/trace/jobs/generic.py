"""Any CSV of jobs whose columns the caller names."""

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.spec.trace.jobs.layout import JobFormat, JobLayout
from fleetsim.spec.trace.layout import UNITS, TimeUnit

JOBS = JobFormat(None, "any CSV of jobs: name the columns with --time-column and so on")


def jobs_layout(*, submit: str | None, gpus: str | None, duration: str | None, job: str | None = None,
                queue: str | None = None, user: str | None = None, team: str | None = None,
                state: str | None = None, nodes: str | None = None, priority: str | None = None,
                unit: str = "iso") -> JobLayout:
    """The layout of a file whose columns are named; UsageError when one of the first three is not."""
    if submit is None or gpus is None or duration is None:
        options = {"--time-column": submit, "--gpus-column": gpus, "--duration-column": duration}
        missing = ", ".join(option for option, column in options.items() if column is None)
        raise UsageError(f"--format jobs needs {missing}")
    found: TimeUnit | None = next((each for each in ("iso", *UNITS) if each == unit), None)
    if found is None:
        raise UsageError(f"unknown time unit {unit!r} ({did_you_mean(unit, ['iso', *UNITS])})")
    return JobLayout(name="jobs", submit=submit, gpus=gpus, duration=duration, job=job, queue=queue,
                     user=user, team=team, state=state, nodes=nodes, priority=priority, unit=found)
