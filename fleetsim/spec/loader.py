"""A file to a scenario: read, put together, build every entry, check across parts."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fleetsim.errors import Diagnostic, ScenarioError, did_you_mean
from fleetsim.model.fidelity import Fidelity
from fleetsim.model.scenario import Horizon, Scenario
from fleetsim.spec.changes import applied, from_data, from_texts, resolved
from fleetsim.spec.checks import check
from fleetsim.spec.checks.names import check_names
from fleetsim.spec.draft import Draft
from fleetsim.spec.entry import build
from fleetsim.spec.faults import Faults
from fleetsim.spec.file import Files
from fleetsim.spec.node import Node, NodePath, Source, plain
from fleetsim.spec.part_file import FORMAT
from fleetsim.spec.prune import pruned
from fleetsim.spec.scalar import written
from fleetsim.spec.sections import LAYERS, SINGLES, Section, parts_of_finance, sections
from fleetsim.spec.shortform import written_out

TABLE = "latency_table"
"""The key of a service's data file."""


@dataclass(frozen=True)
class Loaded:
    """A scenario that can be simulated, and what looks wrong in it."""

    scenario: Scenario
    warnings: list[Diagnostic]


def load(
    path: str | os.PathLike[str], *, scenario: str | None = None, overrides: Sequence[str] = (),
    latency_tables: bool = True,
) -> Loaded:
    """Read, resolve and check a scenario file.

    `scenario` names one of the file's `scenarios`, and goes on the scenario's name; `overrides` are
    `dotted.path=value` texts, applied after it. Without `latency_tables` services have none: for making
    them. Raises ScenarioError with every fault of the files, UsageError when there is no file.
    """
    return _resolved(_read(path), scenario, overrides, Path(path).parent, latency_tables)


def load_all(path: str | os.PathLike[str], *, overrides: Sequence[str] = ()) -> dict[str, Loaded]:
    """Every scenario of a file by name, the file itself as ''; ScenarioError with the faults of all."""
    read = _read(path)
    section = read.root.child("scenarios") if read.root is not None else None
    names = list(section.entries()) if section and isinstance(section.value, dict) else []
    loaded: dict[str, Loaded] = {}
    found: dict[Diagnostic, None] = {}
    for name in ("", *names):
        try:
            loaded[name] = _resolved(read, name or None, overrides, Path(path).parent)
        except ScenarioError as error:
            found.update(dict.fromkeys(error.diagnostics))
    if found:
        raise ScenarioError(list(found))
    return loaded


def _read(path: str | os.PathLike[str]) -> Faults:
    """The tree of a file and all that it extends, with what was found wrong on the way."""
    faults = Faults()
    faults.root = Files(faults).scenario(path)
    return faults


def _resolved(read: Faults, scenario: str | None, overrides: Sequence[str], directory: Path,
              latency_tables: bool = True) -> Loaded:
    """One scenario of a file that was read; the file may be resolved again for another."""
    faults = read.copy()
    changes = from_texts(overrides, faults)
    if faults.root is None:
        faults.stop()
    assert faults.root is not None, "a file that cannot be read is a fault"
    root = resolved(faults.root, scenario, changes, faults)
    return _loaded(root if latency_tables else _without_tables(root), faults, directory)


def override(scenario: Scenario, values: Mapping[str, object]) -> Scenario:
    """The scenario with values set by dotted path; ScenarioError when one is wrong."""
    from fleetsim.spec.node import Place, tree

    faults = Faults()
    source = Source(scenario.name, directory=Path(scenario.directory))
    root = tree(dict(scenario.source), Place(source, 0, 0))
    faults.root = root
    changed = applied(root, from_data(values), faults)
    return _loaded(changed, faults, Path(scenario.directory)).scenario


def with_contract_file(scenario: Scenario, path: str | os.PathLike[str]) -> Loaded:
    """The scenario under the contracts of a contract file; ScenarioError when it or they are wrong."""
    from fleetsim.spec.contract_file import contract_file, with_contracts
    from fleetsim.spec.node import Place, tree

    faults = Faults()
    signed = contract_file(path, faults)
    if signed is None:
        faults.stop()
    assert signed is not None, "a file that cannot be read is a fault"
    source = Source(scenario.name, directory=Path(scenario.directory))
    root = with_contracts(tree(dict(scenario.source), Place(source, 0, 0)), signed)
    faults.root = root
    return _loaded(root, faults, Path(scenario.directory))


