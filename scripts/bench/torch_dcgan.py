"""The plain DCGAN of `dcgan` in PyTorch, which `bench_train.py --torch` starts with another Python.

Reads numbers of steps from standard input and answers with the seconds of one:
a line each. Imports nothing of tfanime.

    python scripts/bench/torch_dcgan.py SIZE BATCH PRECISION CLOCK
"""

import os
import sys
import time

import torch
from torch import nn
from torch.nn import functional

LATENT, CHANNELS, LEAK = 100, 64, 0.2
NORM = {"momentum": 0.1, "eps": 1e-5}


def generator(size):
    times = size.bit_length() - 3  # from 4x4
    wide = [CHANNELS * min(8, 2**i) for i in range(times)][::-1]
    parts = [nn.ConvTranspose2d(LATENT, wide[0], 4, bias=False)]
    for i in range(times):
        parts += [nn.BatchNorm2d(wide[i], **NORM), nn.ReLU()]
        last = i == times - 1
        parts.append(
            nn.ConvTranspose2d(wide[i], 3 if last else wide[i + 1], 4, 2, padding=1, bias=last)
        )
    return nn.Sequential(*parts, nn.Tanh())


def discriminator(size):
    parts, before = [], 3
    for i in range(size.bit_length() - 3):
        wide = CHANNELS * min(8, 2**i)
        parts.append(nn.Conv2d(before, wide, 4, 2, padding=1, bias=not i))
        parts += [nn.BatchNorm2d(wide, **NORM)] if i else []
        parts.append(nn.LeakyReLU(LEAK))
        before = wide
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(before * 16, 1))


def training_step(size, batch, precision):
    layout = {"memory_format": torch.channels_last}
    drawing, judging = (make(size).to(**layout) for make in (generator, discriminator))
    adams = [
        torch.optim.Adam(network.parameters(), 2e-4, betas=(0.5, 0.999))
        for network in (drawing, judging)
    ]
    real = torch.rand(batch, 3, size, size).mul(2).sub(1).contiguous(**layout)
    loss_of = functional.binary_cross_entropy_with_logits

    def reduced():
        return torch.autocast("cpu", torch.bfloat16, enabled=precision == "mixed_bfloat16")

    def loss(pictures, kind):
        with reduced():
            logits = judging(pictures).float()
        return loss_of(logits, torch.full_like(logits, kind))

    def draw():
        with reduced():
            return drawing(torch.randn(batch, LATENT, 1, 1))

    def step():
        g_adam, d_adam = adams
        d_adam.zero_grad()
        d_loss = loss(real, 1.0) + loss(draw().detach(), 0.0)
        d_loss.backward()
        d_adam.step()
        g_adam.zero_grad()
        g_loss = loss(draw(), 1.0)
        g_loss.backward()
        g_adam.step()
        return float((d_loss + g_loss).detach())

    return step


def main():
    size, batch, precision, clock = sys.argv[1:]
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(cores)
    step = training_step(int(size), int(batch), precision)

    def now():
        return time.process_time() / cores if clock == "processor" else time.perf_counter()

    for line in sys.stdin:
        steps, started = int(line), now()
        for _ in range(steps):
            step()
        print((now() - started) / steps, flush=True)


if __name__ == "__main__":
    main()
