"""`fleetsim explain CODE`: what the code at the end of an error means."""

from typing import Annotated

import typer

from fleetsim.cli.console import say, say_json
from fleetsim.cli.options import AsJson
from fleetsim.errors import UsageError, did_you_mean


def explain(
    code: Annotated[
        str | None, typer.Argument(metavar="[CODE]", help="A code such as unknown-key; all when left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain the code that stands in brackets at the end of an error."""
    from fleetsim.spec import CODES

    if code is None:
        say_json(dict(CODES)) if as_json else say("\n".join(sorted(CODES)))
        return
    code = code.strip("[]")
    if code not in CODES:
        raise UsageError(f"no code {code!r}; {did_you_mean(code, list(CODES))}")
    if as_json:
        say_json({"code": code, "meaning": CODES[code]})
    else:
        say(f"{code}\n\n{CODES[code]}")
