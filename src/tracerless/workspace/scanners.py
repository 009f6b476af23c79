"""Which scanner made a contrast of a session: what harmonization and subgroups go by."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracerless.core.people import SessionKey
from tracerless.core.volume import Contrast
from tracerless.io.bids import session_folder

_MADE_FROM = {
    Contrast.CBF: (Contrast.CBF, Contrast.ASL, Contrast.DELTAM),
    Contrast.SYNTHETIC_FDG: (Contrast.T1W,),
}
"""Contrasts that were not acquired themselves, and what they came from."""


def scanners(root: Path, key: SessionKey) -> Mapping[Contrast, str]:
    """Maker, model and declared resolution by contrast, from the sidecars of converted series.

    A contrast whose sidecar names neither maker nor model, and a session that was never converted,
    have none. A serial number is nowhere: it does not cross the border.
    """
    found: dict[Contrast, str] = {}
    for path in sorted(session_folder(root, key).glob("*/*.json")):
        fields = json.loads(path.read_text(encoding="utf-8"))
        contrast = str(fields.get("Contrast", ""))
        words = _words(fields)
        if words and contrast in set(Contrast):
            found.setdefault(Contrast(contrast), words)
    for made, sources in _MADE_FROM.items():
        source = next((each for each in sources if each in found), None)
        if source is not None:
            found[made] = found[source]
    return found


def _words(fields: Mapping[str, Any]) -> str:
    names = [str(fields.get(name, "")) for name in ("Manufacturer", "ManufacturersModelName")]
    words = " ".join(" ".join(names).split())
    width = fields.get("PointSpreadFWHM")
    return f"{words}, {width:g} mm" if words and isinstance(width, int | float) else words
