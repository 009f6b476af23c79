"""Measurements behind docs/benchmarks.md (prints Markdown).

./dev bench help | demo | skill | prepare | regions | deidentify | deidentify-speed
            | deidentify-heldout | tables | norms | diagnose | risk
"""

import sys

from bench import (
    deidentify,
    deidentify_speed,
    demo,
    diagnose,
    norms,
    prepare,
    regions,
    risk,
    skill,
    start,
    tables,
)

BENCHES = {
    "help": start.main,
    "demo": demo.main,
    "skill": skill.main,
    "prepare": prepare.main,
    "regions": regions.main,
    "tables": tables.main,
    "norms": norms.main,
    "diagnose": diagnose.main,
    "risk": risk.main,
    "deidentify": deidentify.main,
    "deidentify-speed": deidentify_speed.main,
    "deidentify-heldout": deidentify.held_out,
}

ONLY_WHEN_NAMED = ("deidentify-heldout",)
"""Not part of a run over everything: its half is for the report alone."""


def main() -> int:
    """Run the benches named on the command line."""
    names = sys.argv[1:] or [name for name in BENCHES if name not in ONLY_WHEN_NAMED]
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"No bench {unknown[0]!r}; choose among {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    for name in names:
        BENCHES[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