def check_contract_file(path: str | os.PathLike[str]) -> tuple[str, int]:
    """The name of a contract file and its number of contracts; ScenarioError with every fault that shows
    without a scenario."""
    name, contracts = load_contracts(path)
    return name, len(contracts)


def load_contracts(path: str | os.PathLike[str]) -> tuple[str, dict[str, Any]]:
    """The name of a contract file and its contracts by name, as they are without a scenario.

    ScenarioError with every fault that shows without one.
    """
    from fleetsim.spec.contract_file import contract_file

    faults = Faults()
    root = contract_file(path, faults)
    contracts: dict[str, Any] = {}
    if root is not None:
        draft = Draft(root, faults, Path(path).parent)
        faults.root = root
        _build_sections(draft)
        check_names(draft)
        contracts = dict(draft.of("contracts"))
    faults.stop()
    assert root is not None, "a file that cannot be read is a fault"
    name = root.child("name")
    return str(name.value) if name else Path(path).stem, contracts


def from_source(source: Mapping[str, object], directory: Path) -> Scenario:
    """The scenario that a run was made from; `directory` is where its data files are looked for."""
    from fleetsim.spec.node import Place, tree

    faults = Faults()
    root = tree(dict(source), Place(Source(str(source.get("name", "")), directory=directory), 0, 0))
    faults.root = root
    return _loaded(root, faults, directory).scenario


def _loaded(root: Node, faults: Faults, directory: Path) -> Loaded:
    root = pruned(_with_data_files_from(root, directory), faults)
    faults.root = written_out(root)
    draft = Draft(faults.root, faults, directory)
    _top_level(draft)
    _build_sections(draft)
    check(draft)
    faults.stop()
    assert draft.horizon is not None, "a scenario without a horizon has a fault"
    from fleetsim.spec.checks.services import with_speeds

    source = plain(root)
    assert isinstance(source, dict)
    scenario = Scenario(
        name=source["name"],
        horizon=draft.horizon,
        fleets=draft.fleets,
        gpus=draft.gpus,
        pools=draft.pools,
        services=with_speeds(draft),
        traffic=draft.traffic,
        curves=draft.of("curves"),
        surges=draft.of("surges"),
        policies=draft.of("policies"),
        training_jobs=draft.of("training_jobs"),
        job_streams=draft.of("job_streams"),
        contracts=draft.of("contracts"),
        offers=draft.offers,
        budgets=draft.of("budgets"),
        finance=draft.finance,
        fidelity=draft.fidelity,
        published=draft.published,
        objectives=tuple(draft.objectives),
        series=draft.series,
        latency_tables=draft.latency_tables,
        source=source,
        inputs=draft.inputs,
        directory=str(directory),
    )
    return Loaded(replace(scenario, fingerprint=scenario.contents_sha256()), faults.warnings)


def _top_level(draft: Draft) -> None:
    """Keys of the top level, the format version, name and horizon."""
    root = draft.root
    known = [*SINGLES, *sections()]
    for key in root.entries():
        if key not in known:
            draft.error(
                "unknown-key", (key,), f"unknown key {key!r}", did_you_mean(key, [*known, *LAYERS]), key=True
            )
    for key, what in (
        ("fleetsim", f"`fleetsim: {FORMAT}`, the version of the format"),
        ("name", "`name:` with a short name"),
        ("horizon", "`horizon: {start: ..., end: ...}`"),
        ("fleets", "`fleets:` with at least one fleet"),
    ):
        if root.child(key) is None:
            draft.error("missing-key", (), f"missing key {key!r}", f"add {what}")
    version = root.child("fleetsim")
    if version and version.value != FORMAT:
        draft.error(
            "unknown-format",
            ("fleetsim",),
            f"format {written(version.value)} is not known",
            f"write {FORMAT}",
        )
    for key in ("name", "description"):
        node = root.child(key)
        if node and not isinstance(node.value, str):
            draft.error(
                "wrong-type",
                (key,),
                f"expected text, got {written(node.value)}",
                "" if isinstance(node.value, dict | list) else "put it in quotes",
            )
    horizon = root.child("horizon")
    if horizon:
        draft.horizon = build(Horizon, horizon, ("horizon",), draft.faults)
    fidelity = root.child("fidelity")
    if fidelity:
        draft.fidelity = build(Fidelity, fidelity, ("fidelity",), draft.faults) or Fidelity()


