"""The scenarios that ship: they load without a warning, and say what their sources say."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fleetsim.model.base import at
from fleetsim.model.traffic import TrafficClass
from fleetsim.spec import catalog, load, with_contract_file

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "workloads").glob("*.yaml"), *(ROOT / "workloads" / "examples").glob("*.yaml")])
NAMED = re.compile(r"^  ([\w-]+): ?(?:\[|$)", re.MULTILINE)
DESIGN_POINT = datetime(2024, 6, 15, tzinfo=UTC)


def named_scenarios(path: Path) -> list[str | None]:
    _, found, section = path.read_text().partition("\nscenarios:\n")
    return [None, *NAMED.findall(section.partition("\n\n")[0])] if found else [None]


CASES = [
    pytest.param(path, name, id=f"{path.stem}-{name}") for path in FILES for name in named_scenarios(path)
]


@pytest.mark.parametrize(("path", "name"), CASES)
def test_every_shipped_scenario_is_clean(path: Path, name: str | None) -> None:
    loaded = load(path, scenario=name)
    assert loaded.warnings == []
    assert loaded.scenario.name == (path.stem if name is None else f"{path.stem}-{name}")


CONTRACTS = sorted((ROOT / "workloads" / "contracts").glob("*.yaml"))


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.stem)
def test_every_shipped_contract_file_is_clean(path: Path, recwarn: pytest.WarningsRecorder) -> None:
    base = "oracle-expansion" if path.stem.startswith("oracle") else "openai-2024"
    loaded = with_contract_file(load(ROOT / "workloads" / f"{base}.yaml").scenario, path)
    assert loaded.warnings == []
    assert list(recwarn) == []


def test_every_kind_of_contract_ships() -> None:
    kinds = {contract.kind for path in FILES for contract in load(path).scenario.contracts.values()}
    base = load(ROOT / "workloads" / "openai-2024.yaml").scenario
    for path in CONTRACTS:
        if not path.stem.startswith("oracle"):
            signed = with_contract_file(base, path).scenario.contracts
            kinds |= {contract.kind for contract in signed.values()}
    assert {"credits", "enterprise_commitment", "cost_pass_through", "owned"} <= kinds


def test_the_scenarios_of_the_surge_and_of_oracle_are_there() -> None:
    workloads = ROOT / "workloads"
    assert {"none", "low", "base", "high", "none-frozen", "base-frozen", "high-frozen"} <= set(
        named_scenarios(workloads / "apple-surge.yaml"))  # fmt: skip
    assert {"without", "on-time", "late", "ramped", "for-training"} <= set(
        named_scenarios(workloads / "oracle-expansion.yaml"))  # fmt: skip
    assert list(load(workloads / "oracle-expansion.yaml", scenario="without").scenario.fleets) == [
        "azure-inference", "azure-training"]  # fmt: skip


def required_a100(spec: TrafficClass, messages_per_day: float, gpu_s_per_message: float) -> float:
    """GPUs at the weekday peak: mean rate x 1.05 x 1.30 x work / (load 0.92 x availability 0.96)."""
    weekday = 1.05 if spec.shape.weekend_to_weekday < 1 else 1.0
    return messages_per_day / 86_400 * weekday * 1.30 * gpu_s_per_message / (0.92 * 0.96)


@pytest.mark.parametrize(
    ("name", "gpus", "messages_per_day"),
    [
        ("free_text", 15_771, 0.585 * 450e6),
        ("free_4o", 6_776, 0.050 * 450e6),
        ("plus", 175_573, 0.285 * 450e6),
        ("team_ent", 37_894, 0.050 * 450e6),
        ("tools_mm", 53_772, 0.030 * 450e6),
        ("api_gpt4", 46_147, 908 * 86_400),
        ("api_35", 13_858, 3_807 * 86_400),
    ],
)
def test_required_gpus_by_class_are_those_of_the_sizing_table(
    name: str, gpus: int, messages_per_day: float
) -> None:
    scenario = load(ROOT / "workloads" / "openai-2024.yaml").scenario
    spec = scenario.traffic[name]
    volume = spec.volume(scenario.horizon.start)
    if volume.curve is not None:
        assert at(volume.share_frac, DESIGN_POINT) * 450e6 == pytest.approx(messages_per_day)
    else:
        assert volume.anchors is not None
        assert list(volume.anchors.values()) == [messages_per_day]
    service = scenario.services[spec.services()[0]]
    prefill, decode = service.gpu_seconds_per_call(
        spec.prompt_tokens, spec.output_tokens, "a100-80gb", catalog.gpus()["a100-80gb"])
    assert isinstance(service.efficiency_frac, float)
    work = spec.calls_per_message * (prefill + decode) / service.efficiency_frac
    assert required_a100(spec, messages_per_day, work) == pytest.approx(gpus, rel=3e-4)


def test_every_fact_of_the_articles_has_a_line_of_coverage() -> None:
    text = (ROOT / "docs" / "coverage.md").read_text()
    ids = re.findall(r"^\| (S\d-Q?\d+) \|", text, re.MULTILINE)
    expected = [f"S1-{n:02}" for n in range(1, 36)] + [f"S1-Q{n}" for n in range(1, 14)]
    expected += [f"S2-{n:02}" for n in range(1, 19)] + [f"S2-Q{n}" for n in range(1, 7)]
    assert ids == expected


def test_what_coverage_names_is_there() -> None:
    text = (ROOT / "docs" / "coverage.md").read_text()
    for name, fact in re.findall(r"`([\w-]+) / ([\w-]+)`", text):
        assert fact in load(ROOT / "workloads" / f"{name}.yaml").scenario.published, (name, fact)
    for path in re.findall(r"`(workloads/[\w/.-]+)`", text):
        assert (ROOT / path).is_file(), path


def test_every_published_fact_of_an_article_is_in_coverage() -> None:
    text = (ROOT / "docs" / "coverage.md").read_text()
    for path in FILES:
        for fact in load(path).scenario.published:
            if re.fullmatch(r"S\d-\d+", fact):
                assert f"| {fact} |" in text, fact
