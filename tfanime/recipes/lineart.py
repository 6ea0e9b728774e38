"""Enlarges drawings 4 times or twice, small and fast enough for a browser, with clean lines.

Ours, of parts that are known: all convolutions at the small image's size and one pixel shuffle
(`models.compact`; Shi et al. 2016, arXiv:1609.05158; Lim et al. 2017, arXiv:1707.02921), pixels by
absolute difference, and 0.1 of the distance that EfficientNet-Lite0 sees (Zhang et al. 2018,
arXiv:1801.03924; the extra `features`; without it: `--set feature_model=null`), which makes lines
crisp where pixels alone leave them soft. No discriminator: it is neither asked nor trained
(`--set adversarial_weight=0.001` asks it, as do `terms`). Of ten small images seven are made worse,
as a generator would: lines tremble by half a pixel, edges have halos or are soft, colours are
blotched.

From 64 to 256 pixels: 271,536 weights, 0.54 MB in float16, 1.1 billion multiply-adds. From 128 to
256: `--set generator.factor=2 generator.channels=32 generator.blocks=4`, 78,348 weights, 1.3
billion. Windows of 128 pixels train it several times as fast as whole images.

Expect, after 13 minutes of one core (1,760 steps of 16 windows, `lr_decay_steps=3300`), on 32 busts
that it has not seen, from 64 to 256 pixels: PSNR 22.17, SSIM 0.759 and a perceptual distance of
0.368, where Lanczos has 20.74, 0.668 and 0.558; of small images made worse, 20.02, 0.657 and
0.576, where Lanczos has 19.16, 0.559 and 0.875. The card of `upscaler` tells more.

    tfanime train lineart --data windows/ --size 128 --minutes 60 --out runs/larger
    tfanime upscale faces/ runs/larger --out faces4x/
"""

from tfanime.recipes.config import Config

RECIPE = Config(
    recipe="lineart",
    image_size=128,
    generator={"name": "compact", "factor": 4, "channels": 48, "blocks": 6},
    discriminator={"name": "srgan", "channels": 16},
    adversarial_weight=0.0,
    feature_weight=0.1,
    feature_model="lite0",
    degraded=0.7,
    wobble=0.5,
    sharpened=1.0,
    jitter=0.1,
    g_lr=1e-3,
    d_lr=2e-4,
    beta_1=0.9,
    lr_decay_start=0,
    lr_decay_steps=5_000,
    lr_decay_rate=0.1,
    lr_end=1e-4,
    batch_size=16,
)
