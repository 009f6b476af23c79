"""A dataset on disk whose regions and scores go with the diagnosis as far as a test asks."""

from pathlib import Path

import numpy as np
import pandas as pd
from assess_people import study

from tracerless.io.atlases import regions
from tracerless.io.atomic import write_text
from tracerless.workspace.dataset import SIMULATED_MARK, Dataset

ATLAS = "fdg36"


def written(
    root: Path,
    n: int = 75,
    seed: str = "d",
    *,
    names: str = "p",
    image: float = 1.5,
    classes: tuple[str, ...] = ("CN", "AD"),
) -> Dataset:
    """People with an ECD scan each, MMSE and CDR."""
    keys = [region.key for region in regions(ATLAS, root)]
    people = study(n, seed, image=image, names=names, classes=classes, n_regions=len(keys))
    dataset = Dataset.create_or_open(root)
    write_text(root / SIMULATED_MARK, "simulated\n")
    ids = [f"sub-{who}" for who in people.person]
    table = people.people.assign(
        participant_id=ids,
        diagnosis=people.diagnosis,
        MMSE=np.clip(people.table["test0"].round(), 0, 30),
        CDR=np.where(people.table["CDR"] > 0.5, 1.0, 0.0),
    )
    front = table.pop("participant_id")
    table.insert(0, "participant_id", front)
    write_text(root / "participants.tsv", table.to_csv(sep="\t", index=False, na_rep="n/a"))
    scans = pd.DataFrame({"participant_id": ids, "session_id": "ses-01", "contrast": "ECD"})
    facts = {
        "quantity": "suvr", "atlas": ATLAS, "reference": "cerebellum", "pvc": "none",
        "absolute_unit": "n/a", "absolute_factor": "n/a",
    }  # fmt: skip
    scans = scans.assign(**facts)
    values = people.table[[f"region{each}" for each in range(len(keys))]]
    values.columns = keys
    tail = pd.DataFrame({"ref_cerebellum": 1.0, "qc": "pass", "scanner": people.scanner})
    tail["flags"], tail["fingerprint"] = "n/a", "f" * 12
    whole = pd.concat([scans, values, tail], axis=1)
    path = dataset.derivatives / "cohort_roi.tsv"
    write_text(path, whole.to_csv(sep="\t", index=False, na_rep="n/a"))
    return dataset
