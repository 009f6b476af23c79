"""Visits whose acquired, synthetic and MR regions hold as much of the disease as a test asks."""

import numpy as np

from tracerless.core.atlas import Region
from tracerless.core.cohort import PersonFacts
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.seeds import generator
from tracerless.workspace.synthetic_diagnosis_visits import Visit

NAMES = ("precuneus", "temporal", "frontal", "occipital")
REGIONS = tuple(
    Region(f"{name}_{side}", 2 * place + hand + 1, side[0].upper(), name, name, name)
    for place, name in enumerate(NAMES)
    for hand, side in enumerate(("left", "right"))
)
ILL = np.repeat([1.0, 1.0, 0.0, 0.0], 2)
"""Regions that the disease lowers, both sides alike."""


def visits(
    n=160,
    *,
    acquired=1.5,
    synthetic=1.2,
    mr=0.4,
    flow=0.4,
    classes=("CN", "AD"),
    makers=5,
    seed="made",
    same=False,
    flat=False,
):
    """Effects in SD of a region. ``same``: synthetic is the acquired; ``flat``: it is the mean."""
    random = generator("synthetic-visits", seed)
    found = []
    for number in range(n):
        place = number % len(classes)
        ill = ILL * place / max(len(classes) - 1, 1)

        def regions(effect, ill=ill):
            shared = random.normal() * 0.4
            values = 1.3 + 0.1 * (shared + random.normal(size=len(REGIONS)) - effect * ill)
            return {each.key: float(v) for each, v in zip(REGIONS, values, strict=True)}

        real = regions(acquired)
        made = {each.key: 1.3 for each in REGIONS} if flat else regions(synthetic)
        shown = {
            "acquired": real,
            "synthetic": dict(real) if same else made,
            "T1w": regions(mr),
            "T2w": regions(0.0),
            "cbf": regions(flow),
        }
        facts = PersonFacts(
            classes[place], float(random.uniform(60, 85)), str(random.choice(["F", "M"]))
        )
        fold = (number // len(classes)) % makers
        found.append(
            Visit(
                SessionKey(Pseudonym(f"p{number:04d}"), "01"),
                facts,
                float(random.integers(0, 18)),
                shown,
                maker=f"ridge:{fold}",
                teachers=frozenset({f"{fold:012x}"}),
            )
        )
    return found
