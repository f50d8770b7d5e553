"""The sink of a run, and all that follows the last block: dimensions, figures, summary, manifest."""

import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from fleetsim.model.scenario import Scenario
from fleetsim.output import layout
from fleetsim.output.database import connect
from fleetsim.output.dimensions import JOBS, dimension_rows, job_labels, labelled_tables, recorded_from
from fleetsim.output.encode import Columns
from fleetsim.output.facts import TABLES_READ, Facts, Things
from fleetsim.output.manifest import identity, manifest
from fleetsim.output.partial import PartialRun, as_json, not_a_run_in_the_way
from fleetsim.output.run import Run
from fleetsim.output.scenario_text import to_yaml
from fleetsim.output.summary import summary
from fleetsim.output.tables import TABLES
from fleetsim.output.verdicts import objective_rows, published_rows
from fleetsim.output.window import Window

COMPARED = ("fact_published", "fact_objective")
"""Tables made from figures, so written after all others can be read."""


class RunWriter:
    """The sink that a simulation records into. `close` finishes the run and opens it.

    A context manager: whatever leaves the block before `close` is through leaves no directory behind.
    """

    def __init__(self, results: Path, scenario: Scenario, *, seed: int, replication: int,
                 resolution: str) -> None:
        self.scenario = scenario
        self.seed = seed
        self.replication = replication
        self.resolution = resolution
        self.run_id = layout.run_id(scenario, seed=seed, replication=replication, resolution=resolution)
        self.directory = layout.run_directory(results, scenario, self.run_id)
        if self.directory.exists() and not layout.is_run(self.directory):
            raise not_a_run_in_the_way(self.directory)
        tables = {**TABLES, **labelled_tables(scenario)}
        self._partial = PartialRun(self.directory, self.run_id, tables.values())

    def write(self, table: str, columns: Columns) -> None:
        """Add a block of rows; ValueError when it does not fit the table's declaration."""
        if table == JOBS:
            columns = {**columns, **job_labels(self.scenario, columns["job"])}
        self._partial.write(table, columns)

    def close(self, timings: Mapping[str, float] | None = None) -> Run:
        """Finish everything and return the run. `timings` (seconds of CPU by stage) go to its log."""
        began = time.process_time()
        partial, scenario = self._partial, self.scenario
        rows = dimension_rows(scenario, seed=self.seed, replication=self.replication,
                              resolution=self.resolution)
        for name, columns in rows.items():
            partial.write(name, columns)
        partial.close_tables(name for name in partial.files if name not in COMPARED)
        written = time.process_time()
        text = self._compare()
        partial.write_text(layout.SUMMARY, as_json(text))
        partial.write_text(layout.SCENARIO, to_yaml(scenario.source))
        compared = time.process_time()
        log = {**(timings or {}), "tables_cpu_s": written - began, "figures_cpu_s": compared - written}
        partial.write_text(layout.LOG, as_json({name: round(value, 6) for name, value in log.items()}))
        is_new = partial.publish(manifest(
            self._identity(), directory=partial.partial, inputs=scenario.inputs, horizon=text["horizon"],
            files={file.table: file.rows for file in partial.files.values()},
            others=(layout.SCENARIO, layout.SUMMARY), totals=text["totals"],
        ))
        return Run(self.directory, reused=not is_new)

    def _identity(self) -> dict[str, Any]:
        return identity(self.scenario, self.run_id, seed=self.seed, replication=self.replication,
                        resolution=self.resolution)

    def _compare(self) -> dict[str, Any]:
        """Figures, published facts and objectives: the last two tables, and the summary."""
        partial, scenario = self._partial, self.scenario
        connection = connect(partial.partial, TABLES_READ, threads=1)
        things = Things.of(connection)

        @cache
        def facts_over(window: Window) -> Facts:
            return Facts(connection, things, window)

        whole = Window(recorded_from(scenario), scenario.horizon.end)
        facts = facts_over(whole)
        compared = {
            "fact_published": published_rows(scenario, facts_over, whole),
            "fact_objective": objective_rows(scenario.objectives, facts),
        }
        for name, rows in compared.items():
            if rows:
                partial.write(name, {column: [row[column] for row in rows] for column in rows[0]})
        partial.close_tables(COMPARED)
        text = summary(scenario, facts, partial.totals, sum(file.rows for file in partial.files.values()),
                       identity=self._identity(), published=compared["fact_published"],
                       objectives=compared["fact_objective"])
        connection.close()
        return text

    def __enter__(self) -> "RunWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._partial.__exit__(kind, error, trace)


def open_writer(results: Path, scenario: Scenario, *, seed: int, replication: int = 0,
                resolution: str = "hour") -> RunWriter:
    """A writer for a run under `results`; UsageError when something that is no run has its place."""
    return RunWriter(Path(results), scenario, seed=seed, replication=replication, resolution=resolution)
