"""Checks across parts: what no single entry can know about itself. One file per part of a scenario."""

from fleetsim.spec.checks.contracts import check_contracts, check_offers
from fleetsim.spec.checks.fidelity import check_fidelity
from fleetsim.spec.checks.finance import check_finance
from fleetsim.spec.checks.fleets import check_fleets
from fleetsim.spec.checks.horizon import check_horizon
from fleetsim.spec.checks.latency_tables import check_latency_tables
from fleetsim.spec.checks.names import check_names
from fleetsim.spec.checks.payments import check_payments
from fleetsim.spec.checks.policies import check_policies
from fleetsim.spec.checks.pools import check_pools
from fleetsim.spec.checks.pots import check_pots
from fleetsim.spec.checks.references import check_references
from fleetsim.spec.checks.results import check_objectives, check_published
from fleetsim.spec.checks.services import check_services
from fleetsim.spec.checks.step_laws import check_step_laws
from fleetsim.spec.checks.surges import check_surges
from fleetsim.spec.checks.traffic import check_traffic
from fleetsim.spec.checks.training import check_training
from fleetsim.spec.checks.training_size import check_training_size
from fleetsim.spec.checks.usage import check_usage
from fleetsim.spec.draft import Draft


def check(draft: Draft) -> None:
    """Every check; each reports all it finds to `draft.faults`."""
    if draft.horizon is not None and not check_horizon(draft, draft.horizon):
        draft.horizon, kept = None, draft.horizon  # dates cannot be judged against it
    else:
        kept = draft.horizon
    for part in (
        check_names,
        check_references,
        check_fleets,
        check_pools,
        check_services,
        check_step_laws,
        check_latency_tables,
        check_traffic,
        check_surges,
        check_policies,
        check_training,
        check_training_size,
        check_contracts,
        check_pots,
        check_payments,
        check_offers,
        check_finance,
        check_fidelity,
        check_published,
        check_objectives,
        check_usage,
    ):
        part(draft)
    draft.horizon = kept
