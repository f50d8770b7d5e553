"""Every table of a run directory, by name, and how their keys refer to each other."""

from collections.abc import Mapping

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.output.billing_tables import BILLING_TABLES
from fleetsim.output.dimension_tables import DIMENSION_TABLES
from fleetsim.output.fact_tables import FACT_TABLES
from fleetsim.output.finance_tables import FINANCE_TABLES
from fleetsim.output.series_tables import SERIES_TABLES
from fleetsim.output.table import Table
from fleetsim.output.training_tables import TRAINING_TABLES

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (*FACT_TABLES, *BILLING_TABLES, *FINANCE_TABLES, *TRAINING_TABLES, *SERIES_TABLES,
                  *DIMENSION_TABLES)
}
"""All of them; a run has a file of each, with zero rows where the scenario does not fill it."""

DIMENSION_OF: Mapping[str, str] = {
    "run_id": "dim_run",
    "fleet": "dim_fleet",
    "pool": "dim_pool",
    "gpu": "dim_gpu",
    "service": "dim_service",
    "traffic_class": "dim_traffic_class",
    "contract": "dim_contract",
}
"""The dimension that a column of this name refers to, in every table."""


def table_named(name: str) -> Table:
    """The table of that name; UsageError when there is none."""
    found = TABLES.get(name)
    if found is None:
        raise UsageError(f"no table {name!r}; {did_you_mean(name, list(TABLES))}")
    return found
