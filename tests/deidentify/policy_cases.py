"""Shared by the tests of the policies: the shipped tables, and ways to break them."""

import csv
import io

from tracerless.io import profiles

NAMES = profiles.names()
TABLES = {name: profiles.read(name) for name in NAMES}


def rows(name: str, table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(TABLES[name][table])))


def adding(name: str, table: str, *lines: str) -> dict[str, str]:
    """The tables of a policy with lines at the end of one of them (begun where it is absent)."""
    before = TABLES[name].get(table, "tag,keyword,action,reason_en,reason_zh\n")
    return {**TABLES[name], table: before + "".join(f"{line}\n" for line in lines)}


def dropping(name: str, keyword: str) -> dict[str, str]:
    """The tables of a policy without the technical rows of one attribute."""
    return {
        stem: "".join(
            line
            for line in text.splitlines(keepends=True)
            if not (stem.startswith("technical_") and f",{keyword}," in line)
        )
        for stem, text in TABLES[name].items()
    }


def setting(name: str, key: str, value: str) -> dict[str, str]:
    """The tables of a policy with one setting changed."""
    lines = [
        f"{key},{value},test,測試\n" if line.startswith(f"{key},") else line
        for line in TABLES[name]["profile"].splitlines(keepends=True)
    ]
    return {**TABLES[name], "profile": "".join(lines)}
