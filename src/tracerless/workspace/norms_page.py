"""What the norms of a dataset say of one session, as its page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tracerless import publish
from tracerless.core.atlas import RoiTable
from tracerless.core.people import SessionKey
from tracerless.core.volume import Contrast
from tracerless.io import cognition, nifti, resources
from tracerless.io import norm_maps as maps
from tracerless.io.atlases import regions
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.domain import training_domain
from tracerless.workspace.norms_scans import COGNITION

_COMPOSITES = {"meta_AD": publish.Named("AD meta-region", "阿茲海默症綜合腦區", "composite")}


@dataclass(frozen=True, slots=True)
class Tables:
    """Tables of z and of indices that were kept, by the name of the norm."""

    scores: Mapping[str, pd.DataFrame]
    indices: Mapping[str, pd.DataFrame]


def kept_tables(dataset: Dataset) -> Tables:
    """Every table that `norms apply` left."""
    return Tables(_read(dataset, "zscores"), _read(dataset, "indices"))


def against(
    dataset: Dataset, key: SessionKey, kept: Tables, measured: Mapping[Contrast, RoiTable]
) -> tuple[publish.Against, ...]:
    """What each norm says of a session; images first, then tests.

    Numbers of an older measurement are not shown: the fingerprint decides.

    Args:
        dataset: of the session.
        key: whose, and which visit.
        kept: tables of the dataset.
        measured: region tables of the session as they are now.
    """
    prints = {str(contrast): each.fingerprint for contrast, each in measured.items()}
    shown = []
    for norm, table in kept.scores.items():
        rows = _of(table, key)
        if rows.empty:
            continue
        contrast = str(rows["contrast"].iloc[0])
        now = "" if contrast == COGNITION else prints.get(contrast)
        if str(rows["fingerprint"].iloc[0]) == now:
            beside = _of(kept.indices.get(norm, table.iloc[:0]), key)
            shown.append(_one(dataset, key, norm, rows, beside))
    return tuple(sorted(shown, key=lambda each: (each.contrast == COGNITION, each.norm)))


def _one(
    dataset: Dataset, key: SessionKey, norm: str, rows: pd.DataFrame, beside: pd.DataFrame
) -> publish.Against:
    first = rows.iloc[0]
    contrast = str(first["contrast"])
    drawn = _pictures(dataset, key, norm, contrast, str(first["fingerprint"]))
    return publish.Against(
        norm=norm,
        contrast=contrast,
        n=int(first["n_normal"]),
        family_cut=float(first["family_cut"]),
        table=rows,
        names=_names(dataset, contrast),
        indices=beside,
        picture=drawn[0],
        slices=drawn[1],
        in_norm=str(first["in_norm"]) == "yes",
        simulated=training_domain(dataset) == "simulated",
    )


def _names(dataset: Dataset, contrast: str) -> dict[str, publish.Named]:
    if contrast == COGNITION:
        own = dataset.root / "phenotype" / "dictionary.csv"
        tests = (cognition.extended(own) if own.is_file() else cognition.dictionary()).tests
        return {
            code: publish.Named(test.name_en, test.name_zh, test.domain)
            for code, test in tests.items()
        }
    atlas = dataset.recipe.prepare.atlas.removeprefix("atlas-").removesuffix(".tsv")
    found = regions(atlas, dataset.root)
    named = {each.key: publish.Named(each.name_en, each.name_zh, each.lobe) for each in found}
    return {**_COMPOSITES, **named}


def _pictures(
    dataset: Dataset, key: SessionKey, norm: str, contrast: str, fingerprint: str
) -> tuple[bytes, bytes]:
    """Surface projections and slices, if the map of z is of the same measurement."""
    if contrast not in set(Contrast):
        return b"", b""
    recipe, of = dataset.recipe.prepare, Contrast(contrast)
    target = maps.map_path(dataset.derivatives, key, of, norm, recipe.voxel_mm)
    drawn = maps.picture_path(dataset.derivatives, key, of, norm, recipe.voxel_mm)
    about = nifti.read_sidecar(target)
    if about.get("Fingerprint") != fingerprint or not drawn.is_file():
        return b"", b""
    template = resources.template(recipe.voxel_mm)
    return drawn.read_bytes(), publish.z_slices(nifti.read_volume(target), template)


def _read(dataset: Dataset, kind: str) -> dict[str, pd.DataFrame]:
    found: dict[str, pd.DataFrame] = {}
    for path in sorted(dataset.derivatives.glob(f"norm-*_{kind}.tsv")):
        table = _table(path)
        if "contrast" in table and len(table):  # tables of an older version say too little
            found[str(table["norm"].iloc[0])] = table
    return found


def _table(path: Path) -> pd.DataFrame:
    words = ("participant_id", "session_id", "measure", "reason", "fingerprint", "norm")
    table = pd.read_csv(path, sep="\t", na_values="n/a", dtype=dict.fromkeys(words, str))
    return table.fillna(dict.fromkeys(("session_id", "reason", "fingerprint"), ""))


def _of(table: pd.DataFrame, key: SessionKey) -> pd.DataFrame:
    """Rows of that session, or of the person where scores are bound to no visit."""
    visit = table["session_id"].isin(["", f"ses-{key.visit}"])
    mine = table[(table["participant_id"] == f"sub-{key.person}") & visit]
    return mine.set_index("measure")
