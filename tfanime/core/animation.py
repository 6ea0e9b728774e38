"""Animations: GIF, PNG and WebP by Pillow, MP4 by ffmpeg, the system's or that of the package
imageio-ffmpeg.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from tfanime.core.files import atomic_path
from tfanime.core.images import check_pictures

ENDING = ".mp4"
ENDINGS = (".gif", ".png", ".webp", ENDING)
QUALITY = 17  # x264's crf: no loss that shows


def save_animation(path: str | os.PathLike, frames: np.ndarray, milliseconds: int = 50) -> None:
    """Writes an endless animation.

    Args:
        path: ends in `.gif`, `.png` (animated PNG, lossless), `.webp` or, with ffmpeg, `.mp4`,
            which does not begin again by itself.
        frames: `(n, H, W, 3)` uint8.
        milliseconds: how long each frame stays.
    """
    frames = check_pictures(frames)
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise ValueError(
            f"An animation's name ends in {', '.join(ENDINGS)}. Received: {str(path)!r}."
        )
    if ending == ENDING:
        save_video(path, frames, milliseconds)
        return
    options = {".webp": {"quality": 90, "method": 4}}.get(ending, {})
    first, *others = [Image.fromarray(frame) for frame in frames]
    with atomic_path(path) as temporary:
        first.save(
            temporary,
            save_all=True,
            append_images=others,
            duration=milliseconds,
            loop=0,
            **options,
        )


def ffmpeg() -> str:
    """The path of ffmpeg.

    Raises:
        ImportError: when there is none.
    """
    program = shutil.which("ffmpeg")
    if program:
        return program
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        return get_ffmpeg_exe()
    except (ImportError, RuntimeError) as error:
        raise ImportError(
            f"An animation in {ENDING} needs ffmpeg ({error}). Install it, or from a checkout: "
            "pip install '.[video]'. A .gif, .webp or .png needs nothing."
        ) from error


def save_video(path: str | os.PathLike, frames: np.ndarray, milliseconds: int = 50) -> None:
    """Writes an MP4 (H.264) that plays everywhere.

    Args:
        path: the file.
        frames: `(n, H, W, 3)` uint8. An odd side gets its last row or column twice, for H.264 has
            even sides only.
        milliseconds: how long each frame stays.

    Raises:
        ImportError: without ffmpeg.
        RuntimeError: when ffmpeg fails; the message is its own.
    """
    program, frames = ffmpeg(), check_pictures(frames)
    height, width = (side + side % 2 for side in frames.shape[1:3])
    command = [program, "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{width}x{height}", "-r", f"1000/{milliseconds}", "-i", "-"]
    command += ["-c:v", "libx264", "-crf", str(QUALITY), "-pix_fmt", "yuv420p"]
    command += ["-movflags", "+faststart"]
    with atomic_path(path) as temporary, tempfile.TemporaryFile() as log:
        running = subprocess.Popen([*command, str(temporary)], stdin=subprocess.PIPE, stderr=log)
        try:
            for frame in frames:
                odd = ((0, height - frame.shape[0]), (0, width - frame.shape[1]), (0, 0))
                running.stdin.write(np.pad(frame, odd, "edge").tobytes())
            running.stdin.close()
        except BrokenPipeError:
            pass  # it ended early, and says why
        except BaseException:
            running.kill()
            raise
        finally:
            code = running.wait()
        if code:
            log.seek(0)
            lines = log.read().decode("utf-8", "replace").strip().splitlines() or ["no reason"]
            raise RuntimeError(f"ffmpeg could not write {os.fspath(path)!r}: {lines[-1]}.")
