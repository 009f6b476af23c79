"""`python -m tracerless`: the command line, also for `torchrun -m tracerless`."""

from tracerless.cli import main

if __name__ == "__main__":
    main()
