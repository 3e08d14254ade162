"""Brokers that kill themselves at a named point."""
