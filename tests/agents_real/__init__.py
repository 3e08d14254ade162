"""Real agents from npm behind the whole house, with a scripted model on loopback instead of a real one. Opt-in."""
