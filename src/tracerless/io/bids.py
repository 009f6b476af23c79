"""File names of a BIDS dataset and of its derivatives: the only place that knows them.

SPECT has no BIDS suffix: it is stored under ``pet/`` with ``trc-ECD`` or ``trc-HMPAO`` and
``"Modality": "SPECT"`` in its sidecar. Blood-flow maps that a scanner computed are no raw BIDS file
either; they take the derivative's suffixes ``cbf`` and ``deltam`` under ``perf/``. What BIDS does
not know is listed in ``.bidsignore`` (`io.bids_rules`).
"""

from pathlib import Path

from tracerless.core.people import SessionKey
from tracerless.core.volume import Contrast

UNDECLARED = "undeclared"
"""The ``acq-`` of a perfusion series whose sidecar lacks what BIDS demands of one."""

RAW = "raw"
"""Name under which derivatives link the dataset they come from (``bids:raw:``)."""

_FOLDER_SUFFIX = {
    Contrast.T1W: ("anat", "T1w"),
    Contrast.T2W: ("anat", "T2w"),
    Contrast.FLAIR: ("anat", "FLAIR"),
    Contrast.ASL: ("perf", "asl"),
    Contrast.M0: ("perf", "m0scan"),
    Contrast.DELTAM: ("perf", "deltam"),
    Contrast.CBF: ("perf", "cbf"),
    Contrast.FDG: ("pet", "pet"),
    Contrast.ECD: ("pet", "pet"),
    Contrast.HMPAO: ("pet", "pet"),
    Contrast.SYNTHETIC_FDG: ("pet", "pet"),
}

_TRACER = {
    Contrast.FDG: "FDG",
    Contrast.SYNTHETIC_FDG: "FDG",
    Contrast.ECD: "ECD",
    Contrast.HMPAO: "HMPAO",
}

_DERIVED = {
    Contrast.CBF: "rel",
    Contrast.FDG: "suvr",
    Contrast.ECD: "suvr",
    Contrast.HMPAO: "suvr",
    Contrast.SYNTHETIC_FDG: "synth",
}
"""``desc-`` of a computed volume; ``preproc`` for the others."""

_TISSUES = {"grey": "GM", "white": "WM", "csf": "CSF"}


def session_folder(root: Path, key: SessionKey) -> Path:
    """``root/sub-X/ses-Y``."""
    return root / f"sub-{key.person}" / f"ses-{key.visit}"


def native_path(
    root: Path, key: SessionKey, contrast: Contrast, run: int = 0, *, declared: bool = True
) -> Path:
    """Where a converted series lies.

    Args:
        root: of the dataset.
        key: whose, and which visit.
        contrast: what the series shows.
        run: counts repeats of a contrast from 1; 0 = no other.
        declared: whether the sidecar holds all that BIDS demands; matters to perfusion only.
    """
    folder, suffix = _FOLDER_SUFFIX[contrast]
    acquisition = [] if declared or folder != "perf" else [f"acq-{UNDECLARED}"]
    run_label = [f"run-{run}"] if run else []
    entities = [str(key), *_tracer(contrast), *acquisition, *run_label, suffix]
    return session_folder(root, key) / folder / ("_".join(entities) + ".nii.gz")


def context_path(path: Path) -> Path:
    """The ``_aslcontext.tsv`` that belongs to an ``_asl.nii.gz``."""
    return path.with_name(path.name.removesuffix("_asl.nii.gz") + "_aslcontext.tsv")


def derived_path(
    root: Path, key: SessionKey, contrast: Contrast, *, space: str, voxel_mm: float = 0.0
) -> Path:
    """Where a volume computed in ``space`` lies; synthetic ones say so in their name.

    ``voxel_mm`` is the voxel edge of a template grid (``res-``); 0 for a person's own space.
    """
    folder, suffix = _FOLDER_SUFFIX[contrast]
    resolution = [f"res-{_label(voxel_mm)}"] if voxel_mm else []
    description = f"desc-{_DERIVED.get(contrast, 'preproc')}"
    entities = [str(key), *_tracer(contrast), f"space-{space}", *resolution, description, suffix]
    return session_folder(root, key) / folder / ("_".join(entities) + ".nii.gz")


