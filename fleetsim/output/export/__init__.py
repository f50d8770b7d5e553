"""A finished run as files of other kinds: FOCUS rows, CSV, a DuckDB database, a workbook for people.

An export appears whole or not at all, never inside a run, and only when it adds up to the run's manifest.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from fleetsim.errors import UsageError
from fleetsim.output.export.periods import Grain
from fleetsim.output.export.reconcile import Sums, reconcile
from fleetsim.output.export.target import Target

if TYPE_CHECKING:
    from fleetsim.output.run import Run

Format = Literal["focus", "csv", "duckdb", "xlsx"]
SUFFIXES: dict[str, str] = {"focus": ".parquet", "csv": "", "duckdb": ".duckdb", "xlsx": ".xlsx"}
"""How the name of each kind ends; csv is a folder with one file per table."""


class Exported(NamedTuple):
    """What was written, and what it adds up to."""

    paths: list[Path]
    """The export itself first."""
    sums: Sums


def export(run: "Run", to: Format, path: "str | Path | None" = None, *, grain: Grain | None = None,
           force: bool = False) -> Exported:
    """Write a run as FOCUS 1.2 (`focus`), `csv`, `duckdb` or `xlsx`, and say what the files add up to.

    `path` is a file (for csv a folder), by default `<scenario>-<run id>` and the kind in the current
    folder. `grain` is for FOCUS: month (default) or hour. UsageError when the place is taken and not
    `force`, lies in a run, or the totals are not those of the manifest.
    """
    if to not in SUFFIXES:
        raise UsageError(f"cannot export to {to!r}; known: {', '.join(SUFFIXES)}")
    if grain not in (None, "month", "hour"):
        raise UsageError(f"grain {grain!r} is neither month nor hour")
    if grain is not None and to != "focus":
        raise UsageError(f"a grain is for FOCUS exports; {to} holds the tables as they are")
    place = default_path(run, to) if path is None else Path(path)
    if SUFFIXES[to] and place.suffix != SUFFIXES[to]:
        raise UsageError(f"{place}: the name of a {to} export ends in {SUFFIXES[to]}")
    with Target(place, force=force) as target:
        beside: tuple[str, ...] = ()
        if to == "focus":
            from fleetsim.output.export.focus import write_focus, write_metadata

            sums = write_focus(run, target.partial(), grain or "month")
            beside = (f"{place.stem}.metadata.json",)
            write_metadata(run, target.partial(beside[0]), target.partial())
        elif to == "csv":
            from fleetsim.output.export.csv_files import write_csv

            sums = write_csv(run, target.partial())
        elif to == "duckdb":
            from fleetsim.output.export.duckdb_file import write_duckdb

            sums = write_duckdb(run, target.partial())
        else:
            from fleetsim.output.export.workbook import write_workbook

            sums = write_workbook(run, target.partial())
        reconcile(run, sums, place)
        return Exported(target.publish(*beside), sums)


def default_path(run: "Run", to: Format) -> Path:
    """`<scenario>-<run id>-<kind>` in the current folder; the kind is in the suffix where it has its own."""
    name = f"{run.path.parent.name}-{run.run_id}"
    return Path(f"{name}-{to}{SUFFIXES[to]}" if to in ("focus", "csv") else f"{name}{SUFFIXES[to]}")


__all__ = ["Exported", "Format", "Grain", "Sums", "default_path", "export"]
