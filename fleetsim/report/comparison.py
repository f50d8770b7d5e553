"""A comparison as text, Markdown or CSV: a column per alternative, a row per figure, the total last."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from fleetsim.report.numbers import by_unit, signed_percent
from fleetsim.report.table import BAD, GOOD, QUIET, Cell, Table, render

COLUMN = 18
"""Characters of one alternative's column."""
LABEL = 40
"""Characters of the figures' column, at most."""


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
        parts.append(Table(title, ["Figure", *(f"|{heading(name, data)}" for name in shown)],
                           rows=[cells for row in data["rows"] for cells in text_rows(row, shown)],
                           totals=len(text_rows(data["rows"][-1], shown))))
    meanings = [f"{row['figure']}: {row['meaning']}" for row in data["rows"]
                if row["meaning"] and "." not in row["figure"]]
    return render([*parts, *(f"* {note}" for note in data["notes"]), *meanings], width=width,
                  terminal=terminal)


def heading(name: str, data: Mapping[str, Any]) -> str:
    """The alternative's name, with a mark when its cost is a bound."""
    alternative = next(each for each in data["alternatives"] if each["name"] == name)
    return f"{name}*" if alternative["bound_fleets"] else name


def text_rows(row: Mapping[str, Any], names: Sequence[str]) -> list[Sequence[str | Cell]]:
    """The values, and below them the differences to the baseline as far as there are any."""
    lines: list[Sequence[str | Cell]] = [
        [row["figure"], *(by_unit(row["values"][name], row["unit"]) for name in names)]]
    differences = [row["difference"][name] for name in names]
    if any(differences):
        lines.append(["", *(Cell(change(row, name), judged(row["better"], difference))
                            for name, difference in zip(names, differences, strict=True))])
    return lines


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
        return f"{difference * 100:+.1f} pp"
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
            value = by_unit(row["values"][name], row["unit"])
            cells.append(f"{value} ({change(row, name)})" if row["difference"][name] else value)
        lines.append(f"| {row['figure']} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(f"\\* {note}" for note in data["notes"])]).rstrip() + "\n"


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


