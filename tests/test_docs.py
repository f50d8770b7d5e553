"""The documentation is true: reference pages are the code's, links lead somewhere, outputs are real."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from generate import pages
from sessions import BLOCK, PAGES, blocks, keep_file

from fleetsim.cli.main import GROUPS, VERBS
from fleetsim.cli.template import TEMPLATE
from fleetsim.model.figure import find_figure
from fleetsim.spec import check_contract_file, is_contract_file, load
from fleetsim.spec.offer_file import is_offer_file, load_offers

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"

TEXTS = [*(ROOT / name for name in ("README.md", "CHANGELOG.md", "results/README.md")),
         *sorted(DOCS.rglob("*.md"))]
PROSE = [path for path in TEXTS if path.parent.name != "reference"]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
OWN_PATH = re.compile(r"`((?:fleetsim|docs|workloads|tests|results|benchmarks)/[\w./-]*)`")


def name_of(path: Path) -> str:
    """A path as its test id."""
    return str(path.relative_to(ROOT))


def anchors_of(path: Path) -> set[str]:
    """What `#` may be followed by in a link to a page: its headings as GitHub names them, and own anchors."""
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), flags=re.MULTILINE)
    plain = (re.sub(r"<[^>]+>", "", heading).strip().lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain} | set(
        re.findall(r'<a id="([^"]+)">', text))


@pytest.mark.parametrize("name", sorted(pages()))
def test_reference_pages_are_what_the_code_says(name: str) -> None:
    assert (DOCS / "reference" / name).read_text(encoding="utf-8") == pages()[name], "run `make docs`"


def test_no_reference_page_is_left_over() -> None:
    assert {path.name for path in (DOCS / "reference").iterdir()} == set(pages())


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for target in LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8"))):
        if target.startswith(("https://", "http://")):
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        if not found.exists() or (anchor and anchor not in anchors_of(found)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("path", PROSE, ids=name_of)
def test_files_that_are_named_exist(path: Path) -> None:
    # What a run makes is named too, with its place in angle brackets.
    named = OWN_PATH.findall(path.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists() and "NAME" not in name] == []


def test_every_page_is_reached_from_the_index() -> None:
    text = (DOCS / "README.md").read_text(encoding="utf-8")
    reached = {(DOCS / target.partition("#")[0]).resolve() for target in LINK.findall(text)}
    pages_by_hand = {path for path in DOCS.rglob("*.md") if path.parent.name != "reference"}
    assert pages_by_hand - reached == {DOCS / "README.md"}


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_yaml_on_a_page_passes_check(path: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(TEMPLATE.replace("{name}", "plan"), encoding="utf-8")
    for block in blocks(path.read_text(encoding="utf-8"), "yaml"):
        keep_file(block, tmp_path)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 1 + len(blocks(path.read_text(encoding="utf-8"), "yaml")), "a block without its name"
    for file in files:
        if is_contract_file(file):
            assert check_contract_file(file)[1] > 0
        elif is_offer_file(file):
            assert load_offers(file)
        else:
            # One load tries every override and scenario of the file.
            assert load(file).warnings == []


@pytest.mark.parametrize("path", PROSE, ids=name_of)
def test_verbs_and_figures_that_are_named_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    verbs = {verb.__name__ for verb, _ in VERBS} | set(GROUPS)
    assert set(re.findall(r"(?:^\$ |`|; )fleetsim ([a-z]+)", text, flags=re.MULTILINE)) <= verbs
    figures = re.findall(r"result:([a-z]+\.[\w.-]+)", text)
    assert [name for name in figures if find_figure(name) is None] == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_console_blocks_have_commands(path: Path) -> None:
    for found in BLOCK.finditer(path.read_text(encoding="utf-8")):
        if found[2] == "console":
            assert found[3].startswith("$ "), found[3]


def shown_is_printed(path: Path) -> None:
    """What a page shows is what its code prints; in a process of its own, in an empty folder."""
    done = subprocess.run([sys.executable, str(DOCS / "generate.py"), "--check", str(path)], cwd=ROOT,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run `make docs`\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("path", PAGES[:2], ids=name_of)
def test_the_first_pages_show_what_is_printed(path: Path) -> None:
    shown_is_printed(path)


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES[2:], ids=name_of)
def test_the_other_pages_show_what_is_printed(path: Path) -> None:
    shown_is_printed(path)
