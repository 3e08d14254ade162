"""Agents: what is known about those of the field (`presets.toml`, read by `config/agents.py`), and one of our own.

The demo agent is a program for the other end of the pipe (`python -m openab_sync.agents.demo`): nothing of ours imports
it, and it imports nothing of ours.
"""
