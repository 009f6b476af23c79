"""Tracerless file by file, without the batch around it: engine ``pydicom`` or ``splice``.

    python -m bench.deidentify_driver_tracerless ENGINE PROFILE IN OUT

Files are read in the order of their paths; the n-th becomes ``OUT/n.dcm``. Those that were refused
are counted by kind on the standard output, as JSON.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tracerless.core.volume import Contrast
from tracerless.deidentify import CleanIdentity, Keys, Profile, Refusal, instance, to_bytes
from tracerless.deidentify.keys import pseudonym, shift_days
from tracerless.io import dicom_read, profiles

CONTRAST = Contrast.T1W
"""Of every file: what a series shows is decided by the batch, before."""


def main() -> int:
    """De-identify a folder; files of one folder below it belong to one person."""
    engine, name, source, target = sys.argv[1:]
    policy = Profile.parse(name, profiles.read(name))
    keys = Keys.from_secret(b"a secret of the benchmark, no more")
    clean: _Way = _by_splice() if engine == "splice" else _by_pydicom
    refused: Counter[str] = Counter()
    files = sorted(path for path in Path(source).rglob("*") if path.is_file())
    people: dict[str, CleanIdentity] = {}
    for number, path in enumerate(files):
        name = path.parent.name
        if name not in people:
            who = pseudonym(keys.person, name)
            people[name] = CleanIdentity(who, "01", shift_days(keys.date, who))
        try:
            made = clean(path, policy, keys, people[name])
        except Exception as error:  # noqa: BLE001
            made = f"crash: {type(error).__name__}"
        if isinstance(made, str):
            refused[made] += 1
        else:
            (Path(target) / f"{number}.dcm").write_bytes(made)
    print(json.dumps(refused))
    return 0


def _by_pydicom(path: Path, policy: Profile, keys: Keys, person: CleanIdentity) -> bytes | str:
    dataset = dicom_read.read(path, pixels=True)
    if isinstance(dataset, dicom_read.Rejection):
        return dataset.kind
    made = instance(dataset, profile=policy, keys=keys, person=person, contrast=CONTRAST)
    return made.kind if isinstance(made, Refusal) else to_bytes(made.dataset)


def _by_splice() -> "_Way":
    from tracerless.deidentify import splice  # noqa: PLC0415

    memo = splice.Memo()

    def clean(path: Path, policy: Profile, keys: Keys, person: CleanIdentity) -> bytes | str:
        made = splice.instance(
            path.read_bytes(),
            profile=policy,
            keys=keys,
            person=person,
            contrast=CONTRAST,
            memo=memo,
        )
        if made is None:
            return _by_pydicom(path, policy, keys, person)
        return made.kind if isinstance(made, Refusal) else made.content

    return clean


_Way = Callable[[Path, Profile, Keys, CleanIdentity], bytes | str]


if __name__ == "__main__":
    sys.exit(main())
