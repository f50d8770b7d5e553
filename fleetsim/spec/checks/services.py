"""Services: exactly one source of speed, and what the catalogue knows of it."""

from dataclasses import replace

from fleetsim.model.service import Service
from fleetsim.spec import catalog
from fleetsim.spec.checks.step_laws import with_laws
from fleetsim.spec.draft import Draft


def check_services(draft: Draft) -> None:
    for name, service in draft.services.items():
        given = speeds(service)
        if len(given) != 1:
            got = " and ".join(given) or "none"
            draft.error(
                "not-one-of",
                ("services", name),
                f"give model, rates, gpu_s_per_call or step_law, one of the four; got {got}",
                key=True,
            )


def speeds(service: Service) -> list[str]:
    """The keys of a service that say how fast it is: one, or it is wrong."""
    keys = ("model", "rates", "gpu_s_per_call", "step_law")
    return [key for key in keys if getattr(service, key) is not None]


def with_speeds(draft: Draft) -> dict[str, Service]:
    """The services: each named model with the catalogue's rates, each step law by gpu type."""
    return {name: with_speed(draft, service) for name, service in draft.services.items()}


def with_speed(draft: Draft, service: Service) -> Service:
    """One of them."""
    if service.model is None:
        return with_laws(draft, service)
    return replace(service, rates=catalog.models()[service.model].rates)
