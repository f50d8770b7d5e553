"""Move: arrays in, arrays out, compiled by numba; beside each kernel its plain, readable reference.

Importing a kernel imports numba: do it only where a simulation starts.
"""
