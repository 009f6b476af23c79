"""The border: what of an instance may cross, by which rule, and under which pseudonym."""

from tracerless.deidentify.container import to_bytes
from tracerless.deidentify.engine import instance
from tracerless.deidentify.keys import Keys
from tracerless.deidentify.profile import Profile
from tracerless.deidentify.values import CleanIdentity, CleanInstance, Refusal

__all__ = ["CleanIdentity", "CleanInstance", "Keys", "Profile", "Refusal", "instance", "to_bytes"]
