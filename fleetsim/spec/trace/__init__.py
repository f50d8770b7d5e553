"""Traces: recorded requests, or training jobs, from public files as one canonical Parquet file.

    import_trace(source, layout, out) -> ImportReport       CSV or JSON lines to the canonical file
    read_trace(path) -> Trace                               the canonical file as arrays
    import_jobs(source, layout, out) -> JobReport           the same of jobs
    read_jobs(path) -> JobTrace
    kind_of(path) -> "requests", "jobs" or None             what a file holds
    find_format(name) -> Format or JobFormat, FORMATS       the formats, one per file of this package

Names are loaded when they are first used: `fleetsim --help` needs none of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleetsim.spec.trace.canonical import Trace, read_trace
    from fleetsim.spec.trace.formats import FORMATS, find_format
    from fleetsim.spec.trace.importing import import_trace
    from fleetsim.spec.trace.jobs.canonical import JobTrace, read_jobs
    from fleetsim.spec.trace.jobs.importing import import_jobs
    from fleetsim.spec.trace.jobs.layout import JobFormat, JobLayout
    from fleetsim.spec.trace.jobs.report import JobReport
    from fleetsim.spec.trace.kind import kind_of
    from fleetsim.spec.trace.layout import Format, Layout
    from fleetsim.spec.trace.report import BadRow, ImportReport

__all__ = ["FORMATS", "BadRow", "Format", "ImportReport", "JobFormat", "JobLayout", "JobReport", "JobTrace",
           "Layout", "Trace", "find_format", "import_jobs", "import_trace", "kind_of", "read_jobs",
           "read_trace"]

_HOMES = {
    "FORMATS": "formats",
    "find_format": "formats",
    "Format": "layout",
    "Layout": "layout",
    "BadRow": "report",
    "ImportReport": "report",
    "Trace": "canonical",
    "read_trace": "canonical",
    "import_trace": "importing",
    "JobTrace": "jobs.canonical",
    "read_jobs": "jobs.canonical",
    "import_jobs": "jobs.importing",
    "JobFormat": "jobs.layout",
    "JobLayout": "jobs.layout",
    "JobReport": "jobs.report",
    "kind_of": "kind",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"fleetsim.spec.trace.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
