"""A broker that kills itself at a named point: `python -m tests.crash.program POINT run …`."""
