"""Scenario files with faults or warnings, and the exact messages they give.

A comment `# scenario: NAME` or `# set: PATH=VALUE` in a file stands for the option of that name.
"""

import re
from pathlib import Path

import pytest

from fleetsim.errors import ScenarioError
from fleetsim.spec import CODES, load

HERE = Path(__file__).parent
BROKEN = sorted((HERE / "broken").glob("*.yaml"))
WARNED = sorted((HERE / "warnings").glob("*.yaml"))


def options(file: Path) -> dict[str, object]:
    """The options that a file's comments ask for."""
    text = file.read_text(encoding="utf-8")
    names = re.findall(r"^# scenario: (.*)$", text, re.MULTILINE)
    overrides = re.findall(r"^# set: (.*)$", text, re.MULTILINE)
    return {"scenario": names[0] if names else None, "overrides": overrides}


def expected(file: Path) -> str:
    return file.with_suffix(".txt").read_text(encoding="utf-8")


def test_there_are_forty_broken_files() -> None:
    assert len(BROKEN) >= 40


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_a_broken_file_gives_exactly_its_messages(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    with pytest.raises(ScenarioError) as raised:
        load(file.name, **options(file))
    assert f"{raised.value}\n" == expected(file)


@pytest.mark.parametrize("file", WARNED, ids=lambda file: file.stem)
def test_a_file_with_warnings_loads_and_gives_exactly_them(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    loaded = load(file.name)
    assert "".join(f"{warning}\n" for warning in loaded.warnings) == expected(file)


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_the_caret_stands_under_what_the_diagnostic_says(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    with pytest.raises(ScenarioError) as raised:
        load(file.name, **options(file))
    for fault in raised.value.diagnostics:
        assert fault.code in CODES
        if fault.line:
            line = Path(fault.file).read_text(encoding="utf-8").splitlines()
            assert fault.source_line == (line[fault.line - 1] if line else "")
            assert 1 <= fault.column <= len(fault.source_line) + 1


def test_faults_come_in_file_order() -> None:
    for file in BROKEN:
        places = [
            tuple(map(int, found))
            for found in re.findall(rf"^{file.name}:(\d+):(\d+): ", expected(file), re.M)
        ]
        assert places == sorted(places), file.name
