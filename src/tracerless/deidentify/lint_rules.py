"""Checks of what a policy orders, attribute by attribute."""

from collections.abc import Iterable, Iterator, Mapping

from pydicom.datadict import dictionary_VR

from tracerless.deidentify.actions import Action, Rule
from tracerless.deidentify.lint_findings import Finding, listed, rows
from tracerless.deidentify.profile import Profile

_GONE = frozenset({Action.REMOVE, Action.EMPTY})
_LOST = _GONE | {Action.DUMMY}
_SHORT_TEXT = frozenset({"LO", "SH", "UC", "AE", "UR"})
_LONG_TEXT = frozenset({"LT", "ST", "UT"})
_TIMEZONE = 0x00080201
"""A number, although its type is text."""
_BY_OPTION = "E.1-1 K, "


def findings(profile: Profile, tables: Mapping[str, str]) -> Iterator[Finding]:
    """Everything that the shelf of checks below finds."""
    for check in (names, texts, uids, retained, dates, sequences):
        yield from check(profile, tables)
    for check in (companions, places, required, technical, utility):
        yield from check(profile, tables)


def ordered(profile: Profile, actions: Iterable[Action]) -> dict[int, Rule]:
    """Attributes that meet one of the actions in at least one class, by tag."""
    wanted = frozenset(actions)
    found: dict[int, Rule] = {}
    for by_tag in profile.by_class.values():
        for tag, rule in by_tag.items():
            if rule.action in wanted:
                found.setdefault(tag, rule)
    return dict(sorted(found.items()))


def chosen(profile: Profile) -> dict[int, Rule]:
    """Attributes that are kept as they are, and not because an option of the standard says so."""
    kept = ordered(profile, (Action.KEEP,))
    return {tag: rule for tag, rule in kept.items() if not rule.origin.startswith(_BY_OPTION)}


def names(profile: Profile, _: Mapping[str, str]) -> Iterator[Finding]:
    """Kept names of people."""
    for tag, rule in ordered(profile, (Action.KEEP, Action.CLEAN)).items():
        if dictionary_VR(tag) == "PN":
            yield Finding("error", rule.keyword, "A person's name is kept.", "保留了人名。", "name")


def texts(profile: Profile, tables: Mapping[str, str]) -> Iterator[Finding]:
    """Kept texts that people type: what E.1-1 lists, and every text of any length."""
    listed_there = {row["tag"].upper() for row in rows(tables, "ps315")}
    for tag, rule in chosen(profile).items():
        vr = dictionary_VR(tag)
        typed = vr in _SHORT_TEXT and f"{tag:08X}" in listed_there and tag != _TIMEZONE
        if typed or vr in _LONG_TEXT:
            yield Finding(
                "warning",
                rule.keyword,
                "Text that people can type into is kept as it is.",
                "原樣保留了可人工輸入的文字。",
                "text",
            )


def uids(profile: Profile, tables: Mapping[str, str]) -> Iterator[Finding]:
    """Kept original UIDs of things; those of classes belong to the standard."""
    listed_there = {row["tag"].upper() for row in rows(tables, "ps315")}
    for tag, rule in chosen(profile).items():
        if dictionary_VR(tag) == "UI" and f"{tag:08X}" in listed_there:
            yield Finding(
                "warning",
                rule.keyword,
                "The original UID is ordered kept: it leads back to the source.",
                "命令保留原始 UID：可追溯到來源。",
                "uid",
            )


def retained(profile: Profile, _: Mapping[str, str]) -> Iterator[Finding]:
    """What each option of the standard keeps as it is."""
    by_option: dict[str, list[str]] = {}
    for rule in ordered(profile, (Action.KEEP,)).values():
        if rule.origin.startswith(_BY_OPTION):
            by_option.setdefault(rule.origin.removeprefix(_BY_OPTION), []).append(rule.keyword)
    for option, keywords in sorted(by_option.items()):
        yield Finding(
            "note",
            min(keywords),
            f"Option {option} keeps {len(keywords)} attributes as they are: {listed(keywords)}.",
            f"選項 {option} 原樣保留 {len(keywords)} 個屬性：{listed(keywords)}。",
            "retained",
        )


def dates(profile: Profile, _: Mapping[str, str]) -> Iterator[Finding]:
    """Kept full dates."""
    kept = [
        rule.keyword
        for tag, rule in ordered(profile, (Action.KEEP,)).items()
        if dictionary_VR(tag) in ("DA", "DT")
    ]
    if kept:
        yield Finding(
            "warning",
            kept[0],
            f"Full dates are kept: {listed(kept)}.",
            f"保留了完整日期：{listed(kept)}。",
            "date",
        )


