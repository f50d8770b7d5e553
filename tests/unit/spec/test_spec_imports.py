"""Checking a file loads nothing heavy."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
HEAVY = ("numpy", "pandas", "pyarrow", "duckdb", "matplotlib", "numba", "scipy", "simpy")


def test_loading_a_scenario_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom fleetsim.spec import load\nload(sys.argv[1])\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    file = str(ROOT / "workloads/openai-2024.yaml")
    done = subprocess.run([sys.executable, "-c", program, file], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_the_package_reads_no_yaml() -> None:
    program = "import sys, fleetsim.spec; print('pydantic' in sys.modules or 'ruamel.yaml' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
