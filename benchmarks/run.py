"""Run the benchmarks and print one table: number, target, verdict.

    python benchmarks/run.py             all subjects
    python benchmarks/run.py size ...    some of them

CPU seconds are the least of several; exit code 1 when a target is missed.
"""

import sys
from importlib import import_module

from measure import Measured

SUBJECTS = ("simulation", "command", "billing", "horizon", "size", "severity", "requests", "day",
            "training")


def line(measured: Measured) -> str:
    """A row of the table."""
    target = "" if measured.at_most is None else f"<= {measured.at_most:g}"
    number = f"{measured.value:,.3g}" if measured.value < 1_000 else f"{measured.value:,.0f}"
    return (f"{measured.what:52} {number:>9} {measured.unit:8} {target:>8}  "
            f"{measured.verdict:6}  {measured.note}").rstrip()


def main(subjects: tuple[str, ...]) -> int:
    """Measure and print subject by subject."""
    unknown = set(subjects) - set(SUBJECTS)
    if unknown:
        print(f"no subject {', '.join(sorted(unknown))}; there are {', '.join(SUBJECTS)}", file=sys.stderr)
        return 2
    missed = 0
    for subject in subjects or SUBJECTS:
        module = import_module(subject)
        print(f"\n{module.__doc__.splitlines()[0]}", flush=True)
        for measured in module.measure():
            print(line(measured), flush=True)
            missed += measured.verdict == "MISSED"
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:])))
