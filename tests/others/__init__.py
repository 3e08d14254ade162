"""Agents that others wrote, behind the whole house: app, broker, pool, session, protocol, process."""
