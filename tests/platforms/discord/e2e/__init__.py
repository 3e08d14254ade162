"""The whole program as its users run it, against a fake of what it serves."""
