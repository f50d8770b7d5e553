"""Step laws of services: where they come from, the gpu types that they know, and what a replica can hold."""

from collections.abc import Iterator
from dataclasses import replace

from fleetsim.errors import did_you_mean
from fleetsim.model.hardware import GpuType
from fleetsim.model.service import Service
from fleetsim.model.step_law import StepLaw
from fleetsim.model.step_law_source import StepLawSource
from fleetsim.policies import Degrade
from fleetsim.spec import catalog
from fleetsim.spec.catalog.step_profile import StepProfile
from fleetsim.spec.draft import Draft
from fleetsim.spec.node import NodePath

_OF_STEP_LAWS = ("batching", "routing", "context_limit_tokens")
_RARE_FRAC = 0.05
"""Share of prompts that may exceed what a law holds for without a warning."""


def check_step_laws(draft: Draft) -> None:
    for name, service in draft.services.items():
        path: NodePath = ("services", name)
        if service.step_law is None:
            for key in _OF_STEP_LAWS:
                if draft.root.find((*path, key)) is not None:
                    message = f"{key} says how replicas work: it needs a step_law"
                    draft.warning("no-effect", (*path, key), message, key=True)
        elif _check_source(draft, service.step_law, (*path, "step_law")):
            _check_uses(draft, name, service, (*path, "step_law"))


def with_laws(draft: Draft, service: Service) -> Service:
    """The service with its step law on every gpu type of the pools' fleets for which there is one."""
    given = service.step_law
    if given is None or given.gpus:
        return service
    laws: dict[str, StepLaw] = {}
    for gpu in dict.fromkeys(fleet.gpu for fleet in draft.fleets.values()):
        found = _law(draft, service, gpu)
        if found is not None:
            laws[gpu] = found
    roofline = given.roofline
    if roofline is not None and isinstance(roofline.shape, str):
        roofline = replace(roofline, shape=catalog.model_shapes()[roofline.shape])
    return replace(service, step_law=replace(given, gpus=laws, roofline=roofline))


def profiles_of(source: StepLawSource) -> dict[str, StepProfile]:
    """The catalogue's profiles that a source names, by gpu type."""
    return {each.gpu: each for each in catalog.step_profiles().values()
            if (each.service, each.profile) == (source.model, source.profile)}


def uses(draft: Draft) -> Iterator[tuple[str, str, str]]:
    """(service, traffic class, gpu type) wherever a service may have to serve a class."""
    cheaper: dict[str, list[str]] = {}
    for policy in draft.of("policies").values():
        if isinstance(policy, Degrade):
            for degraded, to in policy.to.items():
                cheaper.setdefault(degraded, []).append(to)
    for name, asker in draft.traffic.items():
        pool = draft.pools.get(asker.pool)
        fleets = [draft.fleets[fleet] for fleet in pool.fleets if fleet in draft.fleets] if pool else []
        for service in dict.fromkeys([*asker.services(), *cheaper.get(name, [])]):
            for gpu in dict.fromkeys(fleet.gpu for fleet in fleets):
                yield service, name, gpu


def _law(draft: Draft, service: Service, gpu: str) -> StepLaw | None:
    """The step law of a service on a gpu type; None when there is none."""
    source, known = service.step_law, draft.gpus.get(gpu)
    if source is None or known is None:
        return None
    if source.gpus:
        return source.gpus.get(gpu)
    if source.roofline is None:
        found = profiles_of(source).get(gpu)
        return found.law if found else None
    roofline = source.roofline
    if isinstance(roofline.shape, str):
        if roofline.shape not in catalog.model_shapes():
            return None
        roofline = replace(roofline, shape=catalog.model_shapes()[roofline.shape])
    if _lacks_links(service, known) or roofline.kv_tokens(known, service.gpus_per_replica) <= 0:
        return None
    return roofline.law(known, service.gpus_per_replica)


def _lacks_links(service: Service, gpu: GpuType) -> bool:
    return service.gpus_per_replica > 1 and gpu.link_gb_per_s is None


def _check_source(draft: Draft, source: StepLawSource, path: NodePath) -> bool:
    """Whether exactly one source is given, and is there."""
    given = [key for key in ("model", "gpus", "roofline") if getattr(source, key)]
    if len(given) != 1:
        got = " and ".join(given) or "none"
        message = f"give model, gpus or roofline, one of the three; got {got}"
        draft.error("not-one-of", path, message, key=True)
        return False
    if source.model is None:
        if source.profile is not None:
            draft.error("profile-without-model", (*path, "profile"),
                        "is the profile of a model of the catalogue; there is no model here",
                        "add `model:`, or remove it", key=True)
        shape = source.roofline.shape if source.roofline else None
        if isinstance(shape, str) and shape not in catalog.model_shapes():
            draft.error("unknown-model-shape", (*path, "roofline", "shape"),
                        f"no model shape {shape!r} in the catalogue",
                        did_you_mean(shape, list(catalog.model_shapes())))
            return False
        return True
    entries = catalog.step_profiles().values()
    models = sorted({each.service for each in entries})
    profiles = sorted({each.profile for each in entries if each.service == source.model})
    if source.model not in models:
        draft.error("unknown-step-law", (*path, "model"),
                    f"no step law of a model {source.model!r} in the catalogue",
                    did_you_mean(source.model, models))
    elif source.profile is None:
        draft.error("missing-key", path, "missing key 'profile'",
                    f"add `profile:` with one of {', '.join(profiles)}", key=True)
    elif source.profile not in profiles:
        draft.error("unknown-step-law", (*path, "profile"),
                    f"no step law of {source.model!r} under a profile {source.profile!r} in the catalogue",
                    did_you_mean(source.profile, profiles))
    else:
        return True
    return False


