"""The published objectives, each a `GAN` with its paper's defaults; all else as in `GAN`."""

from __future__ import annotations

import keras

from tfanime.gans import penalties
from tfanime.gans.gan import GAN


@keras.saving.register_keras_serializable("tfanime")
class DRAGAN(GAN):
    """Gradient penalty around real images (Kodali et al. 2017); with `head`, MakeGirlsMoe's."""

    def __init__(self, generator, discriminator, *, penalty_weight: float = 10.0, **kwargs):
        penalty = penalties.dragan(penalty_weight)
        super().__init__(generator, discriminator, penalty=penalty, **kwargs)


@keras.saving.register_keras_serializable("tfanime")
class LSGAN(GAN):
    """Least squares (Mao et al. 2017)."""

    def __init__(self, generator, discriminator, **kwargs):
        super().__init__(generator, discriminator, loss="least_squares", **kwargs)


@keras.saving.register_keras_serializable("tfanime")
class HingeGAN(GAN):
    """Hinge loss (Lim & Ye 2017; Miyato et al. 2018)."""

    def __init__(self, generator, discriminator, **kwargs):
        super().__init__(generator, discriminator, loss="hinge", **kwargs)


@keras.saving.register_keras_serializable("tfanime")
class WGAN(GAN):
    """Wasserstein critic with weight clipping (Arjovsky et al. 2017, algorithm 1)."""

    def __init__(self, generator, discriminator, *, weight_clip=0.01, critic_steps=5, **kwargs):
        super().__init__(
            generator,
            discriminator,
            loss="wasserstein",
            weight_clip=weight_clip,
            critic_steps=critic_steps,
            **kwargs,
        )

    def compile(self, g_optimizer=None, d_optimizer=None, **kwargs):
        """Default optimisers: RMSprop 5e-5, as momentum destabilises a clipped critic."""
        if kwargs.get("optimizer") is None:
            g_optimizer = g_optimizer or keras.optimizers.RMSprop(5e-5)
            d_optimizer = d_optimizer or keras.optimizers.RMSprop(5e-5)
        super().compile(g_optimizer, d_optimizer, **kwargs)


@keras.saving.register_keras_serializable("tfanime")
class WGANGP(GAN):
    """Wasserstein critic with gradient penalty (Gulrajani et al. 2017, algorithm 1)."""

    def __init__(self, generator, discriminator, *, penalty_weight=10.0, critic_steps=5, **kwargs):
        super().__init__(
            generator,
            discriminator,
            loss="wasserstein",
            penalty=penalties.wgan_gp(penalty_weight),
            critic_steps=critic_steps,
            **kwargs,
        )

    def compile(self, g_optimizer=None, d_optimizer=None, **kwargs):
        """Default optimisers: Adam 1e-4, (0, 0.9)."""
        if kwargs.get("optimizer") is None:
            g_optimizer = g_optimizer or keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9)
            d_optimizer = d_optimizer or keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9)
        super().compile(g_optimizer, d_optimizer, **kwargs)


@keras.saving.register_keras_serializable("tfanime")
class InfoGAN(GAN):
    """Codes recovered by a head from generated images only (Chen et al. 2016, eq. 6)."""

    def __init__(self, generator, discriminator, *, head, schema, **kwargs):
        super().__init__(
            generator, discriminator, head=head, schema=schema, head_on_real=False, **kwargs
        )
