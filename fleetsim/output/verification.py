"""Whether a run is what its manifest says: bytes, rows, columns, keys and totals."""

from decimal import Decimal
from typing import Any

from fleetsim.output.manifest import file_entry, listed_files
from fleetsim.output.run import Run
from fleetsim.output.tables import DIMENSION_OF

SUM_FRAC = 1e-9
"""Relative difference that two orders of adding floats may make."""


def verify(run: Run) -> list[str]:
    """Every difference found, in words; empty when the run is sound.

    Files have their sha256, tables their rows and columns, keys are unique and refer to rows of the
    dimensions, and the totals of the manifest equal the tables: money exactly. Histograms of latency count
    the served messages.
    """
    changed = _changed_files(run)
    return changed or [*_tables(run), *_keys(run), *_totals(run), *_latencies(run)]


def _changed_files(run: Run) -> list[str]:
    return [
        f"{entry['path']}: its bytes are not those the manifest was written for"
        for entry in listed_files(run.manifest)
        if file_entry(run.path / entry["path"], entry["path"])["sha256"] != entry["sha256"]
    ]


def _tables(run: Run) -> list[str]:
    import pyarrow.parquet as pq

    faults = []
    for table in run.manifest["tables"]:
        columns = [column["name"] for column in table["columns"]]
        for file in table["files"]:
            found = pq.ParquetFile(run.path / file["path"])
            if found.metadata.num_rows != file["rows"]:
                faults.append(f"{file['path']}: {found.metadata.num_rows} rows instead of {file['rows']}")
            if found.schema_arrow.names != columns:
                faults.append(f"{file['path']}: columns {found.schema_arrow.names} instead of {columns}")
    return faults


def _keys(run: Run) -> list[str]:
    """Rows with the same key, and names that their dimension does not know."""
    faults = []
    for table in run.manifest["tables"]:
        name, key = table["name"], ", ".join(table["primary_key"])
        doubled = _one(run, f"select count(*) from (select 1 from {name} group by {key} having count(*) > 1)")
        faults += [f"{name}: {doubled} keys stand in more than one row"] if doubled else []
        for column in table["columns"]:
            dimension = DIMENSION_OF.get(column["name"])
            if dimension in (None, name):
                continue
            shared = "run_id" if column["name"] == "run_id" else f"run_id, {column['name']}"
            orphan = _one(run, f"select min({column['name']}) from {name} anti join {dimension} "
                               f"using ({shared})")
            faults += [f"{name}.{column['name']}: {orphan!r} is not in {dimension}"] if orphan else []
    return faults


def _totals(run: Run) -> list[str]:
    stated = run.manifest["totals"]
    found = {
        "rows": Decimal(sum(file["rows"] for table in run.manifest["tables"] for file in table["files"])),
        **{name: _decimal(run, name) for name in stated if name.endswith("_usd")},
    }
    faults = [
        f"totals.{name}: the manifest says {stated[name]}, the tables {value}"
        for name, value in found.items() if Decimal(stated[name]) != value
    ]
    rented = float(_one(run, "select coalesce(sum(rented_gpu_hours), 0) from fact_capacity_hourly"))
    if abs(rented - float(stated["rented_gpu_hours"])) > 0.0005 + SUM_FRAC * abs(rented):
        faults.append(f"totals.rented_gpu_hours: the manifest says {stated['rented_gpu_hours']}, "
                      f"the tables {rented:.3f}")
    return faults


def _latencies(run: Run) -> list[str]:
    """Hours whose histograms of latency do not count the messages that were served in them."""
    hours = _one(run, """
        with counted as (
            select hour, traffic_class, service, sum(messages) filter (metric = 'ttft') as ttft,
                   sum(messages) filter (metric = 'e2e') as e2e,
                   coalesce(sum(messages) filter (metric = 'tpot'), 0) as tpot
            from fact_latency_hourly group by all)
        select count(*) from counted left join fact_traffic_hourly using (hour, traffic_class, service)
        where ttft is distinct from messages_served or e2e is distinct from messages_served
            or tpot > messages_served""")
    return [f"fact_latency_hourly: {hours} hours of a class and service do not count the messages served in "
            "fact_traffic_hourly"] if hours else []


def _decimal(run: Run, column: str) -> Decimal:
    return Decimal(_one(run, f"select coalesce(sum({column}), 0)::varchar from fact_cost_hourly"))


def _one(run: Run, query: str) -> Any:
    """The single value of a query."""
    return run.query(query).column(0)[0].as_py()
