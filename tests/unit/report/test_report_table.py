"""Tables of text keep to the page: words and names go to the next line, numbers never."""

import pytest

from fleetsim.report.table import Table, render

NAMES = ("a-provider-of-a-very-long-name-indeed", "a-contract-that-was-signed-on-2024-03-01")
NUMBERS = ("$1,234,567", "$7,654,321", "-$6,419,754", "-83.9 %")


def table() -> Table:
    return Table("Title", ["Provider", "Contract", "|Simulated", "|Actual", "|Difference", "|in %"],
                 [(*NAMES, *NUMBERS)], lead=["word " * 40], foot=["word " * 40])


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("terminal", [False, True])
def test_lines_are_wrapped_at_words(width: int, terminal: bool) -> None:
    text = render(["sentence " * 30, table()], width=width, terminal=terminal)
    lines = text.splitlines()
    prose = [line for line in lines if "word" in line or "sentence" in line]
    assert len(prose) > 5
    assert all(len(line) <= width and set(line.split()) <= {"word", "sentence"} for line in prose)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_numbers_stay_whole_and_names_are_folded(width: int) -> None:
    lines = render([table()], width=width).splitlines()
    row = next(line for line in lines if NUMBERS[0] in line)
    assert row.split()[-5:] == [*NUMBERS[:3], *NUMBERS[3].split()]
    folded = [line for line in lines if line.strip() and not line.startswith(("Title", "  word"))]
    assert max(map(len, folded)) <= max(width, 6 * 2 + 2 * 12 + sum(map(len, NUMBERS)))
    names = "".join(line[: row.index(NUMBERS[0])] for line in lines[lines.index(row):])
    assert names.count("-") == sum(name.count("-") for name in NAMES)


def test_what_has_several_lines_stays_as_it_is_written() -> None:
    commands = f"fleetsim run {'x' * 90}\nfleetsim show {'y' * 90}"
    assert render([commands], width=80) == f"{commands}\n"
