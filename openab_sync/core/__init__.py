"""The house: conversations, sessions, turns, replies. Knows `acp`; no platform, no event loop, no command line."""
