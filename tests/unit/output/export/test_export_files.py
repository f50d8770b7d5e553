"""Exports for people and other programs: what they hold, and that they appear whole or not at all."""

import json
import shutil
import zipfile
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest

import fleetsim as fs
from fleetsim.errors import UsageError
from fleetsim.output.export import SUFFIXES, Format, default_path
from fleetsim.output.run import Run

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FORMATS: list[Format] = ["focus", "csv", "duckdb", "xlsx"]


def place(folder: Path, to: Format) -> Path:
    """Where a test writes."""
    return folder / f"out{SUFFIXES[to]}"


def entries(folder: Path) -> list[str]:
    """Everything in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


def test_csv_holds_every_table_exactly(kinds: Run, tmp_path: Path) -> None:
    written = fs.export(kinds, "csv", tmp_path / "out")
    assert entries(tmp_path / "out") == sorted([*(f"{name}.csv" for name in kinds.tables), "export.json"])
    assert json.loads((tmp_path / "out" / "export.json").read_text())["run_id"] == kinds.run_id
    for name in ("fact_cost_hourly", "fact_event", "dim_contract", "fact_pnl_monthly"):
        read = duckdb.sql(f"from read_csv('{tmp_path}/out/{name}.csv', all_varchar = true, quote = '\"')")
        table = kinds.arrow(name)
        assert read.columns == table.column_names
        assert len(read) == table.num_rows
    cost = duckdb.sql(f"from read_csv('{tmp_path}/out/fact_cost_hourly.csv', all_varchar = true)")
    assert [Decimal(row[0]) for row in cost.select("billed_usd").fetchall()] == \
        kinds.arrow("fact_cost_hourly").column("billed_usd").to_pylist()
    assert cost.select("min(hour)").fetchall() == [("2024-01-10T00:00:00.000000Z",)]
    assert written.sums.billed_usd == Decimal(kinds.manifest["totals"]["billed_usd"])


def test_duckdb_holds_every_table_with_its_types_and_meanings(kinds: Run, tmp_path: Path) -> None:
    written = fs.export(kinds, "duckdb", tmp_path / "out.duckdb")
    connection = duckdb.connect(str(written.paths[0]), read_only=True)
    tables = dict(connection.sql("select table_name, comment from duckdb_tables()").fetchall())
    assert sorted(tables) == sorted(kinds.tables)
    assert tables["fact_cost_hourly"] == "one row per hour, fleet, contract, charge category, clause"
    types = dict(connection.sql("select column_name, data_type from duckdb_columns() where table_name = "
                                "'fact_cost_hourly'").fetchall())
    assert (types["hour"], types["billed_usd"], types["fleet"]) == (
        "TIMESTAMP WITH TIME ZONE", "DECIMAL(20,6)", "VARCHAR")
    comment = connection.sql("select comment from duckdb_columns() where column_name = 'billed_usd' and "
                             "table_name = 'fact_cost_hourly'").fetchall()
    assert comment[0][0].endswith("[USD]")
    total = connection.sql("select sum(effective_usd) from fact_cost_hourly").fetchall()[0][0]
    assert total == Decimal(kinds.manifest["totals"]["effective_usd"])
    connection.close()


def sheets(path: Path) -> dict[str, list[dict[str, str]]]:
    """The cells of a workbook, by sheet, row and column letter; the text of shared strings."""
    with zipfile.ZipFile(path) as parts:
        shared = ["".join(text.text or "" for text in entry.iter(f"{SHEET}t"))
                  for entry in ElementTree.fromstring(parts.read("xl/sharedStrings.xml"))]
        names = [sheet.get("name") or "" for sheet in
                 ElementTree.fromstring(parts.read("xl/workbook.xml")).iter(f"{SHEET}sheet")]
        found = {}
        for number, name in enumerate(names, start=1):
            root = ElementTree.fromstring(parts.read(f"xl/worksheets/sheet{number}.xml"))
            assert root.find(f"{SHEET}sheetViews/{SHEET}sheetView/{SHEET}pane") is not None, "frozen header"
            found[name] = [{
                str(cell.get("r")).rstrip("0123456789"):
                    shared[int(value)] if cell.get("t") == "s" else value
                for cell in row if (value := cell.findtext(f"{SHEET}v")) is not None
            } for row in root.iter(f"{SHEET}row")]
    return found


def test_the_workbook_shows_totals_invoices_and_what_is_left_out(kinds: Run, tmp_path: Path) -> None:
    fs.export(kinds, "xlsx", tmp_path / "out.xlsx")
    book = sheets(tmp_path / "out.xlsx")
    assert list(book) == ["Summary", "Invoices", "P&L", "Budgets", "Cost by contract", "KPIs",
                          "Published facts"]
    of_minimum = [row for row in book["Budgets"] if row["B"] == "minimum"]
    assert [row.get("C") for row in of_minimum] == [str(round(60_000 * 22 / 31, 6)), "60000", "0"]
    spent = sum(float(row["D"]) for row in of_minimum)
    assert spent == pytest.approx(float(kinds.summary["figures"]["budgets.minimum.spent_usd"]))
    assert all("F" in row for row in of_minimum[:2])
    assert "F" not in of_minimum[2]
    assert book["Invoices"][0] == {"A": "Month", "B": "Provider", "C": "Usage, GPU-hours", "D": "List, USD",
                                   "E": "Contracted, USD", "F": "Billed, USD", "G": "Effective, USD"}
    billed = float(kinds.manifest["totals"]["billed_usd"])
    assert book["Invoices"][-1]["A"] == "Total"
    assert float(book["Invoices"][-1]["F"]) == pytest.approx(billed, abs=0.005)
    assert float(book["Cost by contract"][-1]["H"]) == pytest.approx(billed, abs=0.005)
    said = {row["A"]: row.get("B") for row in book["Summary"]}
    assert said["Run"] == kinds.run_id
    assert "hourly tables" in str(said["Hourly tables"])
    kpis = {row["A"]: row.get("B") for row in book["KPIs"]}
    assert float(str(kpis["cost.billed_usd"])) == pytest.approx(billed, rel=1e-9)


def test_the_workbook_is_the_same_every_time(kinds: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        fs.export(kinds, "xlsx", tmp_path / f"{name}.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


@pytest.mark.parametrize("to", FORMATS)
def test_every_kind_adds_up_to_the_manifest(kinds: Run, tmp_path: Path, to: Format) -> None:
    written = fs.export(kinds, to, place(tmp_path, to))
    cent = Decimal("0.01")
    assert written.sums.billed_usd.quantize(cent) == Decimal(
        kinds.manifest["totals"]["billed_usd"]).quantize(cent)
    assert written.sums.effective_usd.quantize(cent) == Decimal(
        kinds.manifest["totals"]["effective_usd"]).quantize(cent)
    assert sorted(path.name for path in written.paths) == entries(tmp_path)


@pytest.mark.parametrize("to", FORMATS)
def test_what_is_there_stays_unless_forced(kinds: Run, tmp_path: Path, to: Format) -> None:
    first = fs.export(kinds, to, place(tmp_path, to))
    there = entries(tmp_path)
    with pytest.raises(UsageError, match="exists; --force replaces it"):
        fs.export(kinds, to, place(tmp_path, to))
    assert entries(tmp_path) == there
    assert fs.export(kinds, to, place(tmp_path, to), force=True) == first
    assert entries(tmp_path) == there


def test_metadata_that_is_there_stays_too(kinds: Run, tmp_path: Path) -> None:
    (tmp_path / "out.metadata.json").write_text("mine")
    with pytest.raises(UsageError, match=r"out\.metadata\.json exists"):
        fs.export(kinds, "focus", tmp_path / "out.parquet")
    assert entries(tmp_path) == ["out.metadata.json"]


@pytest.mark.parametrize("to", FORMATS)
def test_a_folder_of_something_else_is_never_replaced(kinds: Run, tmp_path: Path, to: Format) -> None:
    folder = place(tmp_path, to)
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is a directory and no earlier export"):
        fs.export(kinds, to, folder, force=True)
    assert entries(folder) == ["mine.txt"]


@pytest.mark.parametrize("to", FORMATS)
def test_nothing_is_written_into_a_run(kinds: Run, tmp_path: Path, to: Format) -> None:
    run = Run(shutil.copytree(kinds.path, tmp_path / "run"))
    before = entries(run.path)
    for inside in (place(run.path, to), place(run.path / "tables" / "..", to)):
        with pytest.raises(UsageError, match="is inside the run"):
            fs.export(run, to, inside, force=True)
    assert entries(run.path) == before
    assert run.verify() == []


@pytest.mark.parametrize("to", FORMATS)
def test_a_run_that_does_not_add_up_is_not_exported(kinds: Run, tmp_path: Path, to: Format) -> None:
    path = Path(shutil.copytree(kinds.path, tmp_path / "run"))
    manifest = json.loads((path / "manifest.json").read_text())
    wrong = Decimal(manifest["totals"]["effective_usd"]) + Decimal("0.01")
    manifest["totals"]["effective_usd"] = str(wrong)
    (path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "out").mkdir()
    with pytest.raises(UsageError, match=f"its effective_usd is .* says {wrong}"):
        fs.export(Run(path), to, place(tmp_path / "out", to))
    assert entries(tmp_path / "out") == []


def test_a_failed_replacement_leaves_the_old_one(kinds: Run, tmp_path: Path,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    fs.export(kinds, "csv", tmp_path / "out")
    before = (tmp_path / "out" / "fact_cost_hourly.csv").read_bytes()

    def breaks(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fleetsim.output.export.csv_files._write_table", breaks)
    with pytest.raises(KeyboardInterrupt):
        fs.export(kinds, "csv", tmp_path / "out", force=True)
    assert entries(tmp_path) == ["out"]
    assert (tmp_path / "out" / "fact_cost_hourly.csv").read_bytes() == before


@pytest.mark.parametrize(("to", "path", "grain", "message"), [
    ("pdf", None, None, "cannot export to 'pdf'"),
    ("focus", "a.csv", None, r"ends in \.parquet"),
    ("xlsx", "a", None, r"ends in \.xlsx"),
    ("csv", "a", "hour", "a grain is for FOCUS"),
    ("focus", "a.parquet", "day", "neither month nor hour"),
])
def test_what_cannot_be_asked_for(kinds: Run, tmp_path: Path, to: str, path: str | None, grain: str | None,
                                  message: str) -> None:
    with pytest.raises(UsageError, match=message):
        fs.export(kinds, to, None if path is None else tmp_path / path, grain=grain)  # wrong on purpose


def test_default_names_tell_the_run(kinds: Run) -> None:
    names = [str(default_path(kinds, to)) for to in FORMATS]
    stem = f"all-kinds-{kinds.run_id}"
    assert names == [f"{stem}-focus.parquet", f"{stem}-csv", f"{stem}.duckdb", f"{stem}.xlsx"]
