"""Writing a run: whole or not at all, the same bytes from the same inputs, never over another."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_run import HOURS, tiny_blocks, tiny_scenario, write_blocks, write_run

from fleetsim.errors import UsageError
from fleetsim.output import layout
from fleetsim.output.run import Run
from fleetsim.output.table_file import TableFile
from fleetsim.output.writer import open_writer


def files(path: Path) -> dict[str, bytes]:
    """Every file of a run but its log."""
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*"))
            if file.is_file() and file.name != layout.LOG}


def test_same_inputs_same_bytes(run: Run, tmp_path: Path) -> None:
    again = write_run(tmp_path, block_hours=7)
    assert again.path.relative_to(tmp_path) == Path("tiny") / run.run_id
    assert files(again.path).keys() == files(run.path).keys()
    different = [name for name, content in files(again.path).items() if content != files(run.path)[name]]
    assert different == []


def test_no_times_of_day_but_in_the_log(run: Run) -> None:
    log = json.loads((run.path / layout.LOG).read_text())
    assert log.keys() == {"simulate_cpu_s", "tables_cpu_s", "figures_cpu_s"}
    listed = {entry["path"] for entry in run.manifest["files"]}
    listed |= {file["path"] for table in run.manifest["tables"] for file in table["files"]}
    assert listed == set(files(run.path)) - {layout.MANIFEST}


def test_nothing_appears_before_the_end(tmp_path: Path) -> None:
    with open_writer(tmp_path, tiny_scenario(), seed=1) as writer:
        write_blocks(writer.write, tiny_blocks(), range(HOURS))
        assert not writer.directory.exists()
        finished = writer.close()
    assert [path.name for path in (tmp_path / "tiny").iterdir()] == [finished.run_id]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_interrupted_while_simulating(tmp_path: Path, error: type[BaseException]) -> None:
    def begin() -> None:
        with open_writer(tmp_path, tiny_scenario(), seed=1) as writer:
            write_blocks(writer.write, tiny_blocks(), range(24))
            raise error

    with pytest.raises(error):
        begin()
    assert list((tmp_path / "tiny").iterdir()) == []


@pytest.mark.parametrize("stage", ["close", "write_text", "publish"])
def test_interrupted_while_finishing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    from fleetsim.output.partial import PartialRun

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(TableFile if stage == "close" else PartialRun, stage, interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_run(tmp_path)
    assert list((tmp_path / "tiny").iterdir()) == []


def test_interrupted_while_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fleetsim.output.partial as partial

    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(partial, "TableFile", fail)
    with pytest.raises(OSError, match="no space left"):
        write_run(tmp_path)
    assert list((tmp_path / "tiny").iterdir()) == []


def test_what_a_killed_process_left_is_no_run_and_no_hindrance(tmp_path: Path) -> None:
    writer = open_writer(tmp_path, tiny_scenario(), seed=7)
    left = tmp_path / "tiny" / f"{writer.run_id}.partial-{2**22 + 1}"
    (left / "tables").mkdir(parents=True)
    with writer:
        write_blocks(writer.write, tiny_blocks(), range(HOURS))
        assert writer.close().run_id == writer.run_id
    with pytest.raises(UsageError, match="is no run"):
        Run(left)


def test_the_same_run_written_twice_at_once_stays_the_first(tmp_path: Path) -> None:
    with open_writer(tmp_path, tiny_scenario(), seed=7) as writer:
        write_blocks(writer.write, tiny_blocks(), range(HOURS))
        write_blocks(writer.write, tiny_blocks(), range(HOURS))
        first = write_run(tmp_path)
        mark = first.path / "mark"
        mark.touch()
        second = writer.close()
    assert second.path == first.path
    assert (first.reused, second.reused) == (False, True)
    assert mark.exists()
    assert [path.name for path in (tmp_path / "tiny").iterdir()] == [first.run_id]


def test_something_else_in_the_way(tmp_path: Path) -> None:
    scenario = tiny_scenario()
    identity = layout.run_id(scenario, seed=7, replication=0, resolution="hour")
    other = layout.run_directory(tmp_path, scenario, identity)
    (other / "notes").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"is in the way: it has no manifest\.json"):
        open_writer(tmp_path, scenario, seed=7)
    assert (other / "notes").is_dir()


def test_labels_that_look_like_columns(tmp_path: Path) -> None:
    scenario = tiny_scenario()
    fleet = replace(scenario.fleets["azure"], labels={"GPU": "g", "fleet": "f", "cost centre": "1"})
    run = write_run(tmp_path, replace(scenario, fleets={**scenario.fleets, "azure": fleet}))
    rows = run.arrow("dim_fleet").to_pylist()
    assert {key: rows[0][key] for key in ("gpu", "label_gpu", "fleet", "label_fleet", "cost_centre")} == {
        "gpu": "a100", "label_gpu": "g", "fleet": "azure", "label_fleet": "f", "cost_centre": "1"}
    assert rows[1]["label_gpu"] is None


def test_writing_does_not_load_pandas(tmp_path: Path) -> None:
    code = ("import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
            "from tiny_run import write_run; write_run(Path(sys.argv[2]))\n"
            "print('pandas' in sys.modules)")
    found = subprocess.run([sys.executable, "-c", code, str(Path(__file__).parent), str(tmp_path)],
                           capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_a_run_is_for_whom_any_new_directory_is_for(tmp_path: Path) -> None:
    run = write_run(tmp_path / "results")
    assert run.path.stat().st_mode == run.path.parent.stat().st_mode
