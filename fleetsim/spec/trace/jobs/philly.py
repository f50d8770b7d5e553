"""Microsoft Philly (msr-fiddle/philly-traces, cluster_job_log): 117,325 jobs, August to December 2017.

One JSON list:

    [{"status": "Pass", "vc": "ee9e8c", "jobid": "application_1506638472019_14199", "user": "ce2f4c",
      "submitted_time": "2017-10-07 01:11:39",
      "attempts": [{"start_time": "2017-10-07 01:12:09", "end_time": "2017-10-07 01:13:23",
                    "detail": [{"ip": "m47", "gpus": ["gpu0", "gpu1"]}]}]}, ...]

Times have no zone. A job runs as long as its attempts together; its GPUs and nodes are those of the last
attempt that has both times. Attempts without a start or an end are passed over and counted: nothing says how
long they ran, as of a job that still ran when the log was written.
"""

from typing import Any, NamedTuple

from fleetsim.spec.trace.cells import parse_time
from fleetsim.spec.trace.jobs.job import Job, given, known
from fleetsim.spec.trace.jobs.layout import JobFormat, JobLayout

STATES = {"pass": "completed", "killed": "cancelled"}
PHILLY = JobFormat(
    JobLayout(name="philly", job="jobid", submit="submitted_time", gpus="attempts", user="user", team="vc",
              state="status", states=STATES, lines="list"),
    "Microsoft Philly 2017: five months of a shared training cluster",
)


class Attempt(NamedTuple):
    """A run of a job on certain servers."""

    start_ns: int
    end_ns: int
    gpus: int
    nodes: int


def philly_job(found: dict[str, Any]) -> Job | str:
    """The job of an entry of the log, or the reason why it is none."""
    attempts = found.get("attempts")
    if "jobid" not in found or "submitted_time" not in found or not isinstance(attempts, list):
        return "missing_columns"
    if not given(_text(found["jobid"])):
        return "no_id"
    submit_ns = parse_time(_text(found["submitted_time"]), "iso")
    if submit_ns is None:
        return "unreadable_time"
    ran = [each for each in map(attempt_of, attempts) if each is not None]
    if not ran:
        return "no_run"
    last, duration_ns = ran[-1], sum(each.end_ns - each.start_ns for each in ran)
    if last.gpus == 0:
        return "no_gpu"
    if duration_ns == 0:
        return "zero_run"
    remarks = []
    if len(ran) < len(attempts):
        remarks.append("attempts_without_times")
    if len({each.gpus for each in ran}) > 1:
        remarks.append("gpus_change")
    queue_ns: int | None = min(each.start_ns for each in ran) - submit_ns
    if queue_ns is not None and queue_ns < 0:
        queue_ns = None
        remarks.append("queue_below_zero")
    status, user = known(_text(found.get("status")).lower()), known(_text(found.get("user")))
    return Job(_text(found["jobid"]), submit_ns, last.gpus, 1.0, duration_ns, queue_ns, user,
               known(_text(found.get("vc")), user), STATES.get(status, status), last.nodes, None,
               tuple(remarks))


def attempt_of(found: Any) -> Attempt | None:
    """An attempt with both its times in order; None for every other one."""
    if not isinstance(found, dict):
        return None
    start_ns = parse_time(_text(found.get("start_time")), "iso")
    end_ns = parse_time(_text(found.get("end_time")), "iso")
    if start_ns is None or end_ns is None or end_ns < start_ns:
        return None
    detail = found.get("detail")
    servers = [each for each in detail if isinstance(each, dict)] if isinstance(detail, list) else []
    held = [len(each["gpus"]) for each in servers if isinstance(each.get("gpus"), list)]
    return Attempt(start_ns, end_ns, sum(held), len(held))


def _text(value: Any) -> str:
    """A value as text; nothing for null."""
    return "" if value is None else str(value).strip()
