"""`fleetsim verify RUN`: whether a run directory is what its manifest says."""

from fleetsim.cli.console import say, say_json
from fleetsim.cli.find import find_run
from fleetsim.cli.options import RESULTS, AsJson, ResultsDir, RunRef
from fleetsim.errors import UsageError


def verify(run: RunRef, results: ResultsDir = RESULTS, as_json: AsJson = False) -> None:
    """Check a run's tables against its manifest: rows, bytes, sha256 and totals."""
    from fleetsim.output import Run

    opened = Run(find_run(run, results))
    faults = opened.verify()
    if as_json:
        say_json({"run": str(opened.path), "ok": not faults, "faults": faults})
    if faults:
        raise UsageError(f"{opened.path} is damaged:\n" + "\n".join(f"  {fault}" for fault in faults))
    if not as_json:
        say(f"ok: {opened.path} is complete and unchanged")
