"""`fleetsim show RUN`: the summary of a finished run."""

from fleetsim.cli.console import say, say_json, text_width
from fleetsim.cli.find import find_run
from fleetsim.cli.options import RESULTS, AsJson, ResultsDir, RunRef


def show(run: RunRef, results: ResultsDir = RESULTS, as_json: AsJson = False) -> None:
    """Print the summary of a run."""
    from fleetsim.output import Run
    from fleetsim.report.text import summary_text

    opened = Run(find_run(run, results))
    if as_json:
        say_json({**opened.summary, "path": str(opened.path)})
    else:
        width, terminal = text_width()
        say(summary_text(opened.summary, opened.path, width=width, terminal=terminal))
