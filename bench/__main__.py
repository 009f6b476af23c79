"""Measurements behind docs/benchmarks.md (prints Markdown).

./dev bench help | demo | prepare | regions | deidentify | deidentify-speed
            | deidentify-heldout | tables | norms | diagnose | risk
            | curve [options] | synthesis [options] | pairs [options] | intervals [options]
"""

import sys

from bench import (
    curve,
    deidentify,
    deidentify_speed,
    demo,
    diagnose,
    intervals,
    norms,
    pairs,
    prepare,
    regions,
    risk,
    start,
    synthesis,
    tables,
)

BENCHES = {
    "help": start.main,
    "demo": demo.main,
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

WITH_OPTIONS = {
    "curve": curve.main,
    "synthesis": synthesis.main,
    "pairs": pairs.main,
    "intervals": intervals.main,
}
"""Long ones, with options of their own behind their name."""

ONLY_WHEN_NAMED = ("deidentify-heldout",)
"""Not part of a run over everything: its half is for the report alone."""


def main() -> int:
    """Run the benches named on the command line."""
    if sys.argv[1:] and sys.argv[1] in WITH_OPTIONS:
        WITH_OPTIONS[sys.argv[1]](sys.argv[2:])
        return 0
    names = sys.argv[1:] or [name for name in BENCHES if name not in ONLY_WHEN_NAMED]
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(
            f"No bench {unknown[0]!r}; choose among {', '.join((*BENCHES, *WITH_OPTIONS))}.",
            file=sys.stderr,
        )
        return 2
    for name in names:
        BENCHES[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
