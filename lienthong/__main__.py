"""`python -m lienthong`: the same as the `lienthong` command."""

from lienthong.cli import main

if __name__ == "__main__":
    main()
