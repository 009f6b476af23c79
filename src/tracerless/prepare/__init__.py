"""Scans to template space: ``session`` is the verb, ``fingerprint`` what its output carries."""

from tracerless.prepare.spine import fingerprint, session

__all__ = ["fingerprint", "session"]
