"""A small scenario that is right, for tests that change one thing in it."""

from pathlib import Path

from fleetsim.errors import Diagnostic, ScenarioError
from fleetsim.model.scenario import Scenario
from fleetsim.spec import load

TEXT = """\
fleetsim: 1
name: small
horizon: {start: 2024-01-01, end: 2024-02-01}
fleets:
  azure: {gpu: a100-80gb, provider: azure, tranches: [{date: 2024-01-01, gpus: 800}]}
pools:
  chat: {fleets: {azure: {gpus: 800}}}
services:
  large: {rates: {prefill_tokens_per_s_per_gpu: 223, decode_tokens_per_s_per_gpu: 57}, efficiency_frac: 0.3}
traffic:
  plus:
    pool: chat
    service: large
    messages_per_day: 400_000
    prompt_tokens: {mean: 2700, cv: 1.3}
    output_tokens: {mean: 400}
contracts:
  azure-a100: {kind: reserved, fleet: azure, usd_per_gpu_hour: 1.30}
"""


def changed(*changes: tuple[str, str]) -> str:
    """The text with each first string replaced by the second; the first must be there."""
    text = TEXT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def write(folder: Path, text: str = TEXT, name: str = "small.yaml") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def scenario(folder: Path, *changes: tuple[str, str]) -> Scenario:
    """The changed scenario, which must be right and without a warning."""
    loaded = load(write(folder, changed(*changes)))
    assert loaded.warnings == []
    return loaded.scenario


def faults(folder: Path, *changes: tuple[str, str]) -> list[Diagnostic]:
    """The errors and warnings of the changed scenario."""
    try:
        return load(write(folder, changed(*changes))).warnings
    except ScenarioError as error:
        return error.diagnostics


def codes(folder: Path, *changes: tuple[str, str]) -> list[str]:
    """The codes of the errors and warnings."""
    return [fault.code for fault in faults(folder, *changes)]
