"""Faults of agents that somebody really met, brought upon the whole house; tests/README.rst has the list."""
