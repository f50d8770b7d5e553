"""A workbook for people: formatted numbers, frozen headers with units, one sheet per question."""

import zipfile
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from fleetsim.output.export.reconcile import Sums
from fleetsim.output.export.sheets import BILLED, COST_SHEET, EFFECTIVE, Form, Sheet, naive, sheets_of

if TYPE_CHECKING:
    from fleetsim.output.run import Run

FORMATS: dict[Form, str] = {
    "text": "@", "wide": "@", "usd": "#,##0.00;[Red]-#,##0.00", "price": "0.0000", "count": "#,##0",
    "number": "#,##0.0000", "share": "0.0%", "month": "yyyy-mm",
}
WIDTHS: dict[Form, int] = {"text": 18, "wide": 48, "usd": 20, "price": 12, "count": 18, "number": 18,
                           "share": 12, "month": 10}
SPREADSHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
CENT = Decimal("0.01")


def write_workbook(run: "Run", path: Path) -> Sums:
    """Write every sheet; the sums are read back from the cells of the sheet of costs."""
    import xlsxwriter

    sheets = sheets_of(run)
    book = xlsxwriter.Workbook(str(path), {"in_memory": True, "strings_to_formulas": False,
                                           "strings_to_urls": False})
    # A clock would give the same run other bytes every time.
    book.set_properties({"title": f"{run.manifest['scenario']}, run {run.run_id}", "author": "fleetsim",
                         "created": naive(run.window.end)})
    formats = {form: book.add_format({"num_format": code, "valign": "top", "text_wrap": form == "wide"})
               for form, code in FORMATS.items()}
    bold = {form: book.add_format({"num_format": code, "bold": True, "top": 1})
            for form, code in FORMATS.items()}
    header = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    for sheet in sheets:
        _write_sheet(book.add_worksheet(sheet.name), sheet, formats, bold, header)
    book.close()
    costs = next(place for place, sheet in enumerate(sheets) if sheet.name == COST_SHEET)
    rows = len(sheets[costs].rows)
    return Sums(rows, *(_column_sum(path, costs + 1, place, rows) for place in (BILLED, EFFECTIVE)))


def _write_sheet(page: Any, sheet: Sheet, formats: dict[Form, Any], bold: dict[Form, Any],
                 header: Any) -> None:
    page.freeze_panes(1, 0)
    for place, (title, form) in enumerate(sheet.header):
        page.set_column(place, place, WIDTHS[form])
        page.write_string(0, place, title, header)
    if sheet.rows:
        page.autofilter(0, 0, len(sheet.rows), len(sheet.header) - 1)
    for number, row in enumerate(sheet.rows, start=1):
        for (_, form), (place, value) in zip(sheet.header, enumerate(row), strict=True):
            _write_cell(page, number, place, value, form, formats)
    last = len(sheet.rows) + 1
    if sheet.total and sheet.rows:
        page.write_string(last, 0, "Total", bold["text"])
        for place in sheet.total:
            page.write_number(last, place, sum(row[place] or 0 for row in sheet.rows),
                              bold[sheet.header[place][1]])


def _write_cell(page: Any, row: int, place: int, value: Any, form: Form, formats: dict[Form, Any]) -> None:
    if value is None:
        return
    if form == "month":
        page.write_datetime(row, place, value, formats[form])
    elif isinstance(value, int | float):
        shown: Form = form if form in ("usd", "price", "count", "share") else (
            "count" if value == int(value) else "number")
        page.write_number(row, place, value, formats[shown])
    else:
        is_long = len(str(value)) > WIDTHS["wide"]
        page.write_string(row, place, str(value), formats["wide" if is_long else "text"])


def _column_sum(path: Path, sheet: int, place: int, rows: int) -> Decimal:
    """The sum of a column's cells below the header and above the total, as the file has them."""
    column = chr(ord("A") + place)
    with zipfile.ZipFile(path) as parts:
        root = ElementTree.fromstring(parts.read(f"xl/worksheets/sheet{sheet}.xml"))
    cells = {cell.get("r"): cell.findtext(f"{SPREADSHEET}v") for cell in root.iter(f"{SPREADSHEET}c")}
    found = sum((Decimal(cells.get(f"{column}{row}") or 0) for row in range(2, rows + 2)), start=Decimal(0))
    return found.quantize(CENT)
