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
    check_asked(
        config.adversarial_weight != 0 or others,
        penalty=config.penalty != "none" and config.penalty,
        top_k=config.top_k != 1 and config.top_k,
        label_smoothing=config.label_smoothing,
        instance_noise=config.instance_noise,
        lecam_weight=config.lecam_weight,
        augment_target=config.augment_target if config.augment != "none" else None,
    )


def check_asked(asked: bool, **settings: object) -> None:
    """Refuses settings of what the discriminator sees and says where no loss asks it.

    Args:
        asked: whether any does.
        settings: their names to their values; None, 0 and False are not set, but an
            `augment_target` of 0 is.

    Raises:
        ValueError: naming those that were set.
    """
    found = {
        name: value
        for name, value in settings.items()
        if value or (name == "augment_target" and value is not None)
    }
    if found and not asked:
        listing = ", ".join(f"{name}={value}" for name, value in found.items())
        raise ValueError(
            f"{' and '.join(found)} {'is' if len(found) == 1 else 'are'} of the discriminator, "
            f"which no loss of this upscaler asks. Received: {listing}. Leave that out, or choose "
            "an adversarial_weight above 0."
        )
