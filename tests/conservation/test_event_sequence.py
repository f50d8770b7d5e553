"""Events are numbered over the whole run, also when two of a kind befall one thing at one time."""

import json
from pathlib import Path

from fleetsim.engine import simulate
from fleetsim.output.sink import TableSink
from fleetsim.spec import load


def test_events_are_numbered_over_all_months(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    dates = ["2024-01-01", "2024-01-01", "2024-02-10", "2024-03-05", "2024-03-05"]
    path.write_text(json.dumps({
        "fleetsim": 1, "name": "events", "horizon": {"start": "2024-01-01", "end": "2024-04-01"},
        "fleets": {"lab": {"gpu": "a100-80gb", "provider": "azure", "role": "training",
                           "tranches": [{"date": date, "gpus": 8} for date in dates]}},
    }))
    sink = TableSink()
    simulate(load(path).scenario, seed=1, sink=sink)
    rows = sink.table("fact_event").to_pylist()
    assert [row["sequence"] for row in rows] == list(range(len(rows)))
    assert len(rows) >= len(dates)
    assert len({(row["time"], row["thing"], row["kind"]) for row in rows}) < len(rows)
