"""The README begins with the two commands and names only verbs that exist."""

import re
from pathlib import Path

from fleetsim.cli.main import GROUPS, VERBS

README = (Path(__file__).parent.parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_two_commands_and_real_output_stand_on_the_first_screen() -> None:
    first_screen = "\n".join(README.splitlines()[:40])
    assert re.search(r"^\W*make run\b", first_screen, flags=re.MULTILINE)
    assert re.search(r"^\W*make test\b", first_screen, flags=re.MULTILINE)
    assert "\nDecision\n" in first_screen


def test_every_verb_that_is_shown_exists_and_every_verb_is_shown() -> None:
    known = {verb.__name__ for verb, _ in VERBS} | set(GROUPS)
    assert set(re.findall(r"(?:^\$ |`)fleetsim (\w+)", README, flags=re.MULTILINE)) == known
