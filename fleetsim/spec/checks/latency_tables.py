"""Latency tables of services: read, and measured with what the scenario declares."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from fleetsim.errors import UsageError
from fleetsim.model.latency_table import LatencyTable, MixPart, Replica
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
    measured = {"service": table.service, "profile": table.profile, "routing": table.routing,
                **_keys("batching", table.batching)}
    declared = {"service": name, "profile": service.step_law.engine_profile, "routing": service.routing,
                **_keys("batching", service.batching)}
    if unlike := _unlike(measured, declared):
        yield f"it was measured with {unlike}"
    used = [(asker, gpu) for of, asker, gpu in uses(draft) if of == name]
    for gpu in dict.fromkeys(gpu for _, gpu in used):
        replica, law = table.replicas_of.get(gpu), service.laws.get(gpu)
        if replica is None:
            yield f"it has no rows of gpu type {gpu!r}, which a pool of the service has"
        elif law is not None and (unlike := _unlike(_of_replica(replica), {
                "gpus_per_replica": service.gpus_per_replica, **asdict(law)})):
            yield f"on {gpu!r} it was measured with {unlike}"
    askers = dict.fromkeys(asker for asker, _ in used)
    for asker in askers:
        if asker not in table.mix:
            yield f"traffic class {asker!r} is not in its mix, {', '.join(table.mix)}"
        elif unlike := _unlike(_of_part(table.mix[asker]), _of_class(draft.traffic[asker])):
            yield f"traffic class {asker!r} was measured with {unlike}"
    for asker in table.mix:
        if asker not in askers:
            yield f"traffic class {asker!r} of its mix does not use the service"


def _keys(prefix: str, value: Any) -> dict[str, Any]:
    """The fields of a dataclass under the keys that a file has for them."""
    return {f"{prefix}.{key}": each for key, each in asdict(value).items()}


def _of_replica(replica: Replica) -> dict[str, Any]:
    return {"gpus_per_replica": replica.gpus, **asdict(replica.law)}


def _of_part(part: MixPart) -> dict[str, Any]:
    return {"prompt_tokens.mean": part.prompt_mean_tokens, "prompt_tokens.cv": part.prompt_cv,
            "output_tokens.mean": part.output_mean_tokens, "output_tokens.cv": part.output_cv,
            "priority": part.priority, "patience_s": part.patience_s,
            "prefix_cached_frac": part.prefix_cached_frac}


def _of_class(asker: TrafficClass) -> dict[str, Any]:
    prompt, output = asker.prompt_tokens, asker.output_tokens
    return {"prompt_tokens.mean": prompt.mean, "prompt_tokens.cv": prompt.cv,
            "output_tokens.mean": output.mean, "output_tokens.cv": output.cv, "priority": asker.priority,
            "patience_s": asker.patience_s, "prefix_cached_frac": asker.prefix_cached_frac}


def _unlike(measured: Mapping[str, Any], declared: Mapping[str, Any]) -> str:
    """The keys that differ with both values: `batching.max_batch 64, not 32`; nothing when none does."""
    return "; ".join(f"{key} {_said(measured[key])}, not {_said(declared[key])}"
                     for key in declared if measured[key] != declared[key])


def _said(value: Any) -> str:
    return "none" if value is None else str(value)
