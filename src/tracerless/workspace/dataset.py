"""A dataset on disk: a BIDS folder that carries its recipe and the version of its layout."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tracerless import __version__
from tracerless.core.errors import DatasetError, ModelError, did_you_mean
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.recipe import Recipe
from tracerless.io.atomic import PARTIAL_PREFIX, remove_partials, write_json, write_text
from tracerless.io.bids_rules import RAW_IGNORE

LAYOUT = 1
"""Version of the folder layout below; a dataset of another layout is refused."""

BIDS_VERSION = "1.10.0"

SIMULATED_MARK = "SIMULATED.txt"
"""A folder with this file in its root holds simulated people only."""

CLASSIFIER, RISK = "classifier.json", "risk.json"
"""A model of diagnosis and a model of risk, in a folder of their own under ``models``."""

DESCRIPTION = "dataset_description.json"
RECIPE = "tracerless.toml"

README = """\
De-identified brain scans (MR, FDG-PET, SPECT), prepared for quantitative analysis by tracerless.
Volumes whose names hold desc-synth are synthetic: predicted from MR, never acquired.
Research use only.
"""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A folder that holds a dataset of this layout.

    Args:
        root: the folder.
        recipe: the settings in its ``tracerless.toml``.
    """

    root: Path
    recipe: Recipe

    @classmethod
    def open(cls, root: Path) -> Self:
        """The dataset in that folder.

        Raises:
            DatasetError: there is none, or it has another layout.
            RecipeError: its recipe cannot be read.
        """
        description = _description(root)
        if description is None:
            raise DatasetError(
                f"{root} holds no dataset ({DESCRIPTION} is missing).",
                hint="Make one with `tracerless deidentify FOLDER DATASET --vault VAULT`.",
            )
        _require_layout(root, description)
        return cls(root, Recipe.from_toml((root / RECIPE).read_text(encoding="utf-8")))

    @classmethod
    def create_or_open(cls, root: Path, recipe: Recipe | None = None) -> Self:
        """The dataset in that folder, made if the folder is new or empty.

        Args:
            root: the folder.
            recipe: settings of a new dataset; an existing one keeps its own.

        Raises:
            DatasetError: the folder holds something that is not a dataset of this layout.
        """
        if _description(root) is None:
            remains = root.is_dir() and [p for p in root.iterdir() if not _is_ours(p.name)]
            if remains:
                raise DatasetError(
                    f"{root} holds {len(remains)} entries but no dataset.",
                    hint="Name a new folder, or an existing dataset.",
                )
            _create(root, recipe or Recipe())
        return cls.open(root)

    @property
    def derivatives(self) -> Path:
        """Where everything computed lies."""
        return self.root / "derivatives" / "tracerless"

    @property
    def models(self) -> Path:
        """Where checkpoints lie, one folder each."""
        return self.root / "models"

    @property
    def reports(self) -> Path:
        """Where the pages lie."""
        return self.root / "reports"

    def clean_partials(self) -> int:
        """Remove what killed commands left half-written; how many files."""
        return remove_partials(self.root)

    def source_sessions(self) -> tuple[SessionKey, ...]:
        """Sessions that hold de-identified DICOM, sorted."""
        return tuple(sorted(_sessions(self.root / "sourcedata")))

    def sessions(self) -> tuple[SessionKey, ...]:
        """Sessions that hold anything, sorted."""
        return tuple(sorted({*self.source_sessions(), *_sessions(self.derivatives)}))


def table_stem(kind: str, key: str) -> str:
    """How a table of a norm or model is called: its kind, then its key, no word twice."""
    return key if key.startswith(f"{kind}-") else f"{kind}-{key}"


def find_kept(
    dataset: Dataset, name: str | None, file: str, *, what: str, option: str, make: str
) -> Path:
    """The file of a norm or model: by path, by name among the dataset's models, or the only one.

    Args:
        dataset: that keeps it.
        name: what the user named; None for the only one.
        file: what such a file is called.
        what: it is, in one word or two.
        option: that names one.
        make: the command that makes one.

    Raises:
        ModelError: there is none so called, none at all, or more than one to choose from.
    """
    names = sorted(path.parent.name for path in dataset.models.glob(f"*/{file}"))
    if name is None:
        if len(names) != 1:
            hint = f"Name one with {option}." if names else make
            raise ModelError(f"{dataset.root} holds {len(names)} {what}s.", hint=hint)
        return dataset.models / names[0] / file
    for path in (Path(name), Path(name) / file, dataset.models / name / file):
        if path.is_file():
            return path
    raise ModelError(f"No {what} {name!r}.", hint=did_you_mean(name, names) if names else make)


_OURS = {DESCRIPTION, RECIPE, "README", ".bidsignore"}


def _is_ours(name: str) -> bool:
    return name in _OURS or name.startswith(PARTIAL_PREFIX)


def _description(root: Path) -> dict[str, Any] | None:
    path = root / DESCRIPTION
    if not path.is_file():
        return None
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise DatasetError(
            f"{path} is not valid JSON.", hint="Restore it from a backup of the dataset."
        ) from None
    return description if isinstance(description, dict) else {}


def _require_layout(root: Path, description: dict[str, Any]) -> None:
    layout = description.get("TracerlessLayout")
    if layout is None:
        raise DatasetError(
            f"{root} is a dataset of another tool ({DESCRIPTION} has no TracerlessLayout).",
            hint="Name a dataset that tracerless made.",
        )
    if layout != LAYOUT:
        raise DatasetError(
            f"{root} has layout {layout}; tracerless {__version__} reads layout {LAYOUT}.",
            hint="De-identify again into a new dataset, or use the version that made this one.",
        )


def _create(root: Path, recipe: Recipe) -> None:
    write_text(root / RECIPE, recipe.to_toml())
    write_text(root / "README", README)
    write_text(root / ".bidsignore", RAW_IGNORE)
    description = {
        "Name": "Brain scans prepared by tracerless",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "tracerless", "Version": __version__}],
        "TracerlessLayout": LAYOUT,
    }
    write_json(root / DESCRIPTION, description)  # last: a folder without it holds no dataset


def _sessions(folder: Path) -> Iterator[SessionKey]:
    for path in folder.glob("sub-*/ses-*"):
        if path.is_dir():
            person, visit = path.parent.name.removeprefix("sub-"), path.name.removeprefix("ses-")
            yield SessionKey(Pseudonym(person), visit)
