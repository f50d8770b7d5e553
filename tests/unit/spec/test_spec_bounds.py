"""Sizes and shapes that nobody can mean: what is refused, and what just passes."""

import os
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from small import codes, faults, scenario, write

from fleetsim.errors import ScenarioError, UsageError
from fleetsim.spec import load, override
from fleetsim.timebase import add_months

TRANCHES = "[{date: 2024-01-01, gpus: 800}]"
VOLUME = "messages_per_day: 400_000"
PRICE = "usd_per_gpu_hour: 1.30"
HORIZON = "{start: 2024-01-01, end: 2024-02-01}"


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("gpus: 800}]", "gpus: 100_000_000}]", ["unlikely-value"]),
        ("gpus: 800}]", "gpus: 100_000_001}]", ["out-of-range"]),
        (VOLUME, "messages_per_day: 1e14", ["unlikely-value"]),
        (VOLUME, "messages_per_day: 1.1e14", ["out-of-range"]),
        (VOLUME, "messages_per_day: {2024-01-01: 1.1e14}", ["out-of-range"]),
        (PRICE, "usd_per_gpu_hour: 1e4", ["unlikely-value"]),
        (PRICE, "usd_per_gpu_hour: 1.1e5", ["out-of-range"]),
    ],
)
def test_bounds_of_sizes(tmp_path: Path, old: str, new: str, found: list[str]) -> None:
    assert [code for code in codes(tmp_path, (old, new)) if code != "unassigned-gpus"] == found


def test_a_curve_has_the_bound_of_a_class(tmp_path: Path) -> None:
    curve = "curves: {all: {2024-01-01: %s}}\ncontracts:"
    used = (VOLUME, "messages_per_day: {curve: all}")
    assert codes(tmp_path, ("contracts:", curve % "1e13"), used) == []
    assert codes(tmp_path, ("contracts:", curve % "1.1e14"), used) == ["out-of-range"]


@pytest.mark.parametrize(
    ("tranches", "refused"),
    [
        ("[{date: 2024-01-01, gpus: 50_000_000}, {date: 2024-01-09, gpus: 50_000_000}]", False),
        ("[{date: 2024-01-01, gpus: 50_000_000}, {date: 2024-01-09, gpus: 50_000_001}]", True),
        ("[{date: 2024-01-01, gpus: 60000000, end: 2024-01-09}, {date: 2024-01-09, gpus: 50000000}]", False),
    ],
)
def test_tranches_add_up_at_every_time(tmp_path: Path, tranches: str, refused: bool) -> None:
    assert ("out-of-range" in codes(tmp_path, (TRANCHES, tranches))) == refused


def test_a_series_has_the_bound_of_a_class(tmp_path: Path) -> None:
    change = (VOLUME, "messages_per_day: {file: m.csv, time: t, value: v}")
    for value, found in (("1e14", []), ("1.1e14", ["bad-cell"])):
        rows = "".join(f"2024-01-{day:02}T00:00Z,{value}\n" for day in range(1, 32))
        (tmp_path / "m.csv").write_text(f"t,v\n{rows}", encoding="utf-8")
        assert codes(tmp_path, change) == found


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("2,5", "write 2.5"),
        ("1,000", "write 1000"),
        ("1,000,000.5", "write 1000000.5"),
        ("1,5k", "write 1500"),
        ("30 %", "write 0.3"),
        ("1.000,5", ""),
        ("1,00,000", ""),
        ("nan", ""),
        ("inf", ""),
    ],
)
def test_hints_for_numbers_with_commas(tmp_path: Path, written: str, hint: str) -> None:
    assert [fault.help for fault in faults(tmp_path, (PRICE, f'usd_per_gpu_hour: "{written}"'))] == [hint]


def test_no_part_of_a_gpu_is_suggested(tmp_path: Path) -> None:
    for text, hint in (('"2,5"', ""), ('"2,500"', "write 2500")):
        assert faults(tmp_path, (TRANCHES, TRANCHES.replace("800", text)))[0].help == hint


def test_thousands_of_digits_are_no_number(tmp_path: Path) -> None:
    assert codes(tmp_path, (TRANCHES, TRANCHES.replace("800", "9" * 5_000))) == ["wrong-type"]


@pytest.mark.parametrize("depth", [101, 5_000])
def test_brackets_nested_too_deeply(tmp_path: Path, depth: int) -> None:
    (fault,) = faults(tmp_path, ("name: small", f"name: {'[' * depth}{']' * depth}"))
    assert (fault.code, fault.line, fault.column) == ("too-deep", 2, 7 + 99)


def test_an_override_nested_too_deeply(tmp_path: Path) -> None:
    small = scenario(tmp_path)
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(UsageError, match="nested too deeply"):
        override(small, {"description": deep})
    with pytest.raises(ScenarioError, match="nested too deeply"):
        load(write(tmp_path), overrides=[f"description={'[' * 5_000}{']' * 5_000}"])


