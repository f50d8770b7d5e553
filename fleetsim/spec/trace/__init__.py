"""Traces: recorded requests from public files, as one canonical Parquet file.

    import_trace(source, layout, out) -> ImportReport       CSV or JSON lines to the canonical file
    read_trace(path) -> Trace                               the canonical file as arrays
    find_format(name) -> Format, FORMATS                    the formats, one per file of this package

Names are loaded when they are first used: `fleetsim --help` needs none of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleetsim.spec.trace.canonical import Trace, read_trace
    from fleetsim.spec.trace.formats import FORMATS, find_format
    from fleetsim.spec.trace.importing import import_trace
    from fleetsim.spec.trace.layout import Format, Layout
    from fleetsim.spec.trace.report import BadRow, ImportReport

__all__ = ["FORMATS", "BadRow", "Format", "ImportReport", "Layout", "Trace", "find_format", "import_trace",
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
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"fleetsim.spec.trace.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
