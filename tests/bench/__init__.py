"""The figures: what openab-sync costs and how fast it is, side by side with others. `python -m tests.bench --help`."""
