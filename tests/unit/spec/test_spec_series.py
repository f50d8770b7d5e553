"""Series files, CSV and Parquet."""

from hashlib import sha256
from pathlib import Path

import pytest
from small import changed, faults, write

from fleetsim.spec import load

ROWS = [(f"2024-01-{day:02d}", 1000.0 * day) for day in range(1, 32)]


def csv(folder: Path, rows: list[tuple[str, object]], name: str = "m.csv") -> Path:
    lines = ["day,messages", *(f"{day},{messages}" for day, messages in rows)]
    return write(folder, "\n".join(lines) + "\n", name)


def series(name: str) -> tuple[str, str]:
    return "400_000", f"{{file: {name}, time: day, value: messages}}"


def test_csv(tmp_path: Path) -> None:
    data = csv(tmp_path, ROWS)
    scenario = load(write(tmp_path, changed(series("m.csv")))).scenario
    start, interval, values = scenario.series["plus"]
    assert (start, interval) == (scenario.horizon.start, 86_400)
    assert values == tuple(messages for _, messages in ROWS)
    assert scenario.inputs == {"m.csv": sha256(data.read_bytes()).hexdigest()}


def test_parquet_gives_what_csv_gives(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    table = pyarrow.csv.read_csv(csv(tmp_path, ROWS))
    pyarrow.parquet.write_table(table, tmp_path / "m.parquet")
    from_csv = load(write(tmp_path, changed(series("m.csv")))).scenario
    from_parquet = load(write(tmp_path, changed(series("m.parquet")), "p.yaml")).scenario
    assert from_csv.series == from_parquet.series


def test_a_path_is_relative_to_the_file_that_has_it(tmp_path: Path) -> None:
    csv(tmp_path, ROWS, "parts/data/m.csv")
    write(tmp_path, changed(series("data/m.csv")), "parts/base.yaml")
    scenario = load(write(tmp_path, "extends: parts/base.yaml\n")).scenario
    assert list(scenario.inputs) == ["parts/data/m.csv"]
    assert scenario.source["traffic"]["plus"]["messages_per_day"]["file"] == "parts/data/m.csv"


@pytest.mark.parametrize(
    ("rows", "code", "said"),
    [
        (ROWS[:5] + ROWS[6:], "series-gap", "row 7: a gap between 2024-01-05 and 2024-01-07"),
        ([*ROWS[:5], ROWS[4], *ROWS[5:]], "unsorted-series", "row 7: 2024-01-05 does not come after"),
        ([*ROWS[:5], ("2024-01-06", -1), *ROWS[6:]], "bad-cell", "row 7: must be at least 0, got -1"),
        ([*ROWS[:5], ("2024-01-06", "nan"), *ROWS[6:]], "bad-cell", "row 7: expected a number, got 'nan'"),
        ([*ROWS[:5], ("soon", 1), *ROWS[6:]], "bad-cell", "row 7: expected a date, got 'soon'"),
        (ROWS[1:], "series-too-short", "covers 2024-01-02 to 2024-02-01"),
        (ROWS[:-1], "series-too-short", "covers 2024-01-01 to 2024-01-31"),
        ([], "bad-file", "needs a header and at least one row"),
    ],
)
def test_faults(tmp_path: Path, rows: list[tuple[str, object]], code: str, said: str) -> None:
    csv(tmp_path, rows)
    (fault,) = faults(tmp_path, series("m.csv"))
    assert fault.code == code
    assert said in fault.message
