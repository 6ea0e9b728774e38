"""What is wrong with settings of an upscaler, which draws from images, and may be trained without a
discriminator.
"""

from __future__ import annotations

from tfanime.registries import UPSCALERS


def check_upscaler(config) -> None:
    """Refuses, of an upscaler, settings of what it does not have.

    Raises:
        ValueError: naming the setting and what was received.
    """
    if config.generator["name"] not in UPSCALERS:
        return
    if config.conditioning not in ("none", "auto"):
        raise ValueError(
            "An upscaler takes images only. "
            f"Received: conditioning={config.conditioning!r}. Use conditioning='none'."
        )
    if config.steering:
        raise ValueError(
            "An upscaler takes images only, and steering moves latents. "
            f"Received: steering={config.steering}. Leave it out."
        )
    matching = bool(config.feature_weight) and config.feature_model is None
    others = matching or config.projected is not None or config.terms != "none"
    target = None if config.augment == "none" else config.augment_target
    check_asked(config.adversarial_weight != 0 or others, config.lecam_weight, target)


def check_asked(asked: bool, lecam_weight, augment_target: float | None) -> None:
    """Refuses settings that follow what the discriminator says where no loss asks it.

    Args:
        asked: whether any does.
        lecam_weight, augment_target: see `gans.GAN`.

    Raises:
        ValueError: naming those that were set.
    """
    settings = {"lecam_weight": lecam_weight or None, "augment_target": augment_target}
    found = ", ".join(f"{name}={value}" for name, value in settings.items() if value is not None)
    if found and not asked:
        raise ValueError(
            "lecam_weight and augment_target follow what the discriminator says, which no loss of "
            f"this upscaler asks. Received: {found}. Leave that out, or choose an "
            "adversarial_weight above 0."
        )
