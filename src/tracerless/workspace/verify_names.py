"""File names as a report may show them: a name that nobody expects can itself be somebody's.

What tracerless names itself is shown; any other part of a path is shown as its place among its
neighbors, ``[3]`` for the third by name, so that it can be found in the folder.
"""

import functools
import re
from pathlib import Path

from tracerless.core.volume import Contrast
from tracerless.deidentify.keys import is_pseudonym
from tracerless.io.cognition import dictionary

_WORDS = frozenset(
    {"sourcedata", "derivatives", "tracerless", "models", "reports", "evaluation", "problems",
     "anat", "perf", "pet", "deidentification.json", "series.json", "face.json", "face.png",
     "index.html", "README", "README.md", "checkpoint.safetensors", "cohort_roi.tsv",
     "cohort_roi.json", "regions.tsv", "regions.json", "atlases", "desc-qc_summary.tsv",
     "desc-qc_summary.json", "site.toml",
     "dataset_description.json", "participants.tsv", "participants.json", ".bidsignore",
     "phenotype", "dictionary.csv", "followup.tsv", "followup.json",
     "tracerless.toml", "quarantine.json", "consent.json", "withdrawn.json", "SIMULATED.txt",
     ".DS_Store", "Thumbs.db"}
)  # fmt: skip
_CONTRASTS = "|".join(re.escape(contrast) for contrast in Contrast)
_SHAPES = re.compile(
    r"atlas-[A-Za-z0-9]{1,16}\.tsv|ses-\d{1,4}|\d{4,7}\.dcm"
    rf"|({_CONTRASTS})_\d{{3,5}}[a-z]?"
)
_PERSON = re.compile(
    r"sub-([A-Z0-9]+)(_ses-\d{1,4}(_(trc-[A-Z0-9]+|run-\d+|[A-Za-z0-9]+"
    r"|(space|from|to|mode|seg|label|res|ref|pvc|desc)-[A-Za-z0-9]+))*)?"
    r"(\.[a-z]+)*"
)


def shown(path: Path, root: Path) -> str:
    """A path inside the dataset, without any part that tracerless did not name."""
    return "/".join(_parts(path, root))


def masked(path: Path, root: Path) -> str:
    """The same with its last part as a place, whatever it is called."""
    return "/".join([*_parts(path, root)[:-1], _place(path)])


def _parts(path: Path, root: Path) -> list[str]:
    parts, place = [], root
    for name in path.relative_to(root).parts:
        place /= name
        parts.append(name if _is_ours(name) else _place(place))
    return parts


@functools.cache
def _tools() -> frozenset[str]:
    """Files of cognitive tests of the dictionary that this package carries."""
    tools = {test.tool for test in dictionary().tests.values()}
    return frozenset(f"{tool}.{ending}" for tool in tools for ending in ("tsv", "json"))


def _is_ours(name: str) -> bool:
    if name in _WORDS or name in _tools() or _SHAPES.fullmatch(name):
        return True
    person = _PERSON.fullmatch(name)
    return person is not None and is_pseudonym(person.group(1))


def _place(path: Path) -> str:
    """``[n]`` among its neighbors by name; an ending of a few small letters stays."""
    names = sorted(each.name for each in path.parent.iterdir())
    ending = path.suffix if re.fullmatch(r"\.[a-z]{1,5}", path.suffix) else ""
    return f"[{names.index(path.name) + 1}]{ending}"
