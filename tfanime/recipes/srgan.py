"""SRGAN: enlarges images 2 or 4 times, those that a generator drew included.

Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial
Network", CVPR 2017 (arXiv:1609.04802), with the Stanford study's colour jitter (contrast,
saturation and hue, 0.1 each) and the decay that its tables end with, from 2e-3 to 2e-4, where the
rate stays. The study had each jitter on and off: `--grid jitter.contrast=0,0.1 --grid
jitter.saturation=0,0.1 --grid jitter.hue=0,0.1`. It found results on generated images poor, with
the jitter too: "mere color jittering cannot replicate" their noise.

SRResNet of 8 blocks without batch norm on top of a bilinear enlargement: 196,291 weights, 0.4 MB
in float16. Content is the absolute difference of pixels and of the discriminator's activations;
the adversarial term has weight 0.005 (`--set adversarial_weight=0` leaves the content alone). The
small images are made of the real ones within each step, and half of them blurred, blotched, made
noisy and compressed, since that study found an upscaler trained on clean images poor on generated
ones. Sizes are those of the large images: 32 for 16 -> 32, 64, 128; x4 is
`--set generator.factor=4`. `models.vgg` makes a `feature_model` of VGG19's weights.

Expect, after 9 minutes on 2 busy cores (912 steps of version 0.1 on 19,000 Getchu faces,
32 -> 64, bfloat16, `lr_decay_steps=1300`), on 300 faces that it has not seen: PSNR 24.55 and SSIM
0.875, where Lanczos has 22.95 and 0.804; of small images made worse, 22.12 and 0.740, where
Lanczos has 20.42 and 0.628. Cost: 27 images a second there.

    tfanime train srgan --data faces/ --size 64 --minutes 60 --out runs/larger
    tfanime upscale pictures/ runs/larger --out pictures2x/
"""

from tfanime.recipes.config import Config

RECIPE = Config(
    recipe="srgan",
    generator={"name": "srgan", "factor": 2, "channels": 32, "blocks": 8},
    discriminator={"name": "srgan", "channels": 16},
    adversarial_weight=0.005,
    feature_weight=0.1,
    jitter=0.1,
    g_lr=2e-3,
    d_lr=2e-4,
    beta_1=0.9,
    lr_decay_start=0,
    lr_decay_steps=10_000,
    lr_decay_rate=0.1,
    lr_end=2e-4,
    batch_size=16,
)
