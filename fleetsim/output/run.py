"""A finished run, opened to read: tables, SQL, figures, summary."""

import json
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.output import layout
from fleetsim.output.frames import as_frame, with_int64
from fleetsim.output.manifest import SCHEMA_VERSION, listed_files
from fleetsim.output.window import Days, Window, on_the_hour
from fleetsim.timebase import iso
from fleetsim.units import as_utc


class Run:
    """The directory of one run. UsageError when there is none, or when it is not whole."""

    def __init__(self, path: Path | str, *, reused: bool = False) -> None:
        self.path = Path(path)
        self.reused = reused
        """Whether the results were there already when a simulation asked for them."""
        self.manifest = _manifest(self.path)
        _check_files(self.path, self.manifest)

    @property
    def run_id(self) -> str:
        """Hash of everything the run was made from."""
        return str(self.manifest["run_id"])

    @property
    def tables(self) -> list[str]:
        """The names of its tables."""
        return [str(entry["name"]) for entry in self.manifest["tables"]]

    @cached_property
    def summary(self) -> dict[str, Any]:
        """What `summary.json` says."""
        try:
            return dict(json.loads((self.path / layout.SUMMARY).read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise _damaged(self.path, layout.SUMMARY, error) from error

    @cached_property
    def scenario(self) -> dict[str, Any]:
        """The resolved scenario as plain data."""
        from fleetsim.output.scenario_text import from_yaml

        return from_yaml(self.path / layout.SCENARIO)

    @property
    def window(self) -> Window:
        """The recorded hours."""
        horizon = self.manifest["horizon"]
        return Window(as_utc(horizon["recorded_from"]), as_utc(horizon["end"]))

    def arrow(self, name: str) -> Any:
        """A table as `pyarrow.Table`, amounts as exact decimals."""
        import pyarrow.parquet as pq

        return pq.ParquetFile(self._file(name)).read()

    def table(self, name: str) -> Any:
        """A table as `pandas.DataFrame`, amounts as float64 (`arrow` keeps them exact)."""
        return as_frame(self.arrow(name))

    def sql(self, query: str) -> Any:
        """The result of an SQL query over the tables, as `pandas.DataFrame`, amounts as float64.

        The query is one SELECT (or EXPLAIN, DESCRIBE). UsageError when it is anything else, and with
        DuckDB's own words when it is wrong.
        """
        return as_frame(self.query(query))

    def query(self, query: str) -> Any:
        """The same as `pyarrow.Table`: amounts stay exact, and pandas is not needed."""
        import duckdb

        from fleetsim.output.database import only_a_question

        try:
            relation = self._database.sql(only_a_question(self._database, query))
            rows = None if relation is None else relation.to_arrow_table()
        except duckdb.Error as error:
            raise UsageError(f"the query failed: {error}") from error
        if rows is None:
            raise UsageError("the query gives no rows; begin it with select")
        return with_int64(rows)

    def verify(self) -> list[str]:
        """Every way in which the run is not what its manifest says; empty when it is sound."""
        from fleetsim.output.verification import verify

        return verify(self)

    def figure(self, name: str, start: datetime | str | None = None, end: datetime | str | None = None,
               days: Days = "all") -> float | str | None:
        """A registered figure, over the whole run or a window of it, on all days or some."""
        from fleetsim.output.figures import compute

        whole = self.window
        try:
            first, last = (None if at is None else as_utc(at) for at in (start, end))
            window = whole.part(first, last, days)
        except ValueError as error:
            raise UsageError(str(error)) from error
        for at in (first, last):
            if at is not None and not on_the_hour(at):
                raise UsageError(f"{name}: a window begins and ends on whole hours; {iso(at)} is none")
        if window is None:
            raise UsageError(f"no recorded hour from {start} to {end} on {days}: the run records "
                             f"{whole.start:%Y-%m-%d %H:%M} to {whole.end:%Y-%m-%d %H:%M} UTC")
        return compute(self._facts(window), name)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @cached_property
    def _database(self) -> Any:
        from fleetsim.output.database import connect

        return connect(self.path, self.tables)

    @cached_property
    def _figures(self) -> dict[Window, Any]:
        return {}

    def _facts(self, window: Window) -> Any:
        from fleetsim.output.database import connect
        from fleetsim.output.facts import TABLES_READ, Facts, Things

        if window not in self._figures:
            others = list(self._figures.values())
            if others:
                self._figures[window] = others[0].over(window)
            else:
                connection = connect(self.path, TABLES_READ, threads=1)
                self._figures[window] = Facts(connection, Things.of(connection), window)
        return self._figures[window]

    def _file(self, name: str) -> Path:
        if name not in self.tables:
            raise UsageError(f"no table {name!r} in {self.path}; {did_you_mean(name, self.tables)}")
        return layout.table_path(self.path, name)


def _manifest(path: Path) -> dict[str, Any]:
    if not path.is_dir():
        raise UsageError(f"{path} is no directory; give the directory of a run, results/<scenario>/<run_id>")
    if not layout.is_run(path):
        runs = sorted(found.parent.name for found in path.glob(f"*/{layout.MANIFEST}"))
        hint = f"it holds the runs {', '.join(runs[:5])}" if runs else \
            "the run was never finished; run its scenario again"
        raise UsageError(f"{path} is no run: it has no {layout.MANIFEST}; {hint}")
    try:
        manifest = json.loads((path / layout.MANIFEST).read_text(encoding="utf-8"))
        version = manifest["schema_version"]
        parts = [manifest[key] for key in ("run_id", "generator_version", "horizon", "totals")]
        parts += [(file["path"], file["bytes"]) for file in listed_files(manifest)]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, layout.MANIFEST, error) from error
    if version > SCHEMA_VERSION:
        raise UsageError(f"{path} was written by fleetsim {manifest['generator_version']} in schema "
                         f"{version}; this one reads schema {SCHEMA_VERSION}: upgrade it")
    return dict(manifest)


def _damaged(path: Path, name: str, error: Exception) -> UsageError:
    """The error for a file of the run that says nothing."""
    return UsageError(f"{path} is damaged: {name} cannot be read ({error!r}); delete it and run again")


def _check_files(path: Path, manifest: dict[str, Any]) -> None:
    """Every file of the manifest is there in its size (`verify` compares the bytes)."""
    for entry in listed_files(manifest):
        file = path / entry["path"]
        size = file.stat().st_size if file.is_file() else None
        if size != entry["bytes"]:
            fault = "is missing" if size is None else f"has {size} bytes instead of {entry['bytes']}"
            raise UsageError(f"{path} is damaged: {entry['path']} {fault}; delete it and run again")


def open_run(path: Path | str) -> Run:
    """The run at `path`; UsageError when there is none, or when it is not whole."""
    return Run(path)
