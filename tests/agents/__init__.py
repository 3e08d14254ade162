"""Tests of the agent programs, driven over their real pipes."""
