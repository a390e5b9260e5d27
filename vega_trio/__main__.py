"""`python -m vega_trio` is the command `vega`."""

from vega_trio.cli.main import main

if __name__ == "__main__":
    main()
