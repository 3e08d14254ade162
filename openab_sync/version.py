"""The version, where every room may import it from."""

__all__ = ["VERSION"]

VERSION = "0.1.0"
