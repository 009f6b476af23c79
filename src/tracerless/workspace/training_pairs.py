"""The pairs that a dataset can teach with, read once for every grid that wants them."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from threadpoolctl import threadpool_limits

from tracerless.core.errors import ModelError, TracerlessError
from tracerless.core.people import SessionKey
from tracerless.core.session import Prepared
from tracerless.core.volume import MR_INPUTS, Contrast
from tracerless.synthesize.channels import Normalisation
from tracerless.synthesize.material import Material, Pair, gathered, pair
from tracerless.synthesize.pairing import Look, judged, look
from tracerless.synthesize.pairing_finding import REFUSE, PairFinding
from tracerless.synthesize.space import Space
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.training_people import known_people
from tracerless.workspace.workers import Crew, attempts

__all__ = ["Gathered", "Read", "Reading", "Refused", "gather_pairs", "known_people", "pairs"]


@dataclass(frozen=True, slots=True)
class Refused:
    """A session that teaches nothing, and one sentence that says why."""

    key: SessionKey
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """What a dataset can teach with.

    Args:
        materials: one for each space, of the same sessions in the same order.
        refused: sessions with MR and FDG that were left out.
        doubted: sessions that teach although something is odd.
        thinned: sessions that teach without a bad MR contrast, which is named.
    """

    materials: tuple[Material, ...]
    refused: tuple[Refused, ...]
    doubted: tuple[Refused, ...] = ()
    thinned: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """One session on every grid, or why not; and what tells whether its scans belong together."""

    pairs: tuple[Pair, ...]
    look: Look
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Reads one session; travels to workers."""

    dataset: Dataset
    spaces: tuple[Space, ...]
    normalisation: Normalisation

    def __call__(self, key: SessionKey) -> Read | None:
        """The session; None when it has no FDG, no MR, or failed its checks."""
        with threadpool_limits(limits=1):  # many workers share the cores
            return self._read(key)

    def _read(self, key: SessionKey) -> Read | None:
        kept = SessionShelf(self.dataset, key).latest("prepared")
        if kept is None or not _teaches(kept):
            return None
        seen = look(kept, self.spaces[0])
        bad = {found.contrast for found in seen.alone if found.verdict == REFUSE}
        volumes = {contrast: v for contrast, v in kept.volumes.items() if contrast not in bad}
        if not _is_pair(volumes):
            return Read((), seen)
        left = replace(kept, volumes=volumes)
        try:
            return Read(tuple(pair(left, w, self.normalisation) for w in self.spaces), seen)
        except TracerlessError as error:
            return Read((), seen, str(error))


def pairs(dataset: Dataset) -> Iterator[Prepared]:
    """Prepared sessions to learn from, one at a time: MR and acquired FDG, verdict not ``fail``."""
    for key in dataset.sessions():
        kept = SessionShelf(dataset, key).latest("prepared")
        if kept is not None and _teaches(kept):
            yield kept


def gather_pairs(
    dataset: Dataset,
    spaces: Sequence[Space],
    normalisation: Normalisation,
    *,
    workers: int = 1,
    advance: Callable[[int, int], None] | None = None,
) -> Gathered:
    """Read every session that can teach; the order is that of the sessions, whoever read them.

    Args:
        dataset: prepared.
        spaces: the grids.
        normalisation: constants of the inputs.
        workers: processes that read.
        advance: called with (done, total) after each session.

    Raises:
        ModelError: fewer than two pairs are left.
        StorageError: the disk refused.
    """
    keys = dataset.sessions()
    reading = Reading(dataset, tuple(spaces), normalisation)
    found: dict[SessionKey, Read] = {}
    refused: dict[SessionKey, str] = {}
    for done, each in enumerate(attempts(reading, keys, Crew(workers=workers)), start=1):
        if each.problem:
            refused[each.key] = each.problem
        elif each.value is not None:
            found[each.key] = each.value
        if advance is not None:
            advance(done, len(keys))
    findings = judged([found[key].look for key in keys if key in found])
    bad = _bad(findings)
    refused |= {key: read.reason for key, read in found.items() if read.reason}
    sure = [finding for finding in findings if finding.verdict == REFUSE]
    refused |= _told(f for f in sure if not _left(found[f.key], bad[f.key]))
    kept = [key for key in keys if key in found and key not in refused]
    if not kept:
        raise _nothing(dataset, refused)
    facts = known_people(dataset)
    pairs_of = {key: [p.without(bad.get(key, ())) for p in found[key].pairs] for key in kept}
    thinned = _told(finding for finding in sure if finding.key in pairs_of)
    return Gathered(
        tuple(gathered((pairs_of[key][i] for key in kept), facts) for i in range(len(spaces))),
        refused=_listed(refused),
        doubted=_listed(_told(f for f in findings if f.key in pairs_of and f.verdict != REFUSE)),
        thinned=_listed({k: f"Without its {_names(bad[k])}: {why}" for k, why in thinned.items()}),
    )


def _bad(findings: Iterable[PairFinding]) -> dict[SessionKey, set[Contrast]]:
    """Which contrasts of a session must not teach."""
    bad: dict[SessionKey, set[Contrast]] = {}
    for each in findings:
        if each.verdict == REFUSE:
            bad.setdefault(each.key, set()).add(each.contrast)
    return bad


def _left(read: Read, bad: Set[Contrast]) -> bool:
    """Whether a pair is left without its bad contrasts."""
    return _is_pair(read.look.digests.keys() - bad)


def _names(contrasts: Iterable[Contrast]) -> str:
    return " and ".join(str(each) for each in (*MR_INPUTS, Contrast.FDG) if each in contrasts)


def _told(findings: Iterable[PairFinding]) -> dict[SessionKey, str]:
    """What was found by session, one sentence after another."""
    said: dict[SessionKey, list[str]] = {}
    for each in findings:
        said.setdefault(each.key, []).append(each.reason)
    return {key: " ".join(dict.fromkeys(reasons)) for key, reasons in said.items()}


def _listed(reasons: Mapping[SessionKey, str]) -> tuple[Refused, ...]:
    return tuple(Refused(key, reason) for key, reason in sorted(reasons.items()))


def _is_pair(contrasts: Container[Contrast]) -> bool:
    """Whether FDG is among them, and any MR to learn from."""
    return Contrast.FDG in contrasts and any(each in contrasts for each in MR_INPUTS)


def _teaches(prepared: Prepared) -> bool:
    return prepared.verdict != "fail" and _is_pair(prepared.volumes)


def _nothing(dataset: Dataset, refused: Mapping[SessionKey, str]) -> ModelError:
    if refused:
        key = min(refused)
        return ModelError(
            f"None of the {len(refused)} sessions with both MR and FDG-PET can be used; "
            f"{key}: {refused[key]}",
            hint="Mend what is named and prepare the sessions again.",
        )
    return ModelError(
        f"{dataset.root} holds no prepared session with both MR and FDG-PET.",
        hint="Run `tracerless prepare` first, or make simulated people with "
        "`tracerless simulate DATASET --people 48 --prepared`.",
    )
