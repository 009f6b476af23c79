"""Measurements behind docs/benchmarks.md:  ./dev bench help | demo | skill  (prints Markdown)."""

import sys

from bench import demo, skill, start

BENCHES = {"help": start.main, "demo": demo.main, "skill": skill.main}


def main() -> int:
    """Run the benches named on the command line."""
    names = sys.argv[1:] or list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"No bench {unknown[0]!r}; choose among {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    for name in names:
        BENCHES[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
