"""A text becomes nodes that know where they stand."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from fleetsim.spec.faults import Faults
from fleetsim.spec.node import Node, Source, plain
from fleetsim.spec.yaml import read

ROOT = Path(__file__).parents[3]


def parsed(text: str) -> tuple[Node, Faults]:
    faults = Faults()
    root = read(text, Source("a.yaml", lines=text.splitlines()), faults)
    assert root is not None, [str(error) for error in faults.errors]
    return root, faults


def test_plain_data() -> None:
    root, faults = parsed('a: {b: [1, 2.5, "3", yes, 2024-01-01], c: null}\n"d e": |\n  two\n  lines\n')
    assert plain(root) == {"a": {"b": [1, 2.5, "3", "yes", "2024-01-01"], "c": None}, "d e": "two\nlines\n"}
    assert faults.errors == []


def test_places_of_keys_and_values() -> None:
    root, _ = parsed("fleets:\n  azure: {gpu: a100}\n  oracle:\n    tranches:\n      - {gpus: 8}\n")
    gpu = root.find(("fleets", "azure", "gpu"))
    assert gpu is not None
    assert gpu.key is not None
    assert (gpu.key.line, gpu.key.column, gpu.key.width) == (2, 11, 3)
    assert (gpu.place.line, gpu.place.column, gpu.place.width) == (2, 16, 4)
    azure = root.find(("fleets", "azure"))
    assert azure is not None
    assert (azure.place.column, azure.place.width) == (10, len("{gpu: a100}"))
    item = root.find(("fleets", "oracle", "tranches", 0, "gpus"))
    assert item is not None
    assert (item.place.line, item.place.column) == (5, 16)
    assert root.find(("fleets", "oracle", "tranches", 1)) is None


def test_an_empty_text_is_an_empty_map() -> None:
    root, faults = parsed("# nothing but a comment\n")
    assert plain(root) == {}
    assert faults.errors == []


def test_forbidden_constructs_are_found_in_one_pass() -> None:
    _, faults = parsed("a: &x 1\nb: *x\nc: !!str 2\n3: d\na: 5\n<<: {e: 1}\n[k]: 6\n")
    assert [(fault.code, fault.line) for fault in faults.errors] == [
        ("alias", 1),
        ("alias", 2),
        ("tag", 3),
        ("key-not-text", 4),
        ("duplicate-key", 5),
        ("merge-key", 6),
        ("key-not-text", 7),
    ]


def test_directives_and_second_documents() -> None:
    _, faults = parsed("%YAML 1.1\n---\na: 1\n---\nb: 2\n")
    assert {fault.code for fault in faults.errors} == {"directive", "second-document"}


def test_a_syntax_error_has_a_place_and_no_tree() -> None:
    faults = Faults()
    text = "a: {b: 1\nc: 2\n"
    assert read(text, Source("a.yaml", lines=text.splitlines()), faults) is None
    (fault,) = faults.errors
    assert (fault.code, fault.line, fault.column) == ("syntax", 1, 4)


@pytest.mark.parametrize("file", sorted((ROOT / "workloads").rglob("*.yaml")), ids=lambda file: file.stem)
def test_both_parsers_give_the_same_tree(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = file.read_text(encoding="utf-8")
    trees = []
    for pure in (False, True):
        monkeypatch.setattr("fleetsim.spec.yaml._events", lambda text, pure=pure: events(text, pure))
        root, _ = parsed(text)
        trees.append(
            [(path, node.place.line, node.place.column, node.place.width) for path, node in root.walk()]
        )
    assert trees[0] == trees[1]


def events(text: str, pure: bool) -> list[object]:
    return list(YAML(typ="safe", pure=pure).parse(text))
