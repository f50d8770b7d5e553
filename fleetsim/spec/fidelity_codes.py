"""Faults of the section `fidelity`, written as the table of `fleetsim.spec.codes`."""

FIDELITY_TABLE = """
windows-overlap
  One window at request level ends before the next begins.
  wrong: windows: [{start: 2024-12-01, end: 2024-12-08}, {start: 2024-12-07, end: 2024-12-09}]
  right: one window from 2024-12-01 to 2024-12-09
too-few-replicas
  A pool of the window has fewer GPUs than one replica of each of its services takes; efficiency and
  sampling count.
  wrong: sample_frac: 0.001 on a pool of 160 GPUs with gpus_per_replica: 8
  right: sample_frac: 1
rates-only-window
  Request by request, a service needs its step law; rates say what a full replica does, and no more.
  wrong: a window over a pool whose service has `rates`
  right: step_law: {model: llama-2-70b, profile: 2023-engine}
"""
