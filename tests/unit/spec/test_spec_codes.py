"""The table of codes is complete: every code of the program is in it, and none is left over."""

import re
from pathlib import Path

import fleetsim.spec
from fleetsim.spec import CODES
from fleetsim.spec.checks.references import REFERENCES
from fleetsim.spec.sections import section_named

FOLDER = Path(fleetsim.spec.__file__).parent
CALL = re.compile(
    r"""(?:\.(?:error|warning|at)|self\.fault)\(([^"]*?)"([a-z0-9]+(?:-[a-z0-9]+)*|tab|syntax)","""
)


def codes_in_the_program() -> set[str]:
    found: set[str] = set()
    for file in FOLDER.rglob("*.py"):
        if file.name != "codes.py":
            found |= {code for _, code in CALL.findall(file.read_text(encoding="utf-8"))}
    named = {reference.section for reference in REFERENCES} - {"models", "gpus"}
    found |= {f"unknown-{section_named(section).noun.replace(' ', '-')}" for section in named}
    return found


def test_every_code_is_explained_and_used() -> None:
    assert codes_in_the_program() == set(CODES)


def test_every_explanation_has_a_meaning_a_wrong_and_a_right_example() -> None:
    for code, text in CODES.items():
        *meaning, wrong, right = text.splitlines()
        assert meaning, code
        assert wrong.startswith("  wrong: "), code
        assert right.startswith("  right: "), code