def _check_uses(draft: Draft, name: str, service: Service, path: NodePath) -> None:
    """The law of every gpu type on which the service serves, once each, then what its classes ask of it."""
    used: dict[str, list[str]] = {}
    for service_name, asker, gpu in uses(draft):
        if service_name == name and gpu in draft.gpus:
            used.setdefault(gpu, []).append(asker)
    for gpu, askers in used.items():
        law = _law(draft, service, gpu)
        if law is None:
            _report_missing(draft, service, gpu, path)
            continue
        _check_replica(draft, service, gpu, law, path)
        for asker in askers:
            _check_lengths(draft, asker, service, gpu, law)


def _report_missing(draft: Draft, service: Service, gpu: str, path: NodePath) -> None:
    source, known = service.step_law, draft.gpus[gpu]
    assert source is not None, "only services with a step law are looked at"
    roofline = source.roofline
    if roofline is None:
        laws = sorted(source.gpus or profiles_of(source))
        draft.error("no-step-law", path, f"no step law on {gpu!r}, which a pool of the service has",
                    f"there are step laws on {', '.join(laws)}", key=True)
    elif _lacks_links(service, known):
        draft.error("no-link-bandwidth", (*path, "roofline"),
                    f"gpu type {gpu!r} has no link_gb_per_s, which a replica of "
                    f"{service.gpus_per_replica} GPUs needs", key=True)
    else:
        whole = roofline if not isinstance(roofline.shape, str) else replace(
            roofline, shape=catalog.model_shapes()[roofline.shape])
        fewest = whole.fewest_gpus(known)
        hint = f"it fits on {fewest} GPUs" if fewest else "no number of GPUs up to 1,024 holds it"
        draft.error("model-does-not-fit", (*path, "roofline"),
                    f"{whole.known_shape.weight_bytes / 1e9:,.1f} GB of weights leave no room for KV on "
                    f"{service.gpus_per_replica} {gpu!r}", hint, key=True)


def _check_replica(draft: Draft, service: Service, gpu: str, law: StepLaw, path: NodePath) -> None:
    """A replica's GPUs and its largest batch are those of the law."""
    source, max_batch = service.step_law, service.batching.max_batch
    assert source is not None, "only services with a step law are looked at"
    if law.largest_batch is not None and max_batch > law.largest_batch:
        draft.error("batch-beyond-law", _written(draft, path[:2], "batching", "max_batch"),
                    f"max_batch is {max_batch}; the step law on {gpu!r} ends at {law.largest_batch}",
                    f"set batching.max_batch to at most {law.largest_batch}", key=True)
    profile = None if source.model is None else profiles_of(source).get(gpu)
    if profile is None:
        return
    if profile.gpus != service.gpus_per_replica:
        draft.error("replica-size", _written(draft, path[:2], "gpus_per_replica"),
                    f"the step law on {gpu!r} is one of {profile.gpus} GPUs, a replica has "
                    f"{service.gpus_per_replica}", f"write gpus_per_replica: {profile.gpus}", key=True)
    measured = max((point.batch for point in profile.decode), default=max_batch)
    if max_batch > measured:
        draft.warning("batch-beyond-measured", _written(draft, path[:2], "batching", "max_batch"),
                      f"max_batch is {max_batch}; the step law on {gpu!r} was fitted up to {measured}",
                      f"set batching.max_batch to at most {measured}", key=True)


def _check_lengths(draft: Draft, name: str, service: Service, gpu: str, law: StepLaw) -> None:
    """Requests that a replica cannot hold, or whose prefill the law does not know."""
    asker = draft.traffic[name]
    mean = asker.prompt_tokens.mean + asker.output_tokens.mean
    path: NodePath = ("traffic", name)
    if mean > law.kv_tokens:
        draft.error("longer-than-kv", (*path, "prompt_tokens"),
                    f"the mean prompt and output are {mean:,.0f} tokens; a replica on {gpu!r} holds "
                    f"{law.kv_tokens:,} tokens of KV", "requests above it are rejected", key=True)
    elif service.context_limit_tokens > law.kv_tokens:
        at = next(key for key, each in draft.services.items() if each is service)
        draft.warning("context-beyond-kv", _written(draft, ("services", at), "context_limit_tokens"),
                      f"context_limit_tokens is {service.context_limit_tokens:,}; a replica on {gpu!r} holds "
                      f"{law.kv_tokens:,} tokens of KV", "requests above it are rejected", key=True)
    if service.batching.prefill == "chunked":
        return
    beyond = asker.prompt_tokens.share_above(law.prefill_limit_tokens)
    if beyond > _RARE_FRAC:
        draft.warning("prompt-beyond-law", (*path, "prompt_tokens"),
                      f"{100 * beyond:.0f} % of the prompts are longer than the {law.prefill_limit_tokens:,} "
                      f"tokens for which the step law on {gpu!r} holds", "their prefill may take longer",
                      key=True)


def _written(draft: Draft, path: NodePath, *keys: str) -> NodePath:
    """The longest part of a path that is written in the file."""
    while keys and draft.root.find((*path, *keys)) is None:
        keys = keys[:-1]
    return (*path, *keys)
