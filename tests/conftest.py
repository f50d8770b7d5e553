"""How many random examples are tried: few and always the same ones, or many new ones (`make fuzz`)."""

import signal

from hypothesis import HealthCheck, Phase, settings

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile("fixed", derandomize=True, max_examples=15, deadline=None, database=None,
                          phases=[Phase.explicit, Phase.generate, Phase.shrink],
                          suppress_health_check=SLOW)
settings.register_profile("fuzz", max_examples=500, deadline=None, print_blob=True,
                          suppress_health_check=SLOW)
settings.load_profile("fixed")

# A background job of a shell ignores Ctrl-C, and its children with it: those that test it must not.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
