"""Agents and people that want to do harm, upon the whole house."""
