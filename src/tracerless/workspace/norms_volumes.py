"""The prepared volumes behind the numbers of a norm."""

from tracerless.core.errors import DatasetError, RecipeMismatchError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.volume import Contrast, Volume
from tracerless.io import bids, nifti
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.norms_scans import Scans
from tracerless.workspace.shelf import SessionShelf


def volume_of(dataset: Dataset, found: Scans, row: int) -> Volume:
    """The prepared volume that the numbers of a scan were measured in."""
    is_there(dataset, found, row)
    recipe = dataset.recipe.prepare
    path = bids.derived_path(
        dataset.derivatives,
        key_of(found, row),
        Contrast(found.measured.contrast),
        space=recipe.template,
        voxel_mm=recipe.voxel_mm,
    )
    return nifti.read_volume(path)


def is_there(dataset: Dataset, found: Scans, row: int, *, may_lack: bool = False) -> bool:
    """Whether the volume of a scan is there; refuse one that is not the one that was measured.

    Raises:
        DatasetError: it is not there, and may not lack.
        RecipeMismatchError: it was made anew since it was measured.
    """
    key, contrast = key_of(found, row), Contrast(found.measured.contrast)
    kind = "synthetic" if contrast is Contrast.SYNTHETIC_FDG else "prepared"
    record = SessionShelf(dataset, key).record(kind)
    if record is None and may_lack:
        return False
    if record is None:
        raise DatasetError(
            f"{key} has no {kind} volume, only numbers.",
            hint="Maps need the volumes: leave out --voxels, or prepare the scans here.",
        )
    if record["fingerprint"] != found.measured.fingerprint:
        raise RecipeMismatchError(
            f"{key} was prepared anew since it was measured.",
            hint=f"Run `tracerless quantify {dataset.root}`.",
        )
    return True


def key_of(found: Scans, row: int) -> SessionKey:
    """Whose a scan is, and which visit."""
    person, visit = found.keys[row]
    return SessionKey(Pseudonym(person), visit)
