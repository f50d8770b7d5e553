"""Actual costs: what was really paid by month, from a plain table or a FOCUS file, CSV or Parquet.

A plain table has `month`, `billed_usd` or `effective_usd` or both, and any of `provider`, `fleet` and
`contract`. A FOCUS file has its own column names; other columns are not looked at.
"""

import csv
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from io import StringIO
from pathlib import Path
from typing import Any

from fleetsim.errors import UsageError

FOCUS = {"BillingPeriodStart": "month", "BilledCost": "billed_usd", "EffectiveCost": "effective_usd",
         "ProviderName": "provider", "x_FleetName": "fleet", "x_ContractName": "contract",
         "BillingCurrency": "currency"}
"""FOCUS column: its name here. A fleet and a contract are in files that fleetsim exported."""
AMOUNTS = ("billed_usd", "effective_usd")
KEYS = ("provider", "fleet", "contract")
COLUMNS = {name.lower(): own for name, own in
           (*FOCUS.items(), *((name, name) for name in ("month", *AMOUNTS, *KEYS)))}
MOST_FAULTS = 10
"""So many faults of a file are told at once."""
MONTH = re.compile(r"\d{4}-\d{2}")


@dataclass(frozen=True)
class Actual:
    """One row: amounts of a month."""

    month: date
    """Its first day."""
    key: tuple[str, ...]
    """Provider, fleet and contract as far as the file has them, as they are written there."""
    amounts: tuple[Decimal, ...]


@dataclass(frozen=True)
class Actuals:
    """A file of actual costs."""

    keys: tuple[str, ...]
    amounts: tuple[str, ...]
    rows: tuple[Actual, ...]


def read_actuals(path: str | os.PathLike[str]) -> Actuals:
    """The rows of a file; UsageError with the file and the line of what cannot be used."""
    file = Path(path)
    if not file.is_file():
        raise UsageError(f"no such file: {file}")
    parquet = file.suffix == ".parquet"
    heading, rows = _parquet(file) if parquet else _csv(file)
    places = _places(f"{file}" if parquet else f"{file}:1", heading)
    keys = tuple(key for key in KEYS if key in places)
    amounts = tuple(name for name in AMOUNTS if name in places)
    found, faults = [], []
    for place, cells in rows:
        try:
            if len(cells) != len(heading):
                raise ValueError(f"{len(cells)} cells under {len(heading)} columns")
            own = {name: cells[at] for name, at in places.items()}
            if str(own.get("currency") or "USD").strip() != "USD":
                raise ValueError(f"BillingCurrency is {own['currency']!r}; amounts are compared in USD")
            found.append(Actual(month_of(own["month"]), tuple(str(own[key] or "").strip() for key in keys),
                                tuple(_amount(name, own[name]) for name in amounts)))
        except ValueError as error:
            faults.append(f"{place}: {error}")
    if faults:
        more = f"\nand {len(faults) - MOST_FAULTS} more" if len(faults) > MOST_FAULTS else ""
        raise UsageError("\n".join(faults[:MOST_FAULTS]) + more)
    if not found:
        raise UsageError(f"{file}: has a heading and no rows")
    return Actuals(keys, amounts, tuple(found))


def _csv(file: Path) -> tuple[list[str], Iterator[tuple[str, list[Any]]]]:
    """The heading, and each row with its place; lines without text are passed over."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{file}: is no text in UTF-8; actuals are CSV, or Parquet by name") from None
    if not text.strip():
        raise UsageError(f"{file}: is empty")
    first = next(line for line in text.splitlines() if line.strip())
    reader = csv.reader(StringIO(text, newline=""), delimiter=max(",;\t|", key=first.count))
    rows = ((f"{file}:{reader.line_num}", cells) for cells in reader if any(cell.strip() for cell in cells))
    return next(rows)[1], rows


def _parquet(file: Path) -> tuple[list[str], Iterator[tuple[str, list[Any]]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        source = pq.ParquetFile(file)
        heading = list(source.schema_arrow.names)
        wanted = [name for name in heading if name.strip().lower() in COLUMNS]
        table = source.read(columns=wanted)
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{file}: cannot be read as Parquet: {str(error).splitlines()[0]}") from None
    columns = [column.to_pylist() for column in table.columns]
    rows = enumerate(zip(*columns, strict=True), start=1)
    return list(table.column_names), ((f"{file}: row {number}", list(cells)) for number, cells in rows)


def _places(place: str, heading: list[str]) -> dict[str, int]:
    """By our name: the number of the column."""
    places: dict[str, int] = {}
    for at, written in enumerate(heading):
        name = COLUMNS.get(written.strip().lower())
        if name in places:
            first = heading[places[name]]
            raise UsageError(f"{place}: columns {first!r} and {written!r} are both the {name}")
        if name is not None:
            places[name] = at
    if "month" not in places or not set(AMOUNTS) & set(places):
        raise UsageError(f"{place}: actuals need a column `month` (or BillingPeriodStart) and `billed_usd` "
                         f"or `effective_usd` (or BilledCost, EffectiveCost); there are {', '.join(heading)}")
    return places


def month_of(value: Any) -> date:
    """The month of `2024-02`, of a date or of a time, as its first day; ValueError for anything else."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.replace(day=1)
    text = str(value or "").strip()
    try:
        if MONTH.fullmatch(text):
            return date.fromisoformat(f"{text}-01")
        at = value if isinstance(value, datetime) else datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError:
        raise ValueError(f"{text!r} is no month: write 2024-02, 2024-02-01 or 2024-02-01T00:00:00Z") from None
    return (at.astimezone(UTC) if at.tzinfo else at).date().replace(day=1)


def _amount(name: str, value: Any) -> Decimal:
    text = repr(value) if isinstance(value, float) else str("" if value is None else value).strip()
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite():
        raise ValueError(f"{name} {text!r} is no number; write dollars as 1234.50" if text
                         else f"{name} is empty")
    return amount
