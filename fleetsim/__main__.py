"""`python -m fleetsim` is the `fleetsim` command."""

from fleetsim.cli.main import main

if __name__ == "__main__":
    main()
