"""A comparison as text, Markdown or CSV: a column per alternative, a row per figure, the total last."""

import csv
import re
from collections.abc import Mapping, Sequence
from io import StringIO
from textwrap import fill
from typing import Any

from fleetsim.report.numbers import by_unit, signed_percent
from fleetsim.report.table import BAD, GOOD, QUIET, Cell, Table, render

COLUMN = 20
"""Characters of one alternative's column, with the space before it."""
LABEL = 34
"""Characters of the figures' column, at most; longer names go on in the next line."""
TOTAL = "cost.total_usd"


def comparison_text(data: Mapping[str, Any], *, width: int = 100, terminal: bool = False) -> str:
    """The comparison in as many tables as the width asks for, the baseline in each."""
    names = [each["name"] for each in data["alternatives"]]
    label = min(LABEL, max(len(row["figure"]) for row in data["rows"]))
    per_table = max(1, (width - label) // COLUMN - 1)
    others = names[1:]
    parts: list[Table | str] = []
    for start in range(0, len(others), per_table):
        shown = [names[0], *others[start : start + per_table]]
        title = f"Compared with {names[0]}" if start == 0 else f"Compared with {names[0]}, continued"
        parts.append(Table(title, ["Figure", *(f"|{folded(heading(name, data), COLUMN - 2)}"
                                               for name in shown)],
                           rows=[cells for row in data["rows"] for cells in text_rows(row, shown, data)],
                           totals=len(text_rows(data["rows"][-1], shown, data))))
    meanings = [f"{row['figure']}: {row['meaning']}" for row in data["rows"]
                if row["meaning"] and "." not in row["figure"]]
    return render([*parts, *(wrapped(text, width) for text in (*data["notes"], *meanings))], width=width,
                  terminal=terminal)


def wrapped(text: str, width: int) -> str:
    """A paragraph of lines that end between words."""
    return fill(text, width, break_long_words=False, break_on_hyphens=False)


def folded(name: str, width: int) -> str:
    """A name in lines of at most `width` characters that end after a point, a dash or an underscore, each
    but the last as long as it can be; a part that is longer than a line stays whole."""
    lines = [""]
    for part in re.findall(r"[^._-]*[._-]|[^._-]+$", name):
        if lines[-1] and len(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def heading(name: str, data: Mapping[str, Any]) -> str:
    """The alternative's name, with a star when its cost is a bound."""
    return f"{name}*" if alternative(name, data)["bound_fleets"] else name


def alternative(name: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is said of one column."""
    found: Mapping[str, Any] = next(each for each in data["alternatives"] if each["name"] == name)
    return found


def value_of(row: Mapping[str, Any], name: str, data: Mapping[str, Any]) -> str:
    """A value; a total that leaves out GPU-hours without a contract has a mark."""
    mark = "!" if row["figure"] == TOTAL and alternative(name, data)["uncovered_gpu_hours"] else ""
    return by_unit(row["values"][name], row["unit"]) + mark


def text_rows(row: Mapping[str, Any], names: Sequence[str],
              data: Mapping[str, Any]) -> list[Sequence[str | Cell]]:
    """The values, and below them the differences to the baseline as far as there are any."""
    first, *rest = folded(row["figure"], LABEL).split("\n")
    lines: list[list[str | Cell]] = [[first, *(value_of(row, name, data) for name in names)]]
    differences = [row["difference"][name] for name in names]
    if any(differences):
        lines.append(["", *(Cell(change(row, name), judged(row["better"], difference))
                            for name, difference in zip(names, differences, strict=True))])
    for place, part in enumerate(rest, start=1):
        if place == len(lines):
            lines.append([""] * (1 + len(names)))
        lines[place][0] = f"  {part}"
    return [*lines]


def change(row: Mapping[str, Any], name: str) -> str:
    """The difference to the baseline and its share of it: `+$3.622B, +90.6 %`."""
    parts = [signed(row["difference"][name], row["unit"])]
    if row["unit"] != "1" and row["difference"][name] and row["difference_frac"][name] is not None:
        parts.append(signed_percent(row["difference_frac"][name]))
    return ", ".join(parts)


def signed(difference: float | None, unit: str) -> str:
    """A difference with its sign; nothing where there is none."""
    if not difference:
        return ""
    if unit == "1":
        points = f"{difference * 100:+.1f}"
        return f"{points} pp" if float(points) else "< 0.1 pp"
    return ("+" if difference > 0 else "-") + by_unit(abs(difference), unit)


def judged(better: str, difference: float | None) -> str:
    """Green for better than the baseline, red for worse."""
    if not difference or better == "neither":
        return QUIET
    return GOOD if (difference > 0) == (better == "higher") else BAD


def comparison_markdown(data: Mapping[str, Any]) -> str:
    """One Markdown table; a cell holds the value and the difference to the baseline."""
    names = [each["name"] for each in data["alternatives"]]
    lines = [f"| figure | {' | '.join(heading(name, data) for name in names)} |",
             "|---|" + "---:|" * len(names)]
    for row in data["rows"]:
        cells = []
        for name in names:
            value = value_of(row, name, data)
            cells.append(f"{value} ({change(row, name)})" if row["difference"][name] else value)
        lines.append(f"| {row['figure']} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(markdown_note(note) for note in data["notes"])]).rstrip() + "\n"


def markdown_note(note: str) -> str:
    """A note as a paragraph; its star is no list."""
    return "\\" + note if note.startswith("*") else note


def comparison_csv(data: Mapping[str, Any]) -> str:
    """Exact values: the alternatives, then their differences to the baseline and those as shares of it."""
    names = [each["name"] for each in data["alternatives"]]
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["figure", "unit", "better", *names, *(f"{name} difference" for name in names[1:]),
                     *(f"{name} difference_frac" for name in names[1:])])
    for row in data["rows"]:
        writer.writerow([row["figure"], row["unit"], row["better"],
                         *(row["values"][name] for name in names),
                         *(row["difference"][name] for name in names[1:]),
                         *(row["difference_frac"][name] for name in names[1:])])
    return out.getvalue()


