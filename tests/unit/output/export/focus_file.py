"""A FOCUS file that can be asked in SQL."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

import fleetsim as fs
from fleetsim.output.export import Grain
from fleetsim.output.run import Run


@dataclass(frozen=True)
class FocusFile:
    """Where it lies and which run it is of."""

    path: Path
    run: Run
    grain: Grain

    @classmethod
    def of(cls, run: Run, path: Path, grain: Grain) -> "FocusFile":
        """The export of a run."""
        fs.export(run, "focus", path, grain=grain)
        return cls(path, run, grain)

    @property
    def table(self) -> Any:
        """All of it, as `pyarrow.Table`."""
        return pq.ParquetFile(self.path).read()

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """The rows of a question to the view `focus`; amounts are decimals."""
        connection = duckdb.connect()
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"create view focus as select * from read_parquet('{self.path}')")
        return list(connection.sql(question).fetchall())

    def total(self, column: str, where: str = "true") -> Decimal:
        """The sum of a column."""
        return Decimal(self.ask(f"select coalesce(sum({column}), 0) from focus where {where}")[0][0])


def of_run(run: Run, question: str) -> list[tuple[Any, ...]]:
    """The rows of a question to a run's tables."""
    rows = run.query(question)
    return list(zip(*(column.to_pylist() for column in rows.columns), strict=True))
