"""Objectives and published facts: the figures they name, and what they say about them."""

import re

from fleetsim.errors import did_you_mean
from fleetsim.model.figure import FIGURES, FINANCE, Figure, find_figure
from fleetsim.model.scenario import COMPARISONS, Objective, PublishedFact
from fleetsim.spec.checks.fleets import span
from fleetsim.spec.checks.horizon import on_the_hour, shown
from fleetsim.spec.checks.references import unknown
from fleetsim.spec.draft import Draft
from fleetsim.spec.node import NodePath
from fleetsim.spec.scalar import resolve, written
from fleetsim.units import as_utc

OPERATORS = tuple(COMPARISONS)
PREFIX = "result:"
_OBJECTIVE = re.compile(r"(?P<figure>[^\s<>=!]+)\s*(?P<operator>[<>=!~]+|\S+)\s*(?P<value>.*)")
_SECTION_OF = {"pool": "pools", "fleet": "fleets", "class": "traffic", "contract": "contracts",
               "budget": "budgets", "job": "training_jobs",
               "stream": "finance.revenue", "cost": "finance.costs"}


def check_objectives(draft: Draft) -> None:
    node = draft.root.child("objectives")
    if node is None:
        return
    if not isinstance(node.value, list):
        draft.error(
            "wrong-type",
            ("objectives",),
            f"expected a list, got {written(node.value)}",
            'write ["result:traffic.plus.shed_frac <= 0.001"]',
        )
        return
    for index, child in enumerate(node.value):
        path: NodePath = ("objectives", index)
        if isinstance(child.value, str):
            objective = _objective(draft, child.value, path)
            if objective is not None:
                draft.objectives.append(objective)
        else:
            draft.error(
                "wrong-type", path, f"expected text, got {written(child.value)}", 'put it in quotes: "..."'
            )


def _objective(draft: Draft, text: str, path: NodePath) -> Objective | None:
    match = _OBJECTIVE.fullmatch(text.strip())
    form = "write result:FIGURE OPERATOR VALUE, as result:traffic.plus.shed_frac <= 0.001"
    if match is None or (not match["value"] and match["operator"] not in OPERATORS):
        draft.error("bad-objective", path, f"{text!r} is no objective", form)
        return None
    if not match["figure"].startswith(PREFIX):
        draft.error(
            "bad-objective",
            path,
            f"a figure is written with {PREFIX!r} before it",
            f"write {PREFIX}{text.strip()}",
        )
        return None
    name = match["figure"].removeprefix(PREFIX)
    figure = _figure(draft, name, path)
    operator = match["operator"]
    if operator not in OPERATORS:
        hint = {"=": "write ==", "=<": "write <=", "=>": "write >="}.get(
            operator, f"known: {', '.join(OPERATORS)}"
        )
        draft.error("unknown-operator", path, f"no operator {operator!r}", hint)
        return None
    if figure is None:
        return None
    value = _limit(figure, match["value"].strip())
    if value is None:
        kind = "a date" if figure.unit == "time" else f"a number ({figure.unit})"
        draft.error(
            "bad-objective", path, f"expected {kind} after {operator!r}, got {match['value'].strip()!r}", form
        )
        return None
    return Objective(text, figure, name, operator, value)


def _limit(figure: Figure, text: str) -> float | str | None:
    """The number, or for a time the instant as ISO text, that a figure is compared with."""
    if figure.unit == "time":
        try:
            return as_utc(text).isoformat()
        except ValueError:
            return None
    value = resolve(text) if text else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _figure(draft: Draft, name: str, path: NodePath) -> Figure | None:
    found = find_figure(name)
    if found is None:
        draft.error("unknown-figure", path, f"no figure {name!r}", _nearest(draft, name))
        return None
    figure, thing = found
    if figure.name.startswith(FINANCE) and draft.root.child("finance") is None:
        draft.error("no-finance", path, f"{name!r} needs the section `finance`", "add `finance:`")
        return None
    section = _SECTION_OF[figure.thing] if figure.thing is not None else None
    if section == "finance.costs" and not draft.has(section, thing):
        draft.error("unknown-cost", path, f"no cost {thing!r}", did_you_mean(thing, draft.names(section)))
        return None
    if section is not None and not draft.has(section, thing):
        unknown(draft, section, thing, path)
        return None
    return figure


def _nearest(draft: Draft, name: str) -> str:
    """Figures of this scenario that are written like `name`."""
    known = []
    for figure in FIGURES:
        if figure.thing is None:
            known.append(figure.name)
        else:
            mark = f"{{{figure.thing}}}"
            known += [figure.name.replace(mark, thing) for thing in draft.names(_SECTION_OF[figure.thing])]
    return did_you_mean(name, known)


def check_published(draft: Draft) -> None:
    section = draft.root.child("published")
    for name, node in section.entries().items() if section else ():
        figure = node.child("figure")
        if figure is not None and isinstance(figure.value, str):
            _check_figure(draft, figure.value, ("published", name, "figure"))
    for name, fact in draft.published.items():
        _check_fact(draft, fact, ("published", name))


def _check_figure(draft: Draft, written_name: str, path: NodePath) -> None:
    if written_name.startswith(PREFIX):
        draft.error("bad-figure", path, f"write the figure without {PREFIX!r} here")
    _figure(draft, written_name.removeprefix(PREFIX), path)


def _check_fact(draft: Draft, fact: PublishedFact, path: NodePath) -> None:
    if fact.value is None and fact.low is None and fact.high is None:
        draft.error("missing-key", path, "give value, or a band with low and high", key=True)
    if fact.low is not None and fact.high is not None and fact.low > fact.high:
        draft.error("band-order", (*path, "high"), f"must be at least low ({fact.low:g}), got {fact.high:g}")
    horizon = draft.horizon
    for key, instant in (("start", fact.start), ("end", fact.end)):
        if instant is not None and not on_the_hour(instant):
            draft.error("not-whole-hours", (*path, key), f"must be on a whole hour, got {shown(instant)}")
    if fact.start is not None and fact.end is not None and fact.end <= fact.start:
        draft.error(
            "ends-before-start",
            (*path, "end"),
            f"must be after the start {shown(fact.start)}, got {shown(fact.end)}",
        )
    elif horizon is not None:
        for key, instant in (("start", fact.start), ("end", fact.end)):
            if instant is not None and not horizon.start <= instant <= horizon.end:
                message = f"{shown(instant)} lies outside the horizon {span(horizon.start, horizon.end)}"
                draft.error("outside-horizon", (*path, key), message)
