"""The declarations: types that every reader takes, names, keys, references."""

import re

import pyarrow as pa
import pytest

from fleetsim.errors import UsageError
from fleetsim.output.table import INT, KEY, SINGLE, Table, arrow_type, table
from fleetsim.output.tables import DIMENSION_OF, TABLES, table_named
from fleetsim.units import Column

ALLOWED = {
    pa.timestamp("us", tz="UTC"), pa.date32(), pa.int64(), pa.float64(), pa.float32(), pa.decimal128(20, 6),
    pa.bool_(), pa.string(), pa.dictionary(pa.int32(), pa.string()),
}


def allowed(dtype: str) -> bool:
    """Whether it stands for a type that every reader takes."""
    try:
        return arrow_type(dtype) in ALLOWED
    except KeyError:
        return False


def faults(found: Table) -> list[str]:
    """What is wrong with a table's declaration."""
    names = [column.name for column in found.columns]
    snake_case = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
    wrong = [f"{name}: no snake case" for name in names if not snake_case.fullmatch(name)]
    wrong += [f"{name}: twice" for name in names if names.count(name) > 1]
    wrong += [f"{name}: key without a column" for name in found.key if name not in names]
    wrong += [f"{column.name}: {column.dtype}" for column in found.columns if not allowed(column.dtype)]
    wrong += [f"{column.name}: no meaning" for column in found.columns if not column.meaning.endswith(".")]
    wrong += [f"{column.name}: float32" for column in found.columns
              if column.dtype == SINGLE and not found.name.startswith("series_")]
    if names[:1] != ["run_id"] or found.key[:1] != ("run_id",):
        wrong.append("run_id does not come first")
    return wrong


@pytest.mark.parametrize("name", TABLES)
def test_declaration(name: str) -> None:
    assert faults(TABLES[name]) == []


def test_faults_are_found() -> None:
    column = Column("Bad", "uint64", "", "no full stop")
    broken = Table("x", "x", ("nothing",), (column, column, Column("y", SINGLE, "", "Single.")))
    assert faults(broken) == [
        "Bad: no snake case", "Bad: no snake case", "Bad: twice", "Bad: twice",
        "nothing: key without a column", "Bad: uint64", "Bad: uint64", "Bad: no meaning", "Bad: no meaning",
        "y: float32", "run_id does not come first",
    ]


def test_names() -> None:
    expected = {
        "fact_capacity_hourly", "fact_traffic_hourly", "fact_wait_hourly", "fact_cost_hourly", "fact_event",
        "fact_published", "fact_objective", "fact_latency_hourly", "fact_cost_allocation_hourly",
        "fact_commitment_hourly", "fact_invoice_monthly", "fact_pnl_monthly", "fact_training_job",
        "fact_delivery", "fact_budget_monthly", "series_step_capacity", "series_step_traffic", "dim_run",
        "dim_fleet", "dim_pool",
        "dim_gpu",
        "dim_service", "dim_traffic_class", "dim_contract", "dim_date",
    }
    assert set(TABLES) == expected


@pytest.mark.parametrize(("column", "dimension"), DIMENSION_OF.items())
def test_references_go_to_the_key_of_a_dimension(column: str, dimension: str) -> None:
    assert TABLES[dimension].key == tuple(dict.fromkeys(["run_id", column]))
    uses = [found.name for found in TABLES.values() if found.column(column)]
    assert set(uses) >= {dimension}
    assert all(TABLES[name].column(column).dtype == KEY for name in uses)


def test_fields_say_unit_meaning_and_additivity() -> None:
    field = TABLES["fact_cost_hourly"].schema().field("effective_usd")
    assert field.metadata[b"unit"] == b"USD"
    assert field.metadata[b"additive"] == b"true"
    assert field.metadata[b"meaning"].startswith(b"What the hour cost")
    waiting = TABLES["fact_traffic_hourly"].schema().field("messages_waiting")
    assert waiting.metadata[b"additive"] == b"false"


def test_key_columns_are_not_nullable() -> None:
    found = table("t", "hour", "a", Column("a", INT, "", "A."), Column("b", INT, "", "B."))
    assert [field.nullable for field in found.schema()] == [False, False, True]


NULLABLE = tuple(f"{name}_gpu_hours" for name in (
    "active", "productive", "checkpointing", "lost", "restarting", "blocked", "idle", "spare", "repair",
    "maintenance"))


def test_columns_that_are_null_for_some_rows_say_so() -> None:
    """So that nobody reads their null as 0."""
    columns = TABLES["fact_capacity_hourly"].columns
    assert tuple(column.name for column in columns if "; null " in column.meaning) == NULLABLE


def test_unknown_table() -> None:
    with pytest.raises(UsageError, match="did you mean 'fact_cost_hourly'"):
        table_named("fact_cost_hourl")
