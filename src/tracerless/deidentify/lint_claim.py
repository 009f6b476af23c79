"""Which options a policy takes, whether they fit, and what its output may be called."""

import re
from collections.abc import Iterator, Mapping

from pydicom.datadict import dictionary_VR

from tracerless.deidentify.actions import Action, Dates
from tracerless.deidentify.confidentiality import BASIC, FULL_DATES, MODIFIED_DATES
from tracerless.deidentify.confidentiality import CLEAN_FEATURES as FACES
from tracerless.deidentify.confidentiality import CLEAN_PIXELS as PIXELS
from tracerless.deidentify.lint_findings import Finding, listed, rows
from tracerless.deidentify.lint_rules import ordered
from tracerless.deidentify.profile import Profile

PRIVATE = "113111"
_RETAINING = ("113109", "113110", PRIVATE, "113112")
"""Options with which Safe Harbor cannot be claimed: device, UIDs, vendor fields, institution."""

_LETTING_PASS = (Action.KEEP, Action.CLEAN)
_DENIAL = re.compile(r"\b(not|neither|never|no|nor)\b", re.IGNORECASE)

LEVELS_OF_OUTPUT: Mapping[str, tuple[str, str]] = {
    "identified": ("identified: names of people cross", "未去識別：人名可通過"),
    "limited": ("at most a limited data set", "至多為有限資料集"),
    "pseudonymized": ("pseudonymized", "假名化資料"),
    "basic": ("Basic Profile of DICOM PS3.15", "DICOM PS3.15 基本規範"),
    "options": (
        "Basic Profile of DICOM PS3.15 with the options it names",
        "DICOM PS3.15 基本規範，連同所列選項",
    ),
    "safe_harbor": ("HIPAA Safe Harbor", "HIPAA 安全港"),
}
"""What an output can be called, weakest first."""


def options(tables: Mapping[str, str], chosen: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Options that exclude each other or do not fit the settings, read from the tables alone.

    Args:
        tables: of the policy.
        chosen: codes on top of the policy's own.
    """
    settings = {row["setting"]: row["value"] for row in rows(tables, "profile")}
    own = settings.get("options", "").split("|")
    codes = {code for code in (*own, *chosen) if code}
    clashes = (
        (
            {FULL_DATES, MODIFIED_DATES} <= codes,
            "error",
            f"Options {FULL_DATES} (full dates) and {MODIFIED_DATES} (moved dates) exclude "
            "each other.",
            f"選項 {FULL_DATES}（完整日期）與 {MODIFIED_DATES}（位移日期）互斥。",
        ),
        (
            bool(codes) and BASIC not in codes,
            "warning",
            f"Options without {BASIC}: they are options of the Basic Profile.",
            f"有選項卻沒有 {BASIC}：它們是基本規範的選項。",
        ),
        (
            bool(codes) and (PRIVATE in codes) != (settings.get("private") == "list"),
            "warning",
            f"Option {PRIVATE} and the setting private = {settings.get('private')!r} disagree.",
            f"選項 {PRIVATE} 與設定 private = {settings.get('private')!r} 不一致。",
        ),
        (
            FACES in codes and settings.get("faces") == "keep",
            "error",
            f"Option {FACES} says that faces are gone; the setting faces keeps them.",
            f"選項 {FACES} 聲稱已去除臉部，設定 faces 卻保留。",
        ),
        (
            PIXELS in codes and settings.get("pixels") != "clean",
            "error",
            f"Option {PIXELS} says that pixels are clean; the setting pixels does not clean them.",
            f"選項 {PIXELS} 聲稱已清理像素，設定 pixels 卻未清理。",
        ),
        (
            settings.get("dates") == Dates.YEAR and bool({FULL_DATES, MODIFIED_DATES} & codes),
            "warning",
            "Dates are cut to the year, so an option that keeps or moves them is untrue.",
            "日期只留年份，保留或位移日期的選項與事實不符。",
        ),
    )
    for applies, level, text_en, text_zh in clashes:
        if applies:
            yield Finding(level, "", text_en, text_zh, "option")


def level(profile: Profile) -> str:
    """The strongest name of `LEVELS_OF_OUTPUT` that fits what the policy orders."""
    passing = ordered(profile, _LETTING_PASS)
    if any(dictionary_VR(tag) == "PN" for tag in passing):
        return "identified"
    if profile.base == "seed" or BASIC not in profile.options or loosened(profile):
        return "limited" if profile.dates is Dates.KEEP else "pseudonymized"
    if _is_safe_harbor(profile):
        return "safe_harbor"
    return "basic" if set(profile.options) == {BASIC} else "options"


def loosened(profile: Profile) -> list[str]:
    """Keywords that E.1-1 does not let cross and a row of the profile's own does."""
    return [
        rule.keyword
        for rule in ordered(profile, _LETTING_PASS).values()
        if profile.base == "ps315" and rule.origin == "profile"
    ]


def findings(profile: Profile, _: Mapping[str, str]) -> Iterator[Finding]:
    """The level that the output may claim, and claims that go further."""
    found = level(profile)
    name_en, name_zh = LEVELS_OF_OUTPUT[found]
    yield Finding(
        "note",
        "",
        f"The output may be called: {name_en}.",
        f"輸出可稱為：{name_zh}。",
        "claim",
    )
    if BASIC in profile.options and loosened(profile):
        keywords = listed(loosened(profile))
        yield Finding(
            "error",
            loosened(profile)[0],
            f"Output is stamped {BASIC}, but rows of the profile's own let {keywords} cross.",
            f"輸出標記 {BASIC}，但自訂的列讓 {keywords} 通過。",
            "claim",
        )
    if _claims_safe_harbor(profile.claim_en) and found != "safe_harbor":
        yield Finding(
            "error",
            "",
            "The claim names Safe Harbor, which this policy does not reach.",
            "宣稱提及安全港，但此政策未達該等級。",
            "claim",
        )


def _is_safe_harbor(profile: Profile) -> bool:
    clean = profile.faces == "remove" and profile.pixels == "clean"
    strict_dates = profile.dates in (Dates.YEAR, Dates.REMOVE)
    ages = profile.age_cap is not None and profile.age_cap <= 90
    retaining = any(code in profile.options for code in _RETAINING)
    return clean and strict_dates and ages and not retaining and not profile.private


def _claims_safe_harbor(claim: str) -> bool:
    """Whether a claim names Safe Harbor without a word of denial before it."""
    before, name, _ = claim.casefold().partition("safe harbor")
    return bool(name) and not _DENIAL.search(before)