@pytest.mark.parametrize(("length", "found"), [(100, []), (101, ["bad-name"])])
def test_length_of_names(tmp_path: Path, length: int, found: list[str]) -> None:
    name = "n" * length
    assert codes(tmp_path, ("name: small", f"name: {name}")) == found
    assert codes(tmp_path, ("azure-a100:", f"{name}:")) == found


@pytest.mark.parametrize("name", ["a/b", "..", '"a\\\\b"'])
def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    assert codes(tmp_path, ("name: small", f"name: {name}")) == ["bad-name"]


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "link.yaml").symlink_to("gone.yaml")
    words = {"folder": "is a folder", "pipe": "is no regular file", "link": "is a link to gone.yaml",
             "foldr": "no such file", "pip": "no such file"}
    for name, said in words.items():
        with pytest.raises(UsageError, match=said) as raised:
            load(tmp_path / f"{name}.yaml")
        assert "did you mean 'folder" not in str(raised.value)
        assert "did you mean 'pipe" not in str(raised.value)
        with pytest.raises(ScenarioError, match=said):
            load(write(tmp_path, f"extends: {name}.yaml\n"))


def test_the_nearest_file_is_suggested(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(UsageError, match=r"did you mean 'small\.yaml'"):
        load(tmp_path / "smal.yaml")


@pytest.mark.parametrize("value", [60, np.int64(60), np.int32(60), np.uint8(60)])
def test_integers_of_numpy_in_an_override(tmp_path: Path, value: object) -> None:
    source = override(scenario(tmp_path), {"horizon.step_s": value}).source
    assert source["horizon"] == {"start": "2024-01-01", "end": "2024-02-01", "step_s": 60}
    assert type(source["horizon"]["step_s"]) is int


@pytest.mark.parametrize("value", [np.float64(0.5), np.float32(0.5), Fraction(1, 2)])
def test_real_numbers_of_other_kinds_in_an_override(tmp_path: Path, value: object) -> None:
    changed = override(scenario(tmp_path), {"services.large.efficiency_frac": value})
    assert type(changed.services["large"].efficiency_frac) is float
    assert changed.services["large"].efficiency_frac == 0.5


@pytest.mark.parametrize(
    ("values", "said"), [({1: 2}, "is text, got 1"), ([("name", "a")], "got list"), (None, "got NoneType")]
)
def test_overrides_that_are_no_map_of_paths(tmp_path: Path, values: object, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        override(scenario(tmp_path), values)  # wrong on purpose


@pytest.mark.parametrize(
    ("keys", "control_s"),
    [("", 900), ("step_s: 60", 900), ("step_s: 400", 1200), ("step_s: 600", 1200), ("step_s: 1800", 1800),
     ("step_s: 3600", 3600), ("step_s: 300, control_s: 300", 300)],
)
def test_time_between_decisions(tmp_path: Path, keys: str, control_s: int) -> None:
    horizon = HORIZON.replace("}", f", {keys}}}")
    assert scenario(tmp_path, (HORIZON, horizon)).horizon.control_interval_s == control_s


POLICIES = "contracts:"
ONE = "{kind: shed, pool: chat}"


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ("{kind: shed, pool: chat, above_load_frac: 0.9}", ["policy-twice"]),
        ("{kind: autoscale, pool: chat}", []),
        ("{kind: shed, pool: api}", []),
    ],
)
def test_two_policies_of_one_kind(tmp_path: Path, other: str, found: list[str]) -> None:
    pools = ("chat: {fleets: {azure: {gpus: 800}}}",
             "chat: {fleets: {azure: {gpus: 400}}}\n  api: {fleets: {azure: {gpus: 400}}}")
    policies = (POLICIES, f"policies:\n  one: {ONE}\n  two: {other}\n{POLICIES}")
    assert codes(tmp_path, pools, policies) == found


@pytest.mark.parametrize(
    ("prompt", "output", "rates", "found"),
    [
        ("0", "1", True, []),
        ("1", "0", True, []),
        ("0", "0", True, ["no-work"]),
        ("0", "0", False, []),
    ],
)
def test_a_message_takes_some_time(
    tmp_path: Path, prompt: str, output: str, rates: bool, found: list[str]
) -> None:
    changes = [("mean: 2700", f"mean: {prompt}"), ("mean: 400", f"mean: {output}")]
    if not rates:
        speed = "rates: {prefill_tokens_per_s_per_gpu: 223, decode_tokens_per_s_per_gpu: 57}"
        changes.append((speed, "gpu_s_per_call: 3"))
    assert codes(tmp_path, *changes) == found


def test_months_end_with_the_calendar() -> None:
    """A term that would end after the year 9999 ends with it."""
    late = datetime(9990, 1, 31, tzinfo=UTC)
    assert add_months(late, 1_200) == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert add_months(late, 119) == datetime(9999, 12, 31, tzinfo=UTC)
