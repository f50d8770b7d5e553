"""Services: exactly one source of speed, and the catalogue's rates for a named model."""

from dataclasses import replace

from fleetsim.model.service import Service
from fleetsim.spec import catalog
from fleetsim.spec.draft import Draft


def check_services(draft: Draft) -> None:
    for name, service in draft.services.items():
        sources = {"model": service.model, "rates": service.rates, "gpu_s_per_call": service.gpu_s_per_call}
        given = [key for key, value in sources.items() if value is not None]
        if len(given) != 1:
            got = " and ".join(given) or "none"
            draft.error(
                "not-one-of",
                ("services", name),
                f"give model, rates or gpu_s_per_call, one of the three; got {got}",
                key=True,
            )


def with_rates(draft: Draft) -> dict[str, Service]:
    """The services, each named model with the catalogue's rates."""
    return {
        name: service
        if service.model is None
        else replace(service, rates=catalog.models()[service.model].rates)
        for name, service in draft.services.items()
    }
