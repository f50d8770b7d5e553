"""The command line: a whole warm run, and the commands that simulate nothing."""

import tempfile

from measure import WORKLOADS, Measured, fleetsim, python

OPENAI = str(WORKLOADS / "openai-2024.yaml")
WITHOUT_JOBS = str(WORKLOADS / "contract-comparison.yaml")
HEAVY = ("numpy", "pandas", "matplotlib", "numba", "pyarrow", "duckdb", "scipy", "simpy")


def least_cpu_s(*words: str, repeats: int = 5) -> float:
    """CPU of a command, the least of several."""
    return min(fleetsim(*words).cpu_s for _ in range(repeats))


def loaded_by(*words: str) -> str:
    """Which heavy modules a command loads."""
    code = (f"import sys\nfrom fleetsim.cli.main import main\nsys.argv = ['fleetsim', *{list(words)!r}]\n"
            f"try:\n    main()\nexcept SystemExit:\n    pass\n"
            f"print('loaded:', *[name for name in {HEAVY!r} if name in sys.modules])")
    return python(code).out.rpartition("loaded:")[2].strip()


def measure() -> list[Measured]:
    """CPU and peak memory of `run` with compiled kernels; CPU of `check` and `--help`."""
    warm = {}
    for scenario in (WITHOUT_JOBS, OPENAI):
        runs = []
        for _ in range(4):
            with tempfile.TemporaryDirectory() as results:
                runs.append(fleetsim("run", scenario, "--results", results))
        warm[scenario] = runs[1:]
    load = [float(python("import time\nfrom fleetsim.spec import load\n"
                         f"load({OPENAI!r})\nbegan = time.process_time()\nload({OPENAI!r})\n"
                         "print(time.process_time() - began)").out) for _ in range(3)]
    lines = [
        Measured("run openai-2024 without its jobs, warm", min(run.cpu_s for run in warm[WITHOUT_JOBS]),
                 "s CPU", 3.0),
        Measured("run openai-2024 with 46,304 jobs, warm", min(run.cpu_s for run in warm[OPENAI]),
                 "s CPU", 10.0),
        Measured("run openai-2024, peak memory", max(run.peak_mb for run in warm[OPENAI]), "MB", 900),
        Measured("load openai-2024.yaml a second time", min(load), "s CPU"),
    ]
    for name, words in (("check openai-2024.yaml", ("check", OPENAI)), ("--help", ("--help",))):
        heavy = loaded_by(*words)
        lines += [Measured(name, least_cpu_s(*words), "s CPU", 0.5, f"loads {heavy or 'no heavy module'}"),
                  Measured(f"{name}: heavy modules", len(heavy.split()), "modules", 0)]
    return lines
