"""The runner around an engine that records the tiny run: reuse, failures, progress."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from tiny_run import HOURS, tiny_blocks, tiny_scenario, write_blocks

import fleetsim.engine
from fleetsim.errors import SimulationError, UsageError
from fleetsim.runner import simulate
from fleetsim.timebase import HOUR_NS


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """The calls of the engine, which records the tiny run."""
    made: list[dict[str, object]] = []

    def engine(scenario: object, *, sink: object, progress: Callable[[int, int], None],
               **options: object) -> None:
        made.append(options)
        for hours in (range(24), range(24, HOURS)):
            write_blocks(sink.write, tiny_blocks(), hours)
            progress(hours.stop * HOUR_NS, HOURS * HOUR_NS)

    monkeypatch.setattr(fleetsim.engine, "simulate", engine)
    return made


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """An engine that fails after a day."""
    def engine(scenario: object, *, sink: object, progress: Callable[[int, int], None], **_: object) -> None:
        write_blocks(sink.write, tiny_blocks(), range(24))
        progress(24 * HOUR_NS, HOURS * HOUR_NS)
        raise error

    monkeypatch.setattr(fleetsim.engine, "simulate", engine)


def test_a_run(tmp_path: Path, calls: list[dict[str, object]]) -> None:
    run = simulate(tiny_scenario(), seed=7, results=tmp_path)
    assert calls == [{"seed": 7, "replication": 0, "resolution": "hour", "workers": os.cpu_count()}]
    assert run.reused is False
    assert run.path == tmp_path / "tiny" / run.run_id
    assert run.verify() == []
    log = json.loads((run.path / "log.json").read_text())
    assert log.keys() == {"import_cpu_s", "simulate_cpu_s", "wall_s", "tables_cpu_s", "figures_cpu_s"}


def test_two_threads_that_make_one_run_get_one_run(tmp_path: Path, calls: list[dict[str, object]],
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    both = Barrier(2, timeout=60)
    record = fleetsim.engine.simulate

    def at_once(*given: Any, **options: Any) -> None:
        both.wait()
        record(*given, **options)
        both.wait()

    monkeypatch.setattr(fleetsim.engine, "simulate", at_once)
    with ThreadPoolExecutor(2) as threads:
        runs = list(threads.map(lambda _: simulate(tiny_scenario(), seed=7, results=tmp_path), range(2)))
    assert len(calls) == 2
    assert sorted(run.reused for run in runs) == [False, True]
    assert [path.name for path in (tmp_path / "tiny").iterdir()] == [runs[0].run_id]
    assert runs[0].verify() == []


def test_what_is_no_scenario(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="takes a scenario, as load gives it, not str"):
        simulate("base.yaml", results=tmp_path)  # wrong on purpose


def test_a_file_in_the_place_of_the_results(tmp_path: Path, calls: list[dict[str, object]]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="a file is in its place"):
        simulate(tiny_scenario(), results=tmp_path / "file")
    assert calls == []


def test_the_largest_seed(tmp_path: Path, calls: list[dict[str, object]]) -> None:
    run = simulate(tiny_scenario(), seed=2**63 - 1, results=tmp_path)
    assert run.summary["seed"] == 2**63 - 1
    assert run.query("select seed from dim_run").to_pylist() == [{"seed": 2**63 - 1}]


def test_a_run_that_is_there_is_reused(tmp_path: Path, calls: list[dict[str, object]]) -> None:
    first = simulate(tiny_scenario(), seed=7, results=tmp_path)
    written = (first.path / "manifest.json").stat().st_mtime_ns
    again = simulate(tiny_scenario(), seed=7, results=str(tmp_path))
    assert (again.reused, again.path, len(calls)) == (True, first.path, 1)
    assert (again.path / "manifest.json").stat().st_mtime_ns == written
    others = [simulate(tiny_scenario(), seed=8, results=tmp_path),
              simulate(tiny_scenario(), seed=7, replication=1, results=tmp_path),
              simulate(tiny_scenario(), seed=7, resolution="step", results=tmp_path)]
    assert len({first.run_id, *(run.run_id for run in others)}) == 4
    assert len(calls) == 4


def test_a_damaged_run_is_not_reused_silently(tmp_path: Path, calls: list[dict[str, object]]) -> None:
    run = simulate(tiny_scenario(), results=tmp_path)
    (run.path / "summary.json").unlink()
    with pytest.raises(UsageError, match=r"summary\.json is missing; delete it and run again"):
        simulate(tiny_scenario(), results=tmp_path)
    assert len(calls) == 1


def test_progress(tmp_path: Path, calls: list[dict[str, object]]) -> None:
    seen: list[tuple[int, int]] = []
    simulate(tiny_scenario(), results=tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(24 * HOUR_NS, 48 * HOUR_NS), (48 * HOUR_NS, 48 * HOUR_NS)]


def test_a_failure_names_the_simulated_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, ZeroDivisionError("division by zero"))
    message = r"tiny: the run failed after 2024-06-01 00:00 UTC: ZeroDivisionError: division by zero"
    with pytest.raises(SimulationError, match=message):
        simulate(tiny_scenario(), results=tmp_path)
    assert list((tmp_path / "tiny").iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), UsageError("own words")])
def test_what_passes_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    fail_with(monkeypatch, error)
    with pytest.raises(type(error)) as caught:
        simulate(tiny_scenario(), results=tmp_path)
    assert caught.value is error
    assert list((tmp_path / "tiny").iterdir()) == []


def test_an_impossible_resolution(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'minute' is neither hour nor step"):
        simulate(tiny_scenario(), results=tmp_path, resolution="minute")
