"""openab-sync: a bridge between chat services and coding agents that speak the Agent Client Protocol."""

from .version import VERSION as __version__

__all__ = ["__version__"]
