"""Latency tables of services: read, and measured with what the scenario declares."""

from collections.abc import Iterator

from fleetsim.errors import UsageError
from fleetsim.model.latency_table import LatencyTable, MixPart
from fleetsim.model.service import Service
from fleetsim.model.traffic import TrafficClass
from fleetsim.spec.checks.step_laws import uses, with_laws
from fleetsim.spec.draft import Draft
from fleetsim.spec.file import no_file
from fleetsim.spec.node import NodePath


def check_latency_tables(draft: Draft) -> None:
    for name, service in draft.services.items():
        if service.latency_table is None:
            continue
        path: NodePath = ("services", name, "latency_table")
        if service.step_law is None:
            message = "times are known for services with a step law only"
            draft.error("latency-table-without-law", path, message, key=True)
            continue
        table = _read(draft, service.latency_table, path)
        if table is None:
            continue
        for difference in _differences(draft, name, with_laws(draft, service), table):
            draft.error("latency-table-differs", path, f"{service.latency_table}: {difference}",
                        f"fleetsim calibrate {name} --in FILE --out {service.latency_table} --force")
            break
        else:
            draft.latency_tables[name] = table


def _read(draft: Draft, name: str, path: NodePath) -> LatencyTable | None:
    from fleetsim.spec.latency_file import read_latency_table

    file = draft.directory / name
    if not file.is_file():
        draft.error("missing-file", path, *no_file(file, "*.parquet"))
        return None
    try:
        table = read_latency_table(file)
    except UsageError as error:
        draft.error("bad-file", path, str(error))
        return None
    draft.inputs[name] = table.sha256
    return table


def _differences(draft: Draft, name: str, service: Service, table: LatencyTable) -> Iterator[str]:
    """What the table was measured with and the scenario does not have."""
    assert service.step_law is not None, "checked before"
    profile = service.step_law.engine_profile
    for what, measured, declared in (("service", table.service, name), ("profile", table.profile, profile),
                                     ("batching", table.batching, service.batching),
                                     ("routing", table.routing, service.routing)):
        if measured != declared:
            yield f"it was measured with {what} {measured}, the service has {declared}"
    used = [(asker, gpu) for of, asker, gpu in uses(draft) if of == name]
    for gpu in dict.fromkeys(gpu for _, gpu in used):
        replica, law = table.replicas_of.get(gpu), service.laws.get(gpu)
        if replica is None:
            yield f"it has no rows of gpu type {gpu!r}, which a pool of the service has"
        elif replica.law != law or replica.gpus != service.gpus_per_replica:
            yield f"it was measured with another step law or replica on {gpu!r}"
    askers = dict.fromkeys(asker for asker, _ in used)
    for asker in askers:
        if asker not in table.mix:
            yield f"traffic class {asker!r} is not in its mix, {', '.join(table.mix)}"
        elif not _same(table, asker, draft.traffic[asker]):
            yield f"traffic class {asker!r} had other tokens or another priority when it was measured"
    for asker in table.mix:
        if asker not in askers:
            yield f"traffic class {asker!r} of its mix does not use the service"


def _same(table: LatencyTable, name: str, asker: TrafficClass) -> bool:
    part = table.mix[name]
    prompt, output = asker.prompt_tokens, asker.output_tokens
    return part == MixPart(part.share_frac, asker.priority, prompt.mean, prompt.cv, output.mean, output.cv)
