"""How often failures strike what a job runs on."""

from fleetsim.model.failure_cause import CAUSES, INTERRUPTIONS, NODE_CAUSES
from fleetsim.model.fleet import Fleet

NODE_OUT_FRAC = sum(cause.count for cause in CAUSES[:NODE_CAUSES]) / INTERRUPTIONS
"""Share of node failures that take the node out; the others stop only the job."""


def node_failures_per_h(fleet: Fleet, nodes: float) -> float:
    """Of so many nodes in service, lemons among them as in the fleet."""
    if fleet.node_mtbf_h is None:
        return 0.0
    terms = fleet.reliability
    return nodes * (1.0 + terms.lemon_frac * (terms.lemon_factor - 1.0)) / fleet.node_mtbf_h


def domain_failures_per_h(fleet: Fleet, nodes: float) -> float:
    """Of the domains that so many nodes are behind, one at least."""
    terms = fleet.reliability
    if terms.domain_nodes is None or terms.domain_mtbf_h is None:
        return 0.0
    return max(1.0, nodes / terms.domain_nodes) / terms.domain_mtbf_h


def expected_out(fleet: Fleet, nodes: float) -> float:
    """Nodes of so many in repair in the mean, with crews for all of them.

    A node that is out cannot fail: of the time between two repairs the share r T / (1 + r T), with r failures
    an hour in service and T hours to repair.
    """
    terms = fleet.reliability
    out = node_failures_per_h(fleet, 1.0) * NODE_OUT_FRAC * fleet.repair_h
    if terms.domain_nodes is not None and terms.domain_mtbf_h is not None:
        out += terms.domain_repair_h / terms.domain_mtbf_h
    return nodes * out / (1.0 + out)
