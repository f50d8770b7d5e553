"""References: every name that one part of a file uses of another, checked where it is written.

They are checked on the tree, not on the objects, so that a wrong name is found in an entry that has
other faults, too.
"""

from collections.abc import Iterator
from typing import NamedTuple

from fleetsim.errors import did_you_mean
from fleetsim.model.pool import TRAINING
from fleetsim.spec import catalog
from fleetsim.spec.draft import Draft
from fleetsim.spec.node import Node, NodePath
from fleetsim.spec.sections import section_named

ANY = "*"


class Reference(NamedTuple):
    """Values (or keys) at places of this form are names of things of a section."""

    form: tuple[str, ...]
    section: str
    of_keys: bool = False


REFERENCES = (
    Reference(("fleets", ANY, "gpu"), "gpus"),
    Reference(("fleets", ANY, "elastic", "contract"), "contracts"),
    Reference(("pools", ANY, "fleets", ANY), "fleets", of_keys=True),
    Reference(("services", ANY, "model"), "models"),
    Reference(("services", ANY, "step_law", "gpus", ANY), "gpus", of_keys=True),
    Reference(("traffic", ANY, "pool"), "pools"),
    Reference(("traffic", ANY, "service"), "services"),
    Reference(("traffic", ANY, "service", "mix", ANY, "from"), "services"),
    Reference(("traffic", ANY, "service", "mix", ANY, "to"), "services"),
    Reference(("traffic", ANY, "messages_per_day", "curve"), "curves"),
    Reference(("surges", ANY, "class"), "traffic"),
    Reference(("surges", ANY, "class", ANY), "traffic"),
    Reference(("policies", ANY, "pool"), "pools"),
    Reference(("policies", ANY, "from"), "pools"),
    Reference(("policies", ANY, "class"), "traffic"),
    Reference(("policies", ANY, "to", ANY), "traffic", of_keys=True),
    Reference(("policies", ANY, "to", ANY), "services"),
    Reference(("policies", ANY, "weights", ANY), "fleets", of_keys=True),
    Reference(("policies", ANY, "fleet"), "fleets"),
    Reference(("training_jobs", ANY, "fleet"), "fleets"),
    Reference(("job_streams", ANY, "fleet"), "fleets"),
    Reference(("contracts", ANY, "fleet"), "fleets"),
    Reference(("contracts", ANY, "fleets", ANY), "fleets"),
    Reference(("contracts", ANY, "rates", ANY), "fleets", of_keys=True),
    Reference(("contracts", ANY, "contracts", ANY), "contracts"),
    Reference(("contracts", ANY, "revenue", ANY), "finance.revenue"),
    Reference(("budgets", ANY, "fleets", ANY), "fleets"),
    Reference(("budgets", ANY, "contracts", ANY), "contracts"),
    Reference(("offers", ANY, "gpu"), "gpus"),
    Reference(("finance", "revenue", ANY, "traffic_classes", ANY), "traffic"),
    Reference(("finance", "revenue", ANY, "of"), "finance.revenue"),
    Reference(("finance", "revenue", ANY, "of", ANY), "finance.revenue"),
)


def check_references(draft: Draft) -> None:
    for reference in REFERENCES:
        for path, node in _places(draft.root, reference.form, ()):
            name = path[-1] if reference.of_keys else node.value
            if isinstance(name, str) and not _is_of_jobs(draft, name, path):
                _check(draft, reference, name, path)


def _is_of_jobs(draft: Draft, name: str, path: NodePath) -> bool:
    """Whether it names the training jobs, which lend and borrow like a pool."""
    kind = draft.root.find((*path[:-1], "kind")) if name == TRAINING and path[0] == "policies" else None
    return kind is not None and kind.value == "borrow"


def _places(node: Node, form: tuple[str, ...], path: NodePath) -> Iterator[tuple[NodePath, Node]]:
    """The values at places of the form."""
    if not form:
        yield path, node
    elif form[0] != ANY:
        child = node.entries().get(form[0])
        if child is not None:
            yield from _places(child, form[1:], (*path, form[0]))
    else:
        for key, child in node.entries().items():
            yield from _places(child, form[1:], (*path, key))
        for index, child in enumerate(node.items()):
            yield from _places(child, form[1:], (*path, index))


def _check(draft: Draft, reference: Reference, name: str, path: NodePath) -> None:
    if reference.section == "models":
        if name not in catalog.models():
            hint = did_you_mean(name, list(catalog.models()))
            draft.error("unknown-model", path, f"no model {name!r} in the catalogue", hint)
        return
    if draft.has(reference.section, name):
        return
    if reference.section == "gpus":
        if name not in catalog.gpus():
            hint = did_you_mean(name, [*draft.names("gpus"), *catalog.gpus()])
            draft.error("unknown-gpu-type", path, f"no gpu type {name!r}", hint, reference.of_keys)
        return
    unknown(draft, reference.section, name, path, reference.of_keys)


def unknown(draft: Draft, section: str, name: str, path: NodePath, key: bool = False) -> None:
    """Report that a section has no thing of that name."""
    noun = section_named(section).noun
    known = draft.names(section)
    hint = did_you_mean(name, known) if known else f"the scenario has no `{section}`"
    draft.error(f"unknown-{noun.replace(' ', '-')}", path, f"no {noun} {name!r}", hint, key)
