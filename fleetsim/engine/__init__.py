"""Conduct: the only place that imports SimPy. Control events move the clock, kernels move the work."""

from fleetsim.engine.simulation import Sink, simulate

__all__ = ["Sink", "simulate"]
