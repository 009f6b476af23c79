"""MONAI's networks in the bench, trained as its tutorials train them.

Each volume is scaled to 0-1 by its own least and largest value (``ScaleIntensity``), the loss is
the mean absolute error over the whole grid, and a batch is whole volumes. Scaling by each volume's
own range loses the unit, so what they predict is divided by its mean in the reference region, as a
user would. They learn from all training people; our designs keep a fifth of them back.
"""

import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from monai.losses import PatchAdversarialLoss
from monai.networks.nets import PatchDiscriminator, UNet
from monai.transforms import DivisiblePad, ScaleIntensity
from numpy.typing import NDArray
from torch import Tensor, nn

from bench.synthesis_judge import Task, judge
from tracerless.core.session import Prepared
from tracerless.core.volume import MR_INPUTS, Contrast

BATCH = 2
MULTIPLE = 16
ADVERSARIAL_WEIGHT = 0.01
UNET_RATE, PIX2PIX_RATE = 1e-3, 1e-4
"""Of Adam, as the tutorials on U-Nets and on adversarial losses have it."""

Step = Callable[[Tensor, Tensor], None]


def contend(task: Task, recipe: str) -> dict[str, Any]:
    """Train the recipe until the budget is spent, and measure it."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    inputs, target = _laid(task)
    network = _unet()
    step = _alone(network) if recipe == "monai-unet" else _against_a_critic(network)
    draw, steps = np.random.default_rng(1), 0
    before = time.process_time()
    while time.process_time() - before < task.budget_s:
        who = torch.from_numpy(draw.choice(len(inputs), BATCH, replace=False))
        step(inputs[who], target[who])
        steps += 1
    spent = time.process_time() - before
    return {
        "who": recipe,
        **judge(task, _predictor(network, task)),
        "parameters": sum(weight.numel() for weight in network.parameters()),
        "steps": steps,
        "step_s": spent / steps,
        "train_s": spent,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _unet() -> nn.Module:
    return UNet(
        spatial_dims=3,
        in_channels=len(MR_INPUTS),
        out_channels=1,
        channels=(16, 32, 64, 128, 256),
        strides=(2, 2, 2, 2),
        num_res_units=2,
    )


def _alone(network: nn.Module) -> Step:
    optimizer, loss = torch.optim.Adam(network.parameters(), UNET_RATE), nn.L1Loss()

    def step(inputs: Tensor, target: Tensor) -> None:
        optimizer.zero_grad()
        loss(network(inputs), target).backward()
        optimizer.step()

    return step


def _against_a_critic(network: nn.Module) -> Step:
    critic = PatchDiscriminator(
        spatial_dims=3, channels=32, in_channels=len(MR_INPUTS) + 1, out_channels=1, num_layers_d=3
    )
    makes = torch.optim.Adam(network.parameters(), PIX2PIX_RATE)
    judges = torch.optim.Adam(critic.parameters(), PIX2PIX_RATE)
    far, verdict = nn.L1Loss(), PatchAdversarialLoss(criterion="least_squares")

    def step(inputs: Tensor, target: Tensor) -> None:
        makes.zero_grad()
        made = network(inputs)
        said = critic(torch.cat([inputs, made], dim=1))[-1]
        fooled = verdict(said, target_is_real=True, for_discriminator=False)
        (far(made, target) + ADVERSARIAL_WEIGHT * fooled).backward()
        makes.step()
        judges.zero_grad()
        false = critic(torch.cat([inputs, made.detach()], dim=1))[-1]
        true = critic(torch.cat([inputs, target], dim=1))[-1]
        wrong = verdict(false, target_is_real=False, for_discriminator=True)
        wrong = wrong + verdict(true, target_is_real=True, for_discriminator=True)
        (0.5 * wrong).backward()
        judges.step()

    return step


def _laid(task: Task) -> tuple[Tensor, Tensor]:
    """(N, 3, …) MR and (N, 1, …) PET of all training people."""
    sessions = list(task.learned())
    inputs = torch.stack([_inputs(session) for session in sessions])
    target = torch.stack([_scaled(session, (Contrast.FDG,)) for session in sessions])
    return inputs, target


def _inputs(session: Prepared) -> Tensor:
    return _scaled(session, MR_INPUTS)


def _scaled(session: Prepared, contrasts: tuple[Contrast, ...]) -> Tensor:
    """(C, …) each volume to 0-1 by its own range, padded; zeros for one that is absent."""
    arrays = [
        np.nan_to_num(session.volumes[c].array)
        if c in session.volumes
        else np.zeros(session.grid.shape, dtype=np.float32)
        for c in contrasts
    ]
    scaled = torch.stack([torch.as_tensor(ScaleIntensity()(array)) for array in arrays])
    return torch.as_tensor(DivisiblePad(MULTIPLE)(scaled)).as_subclass(Tensor).float()


def _predictor(
    network: nn.Module, task: Task
) -> Callable[[Prepared], tuple[NDArray[np.float32], dict[str, float]]]:
    reference = task.atlas().reference(task.reference)
    network.eval()

    def predict(session: Prepared) -> tuple[NDArray[np.float32], dict[str, float]]:
        with torch.no_grad():
            said = network(_inputs(session)[None])[0, 0].numpy()
        before = [(-n % MULTIPLE) // 2 for n in session.grid.shape]
        cut = tuple(slice(b, b + n) for b, n in zip(before, session.grid.shape, strict=True))
        return (said[cut] / said[cut][reference].mean()).astype(np.float32), {}

    return predict
