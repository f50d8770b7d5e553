"""The house: sizes of files and functions, folders, and who may import what.

The layers themselves are import-linter's contracts in pyproject.toml; `make test` runs both.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "fleetsim"
FILES = sorted(PACKAGE.rglob("*.py"))
CODE = [*FILES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "benchmarks").rglob("*.py"))]
WORKLOADS = sorted(path for path in (ROOT / "workloads").rglob("*.yaml") if "parts" not in path.parts)

MOST_LINES = 400
MOST_FUNCTION_LINES = 70

FOLDERS = ["model", "policies", "kernel", "kernel/request", "ledger", "engine", "engine/processes",
           "spec", "spec/catalog", "output", "experiments", "report", "cli"]


def name_of(path: Path) -> str:
    """A path as its test id."""
    return str(path.relative_to(ROOT))


def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def module_of(path: Path) -> str:
    """`fleetsim.cli.run` for fleetsim/cli/run.py; a package for its __init__.py."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, *, lazy: bool) -> Iterator[str]:
    """Modules that a file imports when it is imported; with `lazy` also inside functions."""
    tree = tree_of(path)
    skipped = {
        id(inner) for node in ast.walk(tree)
        if (isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"))
        or (not lazy and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from package import module` needs the module, not what else the package holds.
            for alias in node.names:
                part = f"{node.module}.{alias.name}"
                yield part if part in MODULES else node.module


MODULES = {module_of(path): path for path in FILES}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_of_the_design_exists(folder: str) -> None:
    assert (PACKAGE / folder).is_dir()


def test_no_file_is_too_long() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}
    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_function_is_too_long() -> None:
    lengths = {
        f"{name_of(path)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in CODE for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in lengths.items() if lines > MOST_FUNCTION_LINES} == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [name_of(path) for path in FILES
              if path.read_text(encoding="utf-8").strip() and not ast.get_docstring(tree_of(path))]
    assert silent == []


def test_imports_have_no_cycle() -> None:
    graph = {name: {found for found in imports_of(path, lazy=False) if found in MODULES and found != name}
             for name, path in MODULES.items()}
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, f"cycle: {' -> '.join([*way[way.index(name):], name])}"
        if name not in done:
            for other in sorted(graph[name]):
                visit(other, (*way, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


@pytest.mark.parametrize(("library", "home"),
                         [("simpy", "engine"), ("matplotlib", "report"), ("typer", "cli")])
def test_a_library_is_imported_in_its_home_alone(library: str, home: str) -> None:
    users = {path.relative_to(PACKAGE).parts[0] for path in FILES
             if any(name.split(".")[0] == library for name in imports_of(path, lazy=True))}
    assert users == {home}


def test_nothing_is_left_undone() -> None:
    marks = re.compile(r"TODO|FIXME|XXX|NotImplementedError")
    assert lines_with(marks) == []


def test_every_ignored_rule_is_named_and_has_its_reason() -> None:
    ignored = re.compile(r"# type: ignore|# noqa")
    reasoned = re.compile(r"# type: ignore\[[\w, -]+\]\s+# \w+|# noqa: [A-Z]+\d+ - \w+")
    assert [line for line in lines_with(ignored) if not reasoned.search(line)] == []


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """The package's lines that match, with their places."""
    return [f"{name_of(path)}:{number}: {line.strip()}" for path in FILES
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
            if pattern.search(line)]


@pytest.mark.parametrize("path", WORKLOADS, ids=name_of)
def test_every_shipped_workload_passes_check(path: Path) -> None:
    checked = subprocess.run([sys.executable, "-m", "fleetsim", "check", str(path)], cwd=ROOT,
                             capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.startswith("ok: ")


def test_workloads_ship() -> None:
    names = {path.stem for path in WORKLOADS if path.parent.name == "workloads"}
    assert {"openai-2024", "openai-2024-reported", "apple-surge", "oracle-expansion", "chatgpt-2023",
            "anthropic-2024"} <= names
