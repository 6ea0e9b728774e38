"""Watches a run for the ways GANs fail: NaN, mode collapse, vanishing gradients."""

from __future__ import annotations

import math

from tfanime.gans import GAN

MEMORY = 0.98  # of the running means
SETTLE = 300  # steps before collapse or saturation can be called: every run starts grey
COLLAPSED = 0.35  # spread within a batch, relative to real images
CERTAIN = 0.99  # probability at which the discriminator teaches nothing
VANISHED = 0.01  # norm of the generator's gradient, relative to its greatest so far
NOTHING = 1e-7  # norm at which it is rounding, whatever it was before
FIRST = 10  # steps whose gradients, of fresh networks, are no measure for the later ones
REPEAT = 1000  # steps between two warnings of one kind

ADVICE = {
    "collapse": (
        "the images of a batch differ far less than real ones (mode collapse). "
        "Try a gradient penalty (penalty=dragan), a lower g_lr, or a larger batch."
    ),
    "saturation": (
        "the discriminator is certain of nearly every image, so the generator's gradient "
        "vanishes. Try a lower d_lr, penalty=dragan, label_smoothing=0.1 or instance_noise=0.1."
    ),
    "vanishing": (
        "hardly any gradient reaches the generator, so it learns nothing more. Try a lower d_lr, "
        "a gradient penalty (penalty=dragan) or another loss."
    ),
    "nan": "Try a lower g_lr and d_lr, --precision float32, or penalty=dragan.",
}


class Diverged(RuntimeError):
    """Training became NaN or infinite and was stopped; the last good checkpoint is kept."""


class CollapseWatch:
    """Follows the logs of every step.

    Args:
        gan: whose loss decides whether `d_real` and `d_fake` are probabilities.
        state: what `state` returned before the run was interrupted.
    """

    def __init__(self, gan: GAN, state: dict | None = None):
        self._probabilistic = gan.loss_pair.probabilistic
        state = state or {"means": {}, "seen": 0, "warned": {}}
        # The greatest running mean of the norm of the generator's gradient.
        self._peak: float = state.get("peak", 0.0)
        self._means: dict[str, float] = state["means"]
        self._seen: int = state["seen"]
        self._warned: dict[str, int] = state["warned"]

    def state(self) -> dict:
        """What it remembers, JSON-ready."""
        remembered = {"means": self._means, "seen": self._seen, "warned": self._warned}
        return remembered | {"peak": self._peak}

    def see(self, step: int, logs: dict[str, float]) -> list[str]:
        """Takes one step's figures; returns new warnings.

        Raises:
            Diverged: when a figure is NaN or infinite.
        """
        broken = sorted(name for name, value in logs.items() if not math.isfinite(value))
        if broken:
            raise Diverged(f"{', '.join(broken)} became NaN or infinite at step {step}.")
        self._seen += 1
        for name in ("diversity", "d_real", "d_fake"):
            self._follow(name, logs[name])
        if self._seen > FIRST:
            self._follow("g_grad_norm", logs["g_grad_norm"])
            self._peak = max(self._peak, self._means["g_grad_norm"])
        if self._seen < SETTLE:
            return []
        warnings = []
        if self._means["diversity"] < COLLAPSED:
            warnings.append("collapse")
        if self._probabilistic and (
            self._means["d_real"] > CERTAIN and self._means["d_fake"] < 1 - CERTAIN
        ):
            warnings.append("saturation")
        elif self._means["g_grad_norm"] < max(VANISHED * self._peak, NOTHING):
            warnings.append("vanishing")
        return [self._message(kind, step) for kind in warnings if self._is_new(kind, step)]

    def _follow(self, name: str, value: float) -> None:
        self._means[name] = MEMORY * self._means.get(name, value) + (1 - MEMORY) * value

    def _is_new(self, kind: str, step: int) -> bool:
        new = step - self._warned.get(kind, -REPEAT) >= REPEAT
        if new:
            self._warned[kind] = step
        return new

    def _message(self, kind: str, step: int) -> str:
        means = self._means
        return (
            f"Step {step}: {ADVICE[kind]} (spread {means['diversity']:.2f} of real, "
            f"D(real) {means['d_real']:.3f}, D(fake) {means['d_fake']:.3f}, "
            f"the generator's gradient {means['g_grad_norm']:.3g}, at most {self._peak:.3g} so far)"
        )
