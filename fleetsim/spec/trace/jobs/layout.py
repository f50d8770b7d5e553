"""What a file of jobs looks like: which column holds what, in which unit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fleetsim.spec.trace.layout import TimeUnit


@dataclass(frozen=True, kw_only=True)
class JobLayout:
    """The columns of one file. Names are matched exactly, in any order; other columns are ignored.

    The run time is end - start where the layout has both, otherwise the column `duration`.
    """

    name: str
    """Name of the format."""
    submit: str
    """Column with the submission."""
    gpus: str
    """Column with the GPUs that a job asks for."""
    job: str | None = None
    """Column with the id; none: the number of the line."""
    start: str | None = None
    """Column with the start of the run."""
    end: str | None = None
    """Column with its end."""
    duration: str | None = None
    """Column with the run time, seconds."""
    queue: str | None = None
    """Column with the wait, seconds; with `start` the wait is start - submission."""
    user: str | None = None
    team: str | None = None
    """Column with the team; none: the user stands for it."""
    state: str | None = None
    """Column with the outcome."""
    nodes: str | None = None
    """Column with the number of nodes."""
    priority: str | None = None
    """Column with a whole number, 0 the most important, or with a key of `priorities`."""
    gpu_milli: str | None = None
    """Column with thousandths of each GPU that are asked for."""
    unit: TimeUnit = "iso"
    """ISO 8601 (UTC where no zone is written), or a number of these."""
    states: Mapping[str, str] = field(default_factory=dict)
    """Outcomes of the file that have another name in a trace."""
    priorities: Mapping[str, int] | None = None
    """Words that stand for priorities."""
    also: tuple[str, ...] = ()
    """Columns that tell the format from others."""
    lines: Literal["csv", "list"] = "csv"
    """CSV with a header, or one JSON list of objects."""

    def columns(self) -> list[str]:
        """The columns that a file must have."""
        named = (self.job, self.submit, self.gpus, self.start, self.end, self.user, self.team, self.state,
                 self.nodes, self.priority, self.gpu_milli, *self.also)
        timed = () if self.start is not None else (self.duration, self.queue)
        return list(dict.fromkeys(column for column in (*named, *timed) if column is not None))


@dataclass(frozen=True)
class JobFormat:
    """A public format of jobs."""

    layout: JobLayout | None
    """Its columns; none when the caller names them (`jobs`)."""
    about: str
    """What publishes it, in one line."""
