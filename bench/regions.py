"""How fast regions are measured against nilearn's masker, and what partial-volume correction gives.

./dev bench regions
"""

import importlib
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import nibabel as nib
import numpy as np
import pandas as pd
from nilearn.maskers import NiftiLabelsMasker

from tracerless import quantify
from tracerless.core.atlas import Atlas
from tracerless.core.recipe import PrepareRecipe, QuantifyRecipe
from tracerless.core.seeds import generator
from tracerless.core.transform import Chain, resample
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io import resources
from tracerless.quantify import sampling

REPEATS = 15
ATLASES = ("fdg20", "fdg36", "fdg52")
CASES = {
    "6 mm": {"fwhm_mm": 6.0},
    "4.5 mm": {"fwhm_mm": 4.5},
    "8 mm": {"fwhm_mm": 8.0},
    "6 mm, 5 % noise": {"fwhm_mm": 6.0, "noise": 0.05},
    "6 mm, 1 mm misaligned": {"fwhm_mm": 6.0, "off_mm": 1.0},
    "6 mm, 2 mm misaligned": {"fwhm_mm": 6.0, "off_mm": 2.0},
}


def main() -> None:
    """Print both tables."""
    speed()
    print()
    correction()


def speed() -> None:
    """Means alone, and whole tables, against nilearn's masker."""
    print("| atlas | what | ours, ms | nilearn, ms | times faster | largest difference |")
    print("| --- | --- | --- | --- | --- | --- |")
    for key in ATLASES:
        atlas = resources.atlas(key, 2.0)
        array = generator("bench", "regions").gamma(4.0, 0.3, atlas.grid.shape)
        volume = Volume(array.astype(np.float32), atlas.grid, Quantity.SUVR, Contrast.FDG)
        nifti = nib.Nifti1Image(volume.array, atlas.grid.affine)
        means = masker(atlas, "mean")
        others = [means, masker(atlas, "median"), masker(atlas, "standard_deviation")]
        places = sampling.places(atlas)
        found = sampling.measured(volume.array, places)
        pairs = {
            "means": (
                lambda v=volume.array, p=places: sampling.means(v, p),
                lambda m=means, n=nifti: m(n),
                [np.abs(sampling.means(volume.array, places) / means(nifti) - 1).max()],
            ),
            "mean, median, sd": (
                lambda v=volume.array, p=places: sampling.measured(v, p),
                lambda o=others, n=nifti: [each(n) for each in o],
                [
                    np.abs(found[name] / each(nifti) - 1).max()
                    for name, each in zip(("mean", "median", "sd"), others, strict=True)
                ],
            ),
        }
        for what, (ours, theirs, apart) in pairs.items():
            mine, other = median_ms(ours), median_ms(theirs)
            times = f"{mine:.2f} | {other:.1f} | {other / mine:.0f}"
            print(f"| {key} | {what} | {times} | {max(apart):.0e} |")


def masker(atlas: Atlas, strategy: str) -> Callable[[nib.Nifti1Image], np.ndarray]:
    """Nilearn's masker over the atlas' regions, fitted."""
    labels = np.where(np.isin(atlas.labels, [r.index for r in atlas.regions]), atlas.labels, 0)
    fitted = NiftiLabelsMasker(
        nib.Nifti1Image(labels.astype(np.int16), atlas.grid.affine),
        resampling_target=None,
        strategy=strategy,
        verbose=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted.fit()

    def means(nifti: nib.Nifti1Image) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = fitted.transform(nifti)
        return np.ravel(found)

    return means


def median_ms(call: Callable[[], object]) -> float:
    """Median CPU time of a call, ms; the first one is not counted."""
    call()
    spent = []
    for _ in range(REPEATS):
        start = time.process_time()
        call()
        spent.append(1000 * (time.process_time() - start))
    return statistics.median(spent)


def correction() -> None:
    """Errors of regional SUVR against the phantom of the tests, FDG-36."""
    phantom = _phantom()
    atlas, made = resources.atlas("fdg36", 2.0), phantom.truth()
    session = phantom.prepared(phantom.anatomy(made), atlas)
    expected = pd.Series(phantom.labels_of(atlas, made)) / made.region((16,))
    print("| case | method | mean error, % | mean absolute, % | largest, % | CPU-s |")
    print("| --- | --- | --- | --- | --- | --- |")
    for case, settings in CASES.items():
        fdg = phantom.pet(made, **settings)
        pull = Chain((session.to_native, session.alignments[Contrast.FDG]))
        moved = resample(fdg.volumes[0], atlas.grid, pull, order=3)
        plain = quantify.table(moved, atlas, reference="pons", fingerprint="")
        _row(case, "none", plain.means / plain.references["pons"] / expected - 1, 0.0)
        for method in ("gtm", "mg"):
            start = time.process_time()
            table = quantify.corrected(
                phantom.native(fdg),
                session,
                atlas,
                prepare_recipe=PrepareRecipe(),
                quantify_recipe=QuantifyRecipe(pvc=method),
            )[Contrast.FDG]
            _row(case, method, table.means / expected - 1, time.process_time() - start)


def _row(case: str, method: str, error: pd.Series, cpu_s: float) -> None:
    percent = 100 * error
    print(
        f"| {case} | {method} | {percent.mean():+.1f} | {percent.abs().mean():.1f} "
        f"| {percent.abs().max():.1f} | {cpu_s:.1f} |"
    )


def _phantom() -> ModuleType:
    """The phantom with known truth that the tests use."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "quantify"))
    return importlib.import_module("quantify_phantom")


if __name__ == "__main__":
    main()