def _build_sections(draft: Draft) -> None:
    for name, section in sections().items():
        node = draft.root.child(name)
        if node is not None:
            draft.objects[name] = _things(draft, section, node, (name,))
    _build_finance(draft)


def _things(draft: Draft, section: Section, node: Node, path: NodePath) -> dict[str, Any]:
    """The objects of a map of named things by name, without those that are wrong."""
    if not isinstance(node.value, dict):
        draft.error(
            "wrong-type",
            path,
            f"expected a map by name, got {written(node.value)}",
            f"write `{path[-1]}:` with one `name: {{...}}` per {section.noun}",
        )
        return {}
    built = {entry: _entry(draft, section, (*path, entry), child) for entry, child in node.value.items()}
    return {entry: thing for entry, thing in built.items() if thing is not None}


def _build_finance(draft: Draft) -> None:
    """The finance section: its own keys, then every map inside it like a section."""
    from fleetsim.model.finance import Finance

    node = draft.root.child("finance")
    if node is None:
        return
    inner = parts_of_finance()
    finance = build(Finance, node, ("finance",), draft.faults, without=tuple(inner))
    maps: dict[str, Any] = {}
    for name, section in inner.items():
        part = node.child(name)
        if part is not None:
            maps[name] = _things(draft, section, part, ("finance", name))
    draft.objects |= {f"finance.{name}": things for name, things in maps.items()}
    draft.finance = None if finance is None else replace(finance, **maps)


def _entry(draft: Draft, section: Section, path: NodePath, node: Node) -> Any:
    if section.registry is None:
        return build(section.annotation, node, path, draft.faults)
    if not isinstance(node.value, dict):
        draft.error(
            "wrong-type", path, f"expected a map, got {written(node.value)}", "write {kind: ..., ...}"
        )
        return None
    kinds = list(section.registry)
    kind = node.child("kind")
    if kind is None:
        draft.error(
            "missing-key", path, "missing key 'kind'", f"add `kind:` with one of {', '.join(kinds)}", key=True
        )
        return None
    cls = section.type_of(node)
    if cls is None:
        draft.error(
            "unknown-kind",
            (*path, "kind"),
            f"no {section.noun} of kind {kind.value!r}",
            did_you_mean(str(kind.value), kinds),
        )
        return None
    return build(cls, node, path, draft.faults, without=("kind",))


def _without_tables(root: Node) -> Node:
    """The tree without the latency tables of its services."""
    services = root.child("services")
    if services is None or not isinstance(services.value, dict):
        return root
    kept = {name: replace(node, value={key: each for key, each in node.value.items() if key != TABLE})
            if isinstance(node.value, dict) else node for name, node in services.value.items()}
    return replace(root, value={**root.entries(), "services": replace(services, value=kept)})


def _with_data_files_from(root: Node, directory: Path) -> Node:
    """Paths of data files, each written relative to its own file, relative to `directory`."""
    from fleetsim.spec.merge import with_value

    named: list[tuple[str, ...]] = []
    for name in (root.child("traffic") or root).entries():
        volume = ("traffic", name, "messages_per_day")
        named += [(*volume, "file"), (*volume, "series", "file")]
    named += [("services", name, TABLE) for name in (root.child("services") or root).entries()]
    for keys in named:
        path = root.find(keys)
        if path is None or not isinstance(path.value, str) or os.path.isabs(path.value):
            continue
        home = path.place.source.directory
        if os.path.abspath(home) == os.path.abspath(directory):
            continue
        moved = os.path.relpath(os.path.join(home, path.value), directory)
        root = with_value(root, keys, replace(path, value=moved))
    return root
