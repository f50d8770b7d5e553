"""`fleetsim schema`: the JSON Schema of scenario files, for editors."""

from fleetsim.cli.console import say_json
from fleetsim.cli.options import AsJson


def schema(as_json: AsJson = True) -> None:
    """Print the JSON Schema of scenario files (it is JSON with or without --json)."""
    from fleetsim.spec import json_schema

    say_json(json_schema())