def sequences(profile: Profile, _: Mapping[str, str]) -> Iterator[Finding]:
    """Kept sequences: what lies inside is judged again."""
    kept = [
        rule.keyword
        for tag, rule in ordered(profile, (Action.KEEP,)).items()
        if dictionary_VR(tag) == "SQ"
    ]
    if kept:
        yield Finding(
            "note",
            kept[0],
            f"{len(kept)} sequences are kept; every attribute inside is judged again.",
            f"保留 {len(kept)} 個序列屬性；其內每個屬性都再判定一次。",
            "sequence",
        )


def companions(profile: Profile, tables: Mapping[str, str]) -> Iterator[Finding]:
    """Attributes that hold the same thing, one kept and one removed."""
    groups: dict[str, list[dict[str, str]]] = {}
    for row in rows(tables, "companions"):
        groups.setdefault(row["group"], []).append(row)
    kept = {rule.keyword for rule in ordered(profile, (Action.KEEP,)).values()}
    gone = {rule.keyword for rule in ordered(profile, _GONE).values()} - kept
    for members in groups.values():
        keywords = [row["keyword"] for row in members]
        stays, goes = kept.intersection(keywords), gone.intersection(keywords)
        if stays and goes:
            yield Finding(
                "warning",
                min(stays),
                f"Kept: {listed(stays)}; removed: {listed(goes)}. {members[0]['reason_en']}.",
                f"保留：{listed(stays)}；移除：{listed(goes)}。{members[0]['reason_zh']}。",
                "inconsistent",
            )


def places(profile: Profile, tables: Mapping[str, str]) -> Iterator[Finding]:
    """Kept places and devices."""
    kept = {rule.keyword for rule in chosen(profile).values()}
    for row in rows(tables, "watched"):
        if row["topic"] in ("place", "device") and row["keyword"] in kept:
            yield Finding(
                "warning",
                row["keyword"],
                f"It is kept and {row['reason_en']}.",
                f"保留此屬性，且{row['reason_zh']}。",
                row["topic"],
            )


def required(profile: Profile, tables: Mapping[str, str]) -> Iterator[Finding]:
    """Attributes that an object cannot be without (Type 1, Type 2) and that do not cross."""
    classes = {kind: uid for uid, kind in profile.technical.items()}
    for row in rows(tables, "types"):
        uid = classes.get(row["technical"])
        rule = profile.rule(uid, int(row["tag"], 16)) if uid else None
        if uid and (rule is None or rule.action is Action.REMOVE):
            yield Finding(
                "error",
                row["keyword"],
                f"Type {row['type']} of {row['technical']} is removed: the object is invalid.",
                f"{row['technical']} 的 Type {row['type']} 屬性被移除：物件不再合法。",
                "type",
            )


def technical(profile: Profile, tables: Mapping[str, str]) -> Iterator[Finding]:
    """What decoding, placing, ordering or measuring needs and does not get."""
    missing: dict[tuple[str, str, str, str], list[str]] = {}
    for row in rows(tables, "watched"):
        if row["topic"] in ("decode", "geometry", "order", "suv"):
            for kind in _lacking(profile, row):
                key = (row["topic"], kind, row["reason_en"], row["reason_zh"])
                missing.setdefault(key, []).append(row["keyword"])
    for (topic, kind, reason_en, reason_zh), keywords in missing.items():
        carried = topic == "suv" and profile.suv == "carry"
        level = "note" if carried else "warning" if topic == "suv" else "error"
        also = "; its factor is computed before and carried" if carried else ""
        also_zh = "；係數於移除前算出並帶過" if carried else ""
        yield Finding(
            level,
            keywords[0],
            f"{kind} loses {listed(keywords)}: {reason_en}{also}.",
            f"{kind} 失去 {listed(keywords)}：{reason_zh}{also_zh}。",
            topic,
        )


def _lacking(profile: Profile, row: Mapping[str, str]) -> Iterator[str]:
    """Technical lists whose classes lose the attribute of a row of ``watched``."""
    for kind, uid in {kind: uid for uid, kind in profile.technical.items()}.items():
        if row["technical"] in ("", kind):
            rule = profile.rule(uid, int(row["tag"], 16))
            if rule is None or rule.action in _LOST:
                yield kind


def utility(profile: Profile, tables: Mapping[str, str]) -> Iterator[Finding]:
    """Facts about the person that studies need and that go."""
    kept = {rule.keyword for rule in ordered(profile, (Action.KEEP, Action.CAP_AGE)).values()}
    for row in rows(tables, "watched"):
        if row["topic"] == "utility" and row["keyword"] not in kept:
            yield Finding(
                "note",
                row["keyword"],
                f"It does not cross, and {row['reason_en']}: take it from the table of people.",
                f"不予通過，而{row['reason_zh']}：請改由人員表提供。",
                "utility",
            )
