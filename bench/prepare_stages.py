"""CPU-seconds of each stage of one `prepare`, in this process; a JSON list on stdout."""

import functools
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import Any

import psutil

STAGES = (
    ("convert", "tracerless.io.recognise", "native_series"),
    ("template and atlas", "tracerless.workspace.roots", "dataset_roots"),
    ("brain mask", "tracerless.prepare.head", "brain_mask"),
    ("bias field", "tracerless.prepare.engine", "bias_field"),
    ("registration to the template", "tracerless.prepare.engine", "registered"),
    ("tissues", "tracerless.prepare.head", "tissues"),
    ("alignment of other series to the T1", "tracerless.prepare.channel", "align"),
    ("perfusion", "tracerless.prepare.flow", "flow"),
    ("emission", "tracerless.prepare.emission", "emission"),
    ("emission alone", "tracerless.prepare.spine", "emission_only"),
    ("quality looks", "tracerless.prepare.quality", "looks"),
    ("keep", "tracerless.workspace.shelf", "SessionShelf.save"),
    ("contact sheet and label map", "tracerless.workspace.derivatives", "accompany"),
)
"""What is measured: its name, and where the function is looked up when it is called."""


class Meter:
    """CPU-seconds of stages; what a stage within another takes counts for the inner one alone."""

    def __init__(self) -> None:
        self.cpu_s: dict[str, float] = {}
        self.mb: dict[str, float] = {}
        self._inner: list[float] = []
        self._process = psutil.Process()

    def measured(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, measured whenever it is called."""

        @functools.wraps(function)
        def call(*args: Any, **settings: Any) -> Any:
            began, size = time.process_time(), self._process.memory_info().rss
            self._inner.append(0.0)
            try:
                return function(*args, **settings)
            finally:
                took = time.process_time() - began
                self._add(stage, took - self._inner.pop(), self._process.memory_info().rss - size)
                if self._inner:
                    self._inner[-1] += took

        return call

    def _add(self, stage: str, cpu_s: float, grown: float) -> None:
        self.cpu_s[stage] = self.cpu_s.get(stage, 0.0) + cpu_s
        self.mb[stage] = max(self.mb.get(stage, 0.0), grown / (1 << 20))


def main() -> None:
    """Prepare the dataset named on the command line anew."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    meter, dataset = Meter(), Path(sys.argv[1])
    from tracerless.cli import prepare  # noqa: PLC0415 - its cost is a stage

    for stage, module, name in STAGES:
        with suppress(ImportError, AttributeError):
            owner: Any = importlib.import_module(module)
            *path, last = name.split(".")
            for part in path:
                owner = getattr(owner, part)
            setattr(owner, last, meter.measured(stage, getattr(owner, last)))
    imports = time.process_time()
    for record in (dataset / "derivatives").rglob("*_desc-*.json"):
        record.unlink()
    with redirect_stdout(StringIO()), suppress(SystemExit):
        prepare.command([str(dataset)])
    rest = time.process_time() - imports - sum(meter.cpu_s.values())
    rows = [{"stage": "imports", "cpu_s": imports, "mb": 0.0}]
    rows += [{"stage": s, "cpu_s": c, "mb": meter.mb[s]} for s, c in meter.cpu_s.items()]
    json.dump([*rows, {"stage": "the rest", "cpu_s": rest, "mb": 0.0}], sys.stdout)


if __name__ == "__main__":
    main()
