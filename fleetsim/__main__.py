"""`python -m fleetsim` and the `fleetsim` script. Ctrl-C is answered before anything else is loaded."""

import os

try:
    from fleetsim.cli.interrupt import end_at_once

    end_at_once()
except KeyboardInterrupt:
    os.write(2, b"error: interrupted\n")
    os._exit(130)


def main() -> None:
    """Load the command line and run it."""
    from fleetsim.cli.main import main as run_command

    run_command()


if __name__ == "__main__":
    main()
