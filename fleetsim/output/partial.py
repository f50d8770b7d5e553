"""A run that is being written: its directory appears whole, manifest last, or not at all."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from fleetsim.errors import UsageError
from fleetsim.output import layout
from fleetsim.output.encode import Columns
from fleetsim.output.table import Table
from fleetsim.output.table_file import TableFile
from fleetsim.output.tables import table_named
from fleetsim.output.totals import Totals


class PartialRun:
    """Writes tables into a new `<run_id>.partial-...` beside the final directory, then renames that.

    Use it as a context manager: whatever leaves the block before `publish` removes the partial
    directory, so an interrupted run leaves nothing behind.
    """

    def __init__(self, directory: Path, run_id: str, tables: Iterable[Table]) -> None:
        self.directory = directory
        self.run_id = run_id
        self.totals = Totals()
        try:
            directory.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise UsageError(f"{directory.parent} cannot be made: a file is in its place") from error
        self.partial = Path(tempfile.mkdtemp(prefix=f"{directory.name}.partial-", dir=directory.parent))
        try:
            tables_folder = self.partial / layout.TABLES_FOLDER
            tables_folder.mkdir()
            # A temporary directory is for its maker only; a run is for whom any new directory is for.
            self.partial.chmod(tables_folder.stat().st_mode & 0o777)
            self.files = {
                table.name: TableFile(layout.table_path(self.partial, table.name), table, run_id)
                for table in tables
            }
        except BaseException:
            self._discard()
            raise

    def write(self, table: str, columns: Columns) -> None:
        """Add a block of rows; ValueError when it does not fit the table's declaration."""
        self.files[table_named(table).name].write(columns)
        self.totals.add(table, columns)

    def close_tables(self, names: Iterable[str] | None = None) -> None:
        """Finish the files of these tables (all by default); they can be read from then on."""
        for name in list(self.files) if names is None else names:
            self.files[name].close()

    def write_text(self, name: str, text: str) -> None:
        """Write a file of the run beside its tables."""
        (self.partial / name).write_text(text, encoding="utf-8", newline="\n")

    def publish(self, manifest: Mapping[str, Any]) -> bool:
        """Write the manifest, then let the whole directory appear under its final name.

        False when the same run has appeared meanwhile: that one stays and this one is dropped.
        """
        self.close_tables()
        self.write_text(layout.MANIFEST, as_json(manifest))
        try:
            self.partial.rename(self.directory)
        except OSError as error:
            if not self.directory.exists():
                raise
            self._discard()
            if not layout.is_run(self.directory):
                raise not_a_run_in_the_way(self.directory) from error
            return False
        return True

    def __enter__(self) -> "PartialRun":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._discard()

    def _discard(self) -> None:
        shutil.rmtree(self.partial, ignore_errors=True)


def as_json(value: object) -> str:
    """Stable JSON: the order of the value, two spaces, no NaN."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def not_a_run_in_the_way(directory: Path) -> UsageError:
    """The error for a directory that has the run's place and is none."""
    return UsageError(f"{directory} is in the way: it has no {layout.MANIFEST}, so it is no run; "
                      "move or delete it, then run again")
