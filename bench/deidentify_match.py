"""Finds out which written file a planted one became, when a tool gives files new names."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from bench.deidentify_corpus import Corpus, read

Outputs = dict[int, list[Path]]
"""Files written, by number of the planted file; a file that is missing has no entry."""


def by_order(corpus: Corpus, folder: Path) -> Outputs:
    """Where the n-th file in the order of paths became ``n.dcm``."""
    ordered = sorted(corpus.files, key=lambda file: file.path)
    found = ((file.number, folder / f"{n}.dcm") for n, file in enumerate(ordered))
    return {number: [path] for number, path in found if path.is_file()}


def by_numbers(corpus: Corpus, folder: Path) -> Outputs:
    """By series and instance number, which are unique in the corpus; else by the pixels.

    A series that came out in another number of files (mosaics taken apart) is matched as a whole.
    """
    series: dict[int, dict[int, list[Path]]] = defaultdict(lambda: defaultdict(list))
    unnumbered = []
    for path in _dicom(folder):
        header = read(path)
        try:
            series[int(header.SeriesNumber)][int(header.InstanceNumber or 0)].append(path)
        except (AttributeError, TypeError, ValueError):
            unnumbered.append(path)
    outputs: Outputs = {}
    for file in corpus.files:
        written = series.get(file.series)
        if written is None:
            continue
        everything = [path for paths in written.values() for path in paths]
        n_planted = sum(each.series == file.series for each in corpus.files)
        same = len(everything) <= n_planted
        chosen = written.get(file.instance, []) if same else everything
        if chosen:
            outputs[file.number] = chosen
    return _by_pixels(corpus, unnumbered, outputs)


def _by_pixels(corpus: Corpus, paths: Sequence[Path], outputs: Outputs) -> Outputs:
    missing = [file for file in corpus.files if file.number not in outputs]
    if paths and missing:
        wanted = {_digest(file.path): file.number for file in missing}
        for path in paths:
            number = wanted.get(_digest(path))
            if number is not None:
                outputs[number] = [path]
    return outputs


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(read(path).pixel_array.tobytes()).hexdigest()
    except Exception:  # noqa: BLE001
        return str(path)  # cannot be decoded: equal to no other


def _dicom(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if path.read_bytes()[128:132] == b"DICM"]


def beside(folder: Path) -> list[Path]:
    """Files that are no DICOM: tables, sidecars, reports."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if path.read_bytes()[128:132] != b"DICM"]