def width_path(synthetic: Path) -> Path:
    """Where the half-widths of a synthetic volume's interval lie."""
    return synthetic.with_name(synthetic.name.replace("desc-synth_", "desc-synthwidth_"))


def tissue_path(root: Path, key: SessionKey, part: str) -> Path:
    """Where ``brain`` (a mask), ``grey``, ``white`` or ``csf`` (shares) in the T1's space lie."""
    what = "desc-brain_mask" if part == "brain" else f"label-{_TISSUES[part]}_probseg"
    return session_folder(root, key) / "anat" / f"{key}_space-T1w_{what}.nii.gz"


def regions_path(root: Path, key: SessionKey, atlas: str) -> Path:
    """Where the regions of an atlas in the T1's space lie (``_dseg.nii.gz``)."""
    name = f"{key}_space-T1w_seg-{_plain(atlas)}_dseg.nii.gz"
    return session_folder(root, key) / "anat" / name


def morph_path(root: Path, key: SessionKey, atlas: str) -> Path:
    """Where the sizes of the regions in the T1's space lie."""
    return session_folder(root, key) / "anat" / f"{key}_seg-{_plain(atlas)}_morph.tsv"


def table_path(root: Path, key: SessionKey, contrast: Contrast, atlas: str, *, pvc: str) -> Path:
    """Where a region table lies; ``pvc`` names the partial-volume correction, empty for none."""
    folder, suffix = _FOLDER_SUFFIX[contrast]
    description = f"desc-{_DERIVED.get(contrast, 'regions')}"
    if folder == "pet":
        suffix = "kinpar"
    corrected = [f"pvc-{pvc.upper()}"] if pvc else []
    entities = [str(key), *_tracer(contrast), f"seg-{_plain(atlas)}", *corrected, description]
    return session_folder(root, key) / folder / ("_".join([*entities, suffix]) + ".tsv")


def curve_path(table: Path) -> Path:
    """Where the same numbers lie over frames (``_tacs.tsv``): one row, for a static scan."""
    return table.with_name(table.name.removesuffix("_kinpar.tsv") + "_tacs.tsv")


def map_stem(root: Path, key: SessionKey, source: str, target: str, mode: str) -> Path:
    """Where a map between two spaces lies, without its ending; ``mode`` is points or image."""
    ends = f"from-{_space(source)}_to-{_space(target)}_mode-{mode}_xfm"
    return session_folder(root, key) / "anat" / f"{key}_{ends}"


def session_file(root: Path, key: SessionKey, description: str, extension: str) -> Path:
    """Where a table or record of a whole session lies."""
    return session_folder(root, key) / f"{key}_desc-{description}{extension}"


def sheet_path(root: Path, key: SessionKey) -> Path:
    """Where the contact sheet of a session lies."""
    return session_folder(root, key) / f"{key}_desc-contact_qc.png"


def atlas_stem(root: Path, template: str, atlas: str, voxel_mm: float) -> Path:
    """Where an atlas on the template grid lies, without its ending."""
    name = f"tpl-{template}_atlas-{_plain(atlas)}_res-{_label(voxel_mm)}_dseg"
    return root / f"tpl-{template}" / name


def raw_uris(raw: Path, key: SessionKey, contrast: Contrast) -> list[str]:
    """``bids:raw:`` addresses of the converted series that a computed volume comes from, sorted."""
    folder, suffix = _FOLDER_SUFFIX[contrast]
    entities = "".join(f"_{each}" for each in _tracer(contrast))
    names = f"{key}{entities}_*nii.gz" if folder == "perf" else f"{key}{entities}_*{suffix}.nii.gz"
    found = sorted((session_folder(raw, key) / folder).glob(names))
    return [raw_uri(raw, path) for path in found]


def raw_uri(raw: Path, path: Path) -> str:
    """The ``bids:raw:`` address of a file of the dataset that derivatives come from."""
    return f"bids:{RAW}:{path.relative_to(raw).as_posix()}"


def _tracer(contrast: Contrast) -> list[str]:
    return [f"trc-{_TRACER[contrast]}"] if contrast in _TRACER else []


def _label(number: float) -> str:
    return f"{number:g}".replace(".", "p")


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text.removesuffix(".tsv")))


def _space(name: str) -> str:
    """A space by the last word of its name: those of a person are called ``sub-X_ses-Y T1w``."""
    return _plain(name.rsplit(maxsplit=1)[-1])
