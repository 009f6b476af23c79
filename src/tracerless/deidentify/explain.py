"""What a policy does to every attribute, and why: one row for each, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tracerless.deidentify.actions import Action, Rule
from tracerless.deidentify.profile import Profile

EVERYWHERE = ""
"""A row that holds for every object."""

_DONE: Mapping[str, tuple[str, str]] = {
    Action.KEEP: ("the policy lets it cross", "政策允許通過"),
    Action.EMPTY: ("it stays without a value", "保留但不含值"),
    Action.HASH_UID: ("a keyed digest takes its place", "以金鑰雜湊取代"),
    Action.PSEUDONYM: ("the pseudonym takes its place", "以假名取代"),
    Action.SHIFT: ("it moves by the whole days of the person", "依本人的整日數位移"),
    Action.YEAR: ("only the year stays", "只留年份"),
    Action.CLEAN: ("only known words stay", "只留已知字詞"),
    Action.DUMMY: ("a fixed value takes its place", "以固定值取代"),
    Action.CAP_AGE: ("high ages become the cap", "高齡改為上限值"),
}
"""What is done, where the reason of a row says only why the attribute is dangerous."""

_TOLD = frozenset({Action.KEEP, Action.HASH_UID, Action.PSEUDONYM, Action.CLEAN})
"""Actions that the reasons of tables other than E.1-1 explain themselves."""


@dataclass(frozen=True, slots=True)
class Row:
    """What happens to one attribute.

    Args:
        tag: ``GGGG,EEEE``; of a vendor's field ``GGGG,creator,EE``.
        keyword: of the DICOM dictionary, or the policy's own word for a vendor's field.
        action: a word of `actions.Action`.
        reason_en, reason_zh: why.
        origin: which part of the policy says so.
        where: technical lists whose objects meet it, joined by commas; empty for all.
    """

    tag: str
    keyword: str
    action: str
    reason_en: str
    reason_zh: str
    origin: str
    where: str


def explain(profile: Profile, sop_class: str | None = None) -> tuple[Row, ...]:
    """Every attribute that the policy lists, by tag, then the vendor fields that cross.

    What is in no row is removed. An attribute that objects treat differently has a row for each
    treatment.

    Args:
        profile: the policy.
        sop_class: UID of one class, or None for all.

    Raises:
        KeyError: the policy has no such class.
    """
    kinds = {kind: uid for uid, kind in profile.technical.items()}
    if sop_class is not None:
        kinds = {profile.technical[sop_class]: sop_class}
    tags = sorted({tag for uid in kinds.values() for tag in profile.by_class[uid]})
    return (*(row for tag in tags for row in _rows(profile, kinds, tag)), *_vendors(profile))


def _rows(profile: Profile, kinds: dict[str, str], tag: int) -> Iterator[Row]:
    treated: dict[Rule, list[str]] = {}
    for kind, uid in kinds.items():
        rule = profile.by_class[uid].get(tag)
        if rule is not None:
            treated.setdefault(rule, []).append(kind)
    for rule, names in treated.items():
        yield Row(
            tag=f"{tag >> 16:04X},{tag & 0xFFFF:04X}",
            keyword=rule.keyword,
            action=str(rule.action),
            reason_en="; ".join(_reasons(rule, 0)),
            reason_zh="；".join(_reasons(rule, 1)),
            origin=rule.origin,
            where=EVERYWHERE if len(names) == len(kinds) else ", ".join(sorted(names)),
        )


def _reasons(rule: Rule, language: int) -> tuple[str, ...]:
    """Why the attribute has a rule, and what is done where that does not say so itself."""
    why = (rule.reason_en, rule.reason_zh)[language]
    done = _DONE.get(rule.action, ("", ""))[language]
    told = rule.action in _TOLD and not rule.origin.startswith("E.1-1")
    return (why,) if told or not done or done in why else (why, done)


def _vendors(profile: Profile) -> Iterator[Row]:
    for (group, creator, offset), rule in sorted(profile.private.items()):
        yield Row(
            tag=f"{group:04X},{creator},{offset:02X}",
            keyword=rule.keyword,
            action="keep",
            reason_en=rule.reason_en,
            reason_zh=rule.reason_zh,
            origin="vendor",
            where=EVERYWHERE,
        )
