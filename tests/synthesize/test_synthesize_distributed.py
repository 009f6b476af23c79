"""Processes that learn together refuse in a sentence what would end in a wait or a wrong model."""

import pytest
import torch

from tracerless.core.errors import ModelError, RecipeError, RecipeMismatchError
from tracerless.synthesize.distributed import Crew, require_hands


def test_more_processes_than_gpus_are_refused_by_number(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(RecipeError, match="shows 2 GPU") as caught:
        require_hands("auto", 4)
    assert "--nproc-per-node 2" in caught.value.hint
    require_hands("cpu", 4)


def test_a_process_that_is_gone_is_told_in_a_sentence(monkeypatch) -> None:
    def gone(*_, **__) -> None:
        raise RuntimeError

    monkeypatch.setattr(torch.distributed, "all_reduce", gone)
    with pytest.raises(ModelError, match="Another process of this training ended") as caught:
        Crew(0, 2, torch.device("cpu")).average([torch.zeros(3)])
    assert "goes on where it stood" in caught.value.hint


def test_processes_that_stand_elsewhere_do_not_learn_together(monkeypatch) -> None:
    said = []
    monkeypatch.setattr(torch.distributed, "broadcast", lambda tensor, src: said.append(tensor))
    Crew(0, 2, torch.device("cpu")).require_same("run 1 step 5")
    monkeypatch.setattr(torch.distributed, "broadcast", lambda tensor, src: tensor.copy_(said[0]))
    Crew(1, 2, torch.device("cpu")).require_same("run 1 step 5")
    with pytest.raises(RecipeMismatchError, match="Process 1 has other people"):
        Crew(1, 2, torch.device("cpu")).require_same("run 1 step 0")
