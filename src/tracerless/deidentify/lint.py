"""Reading a policy before it touches a file: contradictions, leaks, losses, and its claim."""

from collections.abc import Iterator, Mapping

from tracerless.core.errors import ProfileError
from tracerless.deidentify import lint_claim, lint_rules, lint_tables
from tracerless.deidentify.lint_findings import LEVELS, Finding, rows
from tracerless.deidentify.profile import Profile

__all__ = ["LEVELS", "Finding", "lint"]


def lint(
    name: str, tables: Mapping[str, str], options: tuple[str, ...] = ()
) -> tuple[Finding, ...]:
    """Everything worth knowing about a policy, errors first.

    A policy that cannot be used at all is reported, not raised: then only its tables were read.

    Args:
        name: of the policy.
        tables: CSV texts by file stem, as `Profile.parse` takes them.
        options: codes of CID 7050 on top of the policy's own.
    """
    used = _used(tables)
    found = [*lint_tables.findings(used), *lint_claim.options(tables, options)]
    try:
        profile = Profile.parse(name, tables, options)
    except ProfileError as error:
        found.append(_unusable(error))
    else:
        found += _judged(profile, tables)
    return tuple(sorted(dict.fromkeys(found), key=lambda each: LEVELS.index(each.level)))


def _used(tables: Mapping[str, str]) -> dict[str, str]:
    """The tables without the base table that the policy does not start from."""
    settings = {row["setting"]: row["value"] for row in rows(tables, "profile")}
    unused = {"seed": "ps315", "ps315": "seed"}.get(settings.get("base", ""))
    return {stem: text for stem, text in tables.items() if stem != unused}


def _judged(profile: Profile, tables: Mapping[str, str]) -> Iterator[Finding]:
    yield from lint_rules.findings(profile, tables)
    yield from lint_claim.findings(profile, tables)


def _unusable(error: ProfileError) -> Finding:
    return Finding(
        level="error",
        keyword="",
        text_en=f"The policy cannot be used: {error}",
        text_zh=f"政策無法使用：{error}",
        kind="unusable",
    )
