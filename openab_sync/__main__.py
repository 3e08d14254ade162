"""`python -m openab_sync` is the same as the console script `openab-sync`."""

from __future__ import annotations

from .cli import main

if __name__ == "__main__":
    main()
