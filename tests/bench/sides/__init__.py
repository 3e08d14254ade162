"""Those that are measured: ours, the official SDK's client, and the raw pipe. Each behind the same five verbs."""
