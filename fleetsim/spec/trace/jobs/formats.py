"""The formats that jobs can be imported from, by name."""

from fleetsim.spec.trace.jobs.acme import ACME
from fleetsim.spec.trace.jobs.alibaba_2023 import ALIBABA_2023
from fleetsim.spec.trace.jobs.generic import JOBS
from fleetsim.spec.trace.jobs.helios import HELIOS
from fleetsim.spec.trace.jobs.layout import JobFormat
from fleetsim.spec.trace.jobs.philly import PHILLY

JOB_FORMATS: dict[str, JobFormat] = {
    "philly": PHILLY,
    "helios": HELIOS,
    "acme": ACME,
    "alibaba-2023-jobs": ALIBABA_2023,
    "jobs": JOBS,
}
