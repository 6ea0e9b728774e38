"""`poster`: a phrase and a title to a poster."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from tfanime import zoo
from tfanime.core import seeds
from tfanime.core.choices import LAYOUTS, STYLES
from tfanime.core.files import atomic_path
from tfanime.core.images import parse_size
from tfanime.core.notebook import Pictures
from tfanime.posters.compose import Composed, Parts, compose
from tfanime.posters.cutout import cut_out, faults
from tfanime.posters.faces import face_for
from tfanime.posters.paper import PAPERS, check_dpi, pixels_of
from tfanime.sampling import upscale as upscaling
from tfanime.sampling.generate import check_ending, loaded
from tfanime.sampling.imagine import Imagined, imagine, imagine_attributes
from tfanime.sampling.phrases import GENRES, LOUD
from tfanime.zoo.saved import upscaler_of

ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
SIZE = (1500, 1000)  # height and width on a screen
DPI = 200  # of a print: sharp at arm's length
DRAFTS, FIGURES = 8, 16  # of which one is taken
LONGEST = {"title": 120, "tagline": 160, "credits": 600}  # characters
SMALLEST, LARGEST = 200, 12_000  # pixels of a side


@dataclass(frozen=True, eq=False, repr=False)
class Poster(Pictures):
    """A poster. In a notebook it shows itself.

    Args:
        image: `(H, W, 3)` uint8.
        read: how the phrase was read, with all drafts.
        pick: which draft is its ground.
        figure: how the figure's words were read, or None.
        layout: where the title is.
        boxes: of `title`, `tagline` and `credits`: left, top, right, bottom, in pixels.
        dpi: dots per inch of a print, or None.
    """

    image: np.ndarray
    read: Imagined
    pick: int
    figure: Imagined | None
    layout: str
    boxes: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)
    dpi: int | None = None

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        return f"<Poster: {width}x{height}, title at the {self.layout}, draft {self.pick}>"

    def _few(self) -> np.ndarray:
        return self.image[None]

    def explanation(self) -> str:
        """How the words were read, in a few lines."""
        lines = [self.read.explanation()]
        if self.figure is not None:
            lines += [f"figure, {line}" for line in self.figure.explanation().splitlines()]
        count = len(self.read.images)
        lines.append(f"draft {self.pick} of 0 to {count - 1}; layout: {self.layout}")
        return "\n".join(lines)

    def save(self, path: str | os.PathLike) -> None:
        """Writes it (.png, .jpg, .webp), a print with its dots per inch (not in .webp)."""
        check_ending(path, ENDINGS, "A poster's file")
        ending = Path(path).suffix.lower()
        options: dict = {".png": {}, ".webp": {"quality": 92}}.get(ending, {"quality": 95})
        if self.dpi is not None and ending != ".webp":
            options["dpi"] = (self.dpi, self.dpi)
        with atomic_path(path) as temporary:
            Image.fromarray(self.image).save(temporary, **options)


def poster(
    phrase: str,
    title: str,
    *,
    tagline: str = "",
    credits: str = "",
    figure: str | None = None,
    run: str | os.PathLike = zoo.POSTERS,
    figure_run: str | os.PathLike = zoo.DEFAULT,
    seed: int = 0,
    pick: int | None = None,
    drafts: int = DRAFTS,
    tags: Mapping[str, object] | None = None,
    layout: str = "auto",
    style: str | None = None,
    font: str | os.PathLike | None = None,
    size: int | str | tuple[int, int] = SIZE,
    print: str | None = None,  # noqa: A002 - the word for it
    dpi: int | None = None,
    trust_encoder: bool = False,
    out: str | os.PathLike | None = None,
    progress: bool = False,
) -> Poster:
    """Makes a poster of a phrase: a draft as its ground, type over it, a figure if one is asked.

    The same arguments give the same pixels. Everything comes with tfanime; nothing is fetched.

    Args:
        phrase: what the poster is about, as for `tfanime.imagine`. A colour in it becomes the
            accent; a moon, sun or planet is shown, but not with the style `paint`.
        title: at most 120 characters; Japanese is set vertically.
        tagline: a line at the title, at most 160 characters.
        credits: at most 600 characters. Words in small letters are set in small capitals:
            "directed by Mio Arai   music Ren Sato".
        figure: words for a face, such as "blue hair", or None for a poster without one.
        run: what draws drafts; a folder or the name of a model that ships.
        figure_run: what draws figures: a model of faces on white, with attributes.
        seed: of drafts, figures and grain.
        pick: the draft that is used, from 0; None: the one that is most like its mirror image.
        drafts: how many are drawn.
        tags: labels of `run` to hold fixed.
        layout: where the title is: `auto` (at the bottom with `paint`, else where the image is
            calm), `top`, `bottom`, `centre` or `vertical`.
        style: `paint` (the draft as its upscaler shows it), `print` (a screen print with dots) or
            `mist` (soft light and grain). None: `paint` without a figure, where the run names an
            upscaler, else by genre.
        font: of the title: `bold`, `classic`, `credits`, `kana` or a font file; None: by genre.
        size: `"1000x1500"`, or (height, width).
        print: a size of paper, `a3`, `a2` or `b2`, instead of `size`.
        dpi: dots per inch of a print, 72 to 600. Default: 200.
        trust_encoder: as for `tfanime.imagine`.
        out: a file to write (.png, .jpg or .webp).
        progress: show progress bars.

    Raises:
        ValueError: for a word that says nothing, a title that is empty or too long, a character
            that the font lacks, or a size, layout, style or draft that there is not.

    Example:
        >>> made = poster("a lonely swordsman under a red moon",  # doctest: +SKIP
        ...               "The Last Swordsman", figure="black hair", out="poster.png")
    """
    texts = {"title": title, "tagline": tagline, "credits": credits}
    _check(texts, layout, style, pick, drafts)
    height, width = _pixels(size, print, dpi)
    check_ending(out, ENDINGS, "out, a poster,")
    seed = seeds.check_seed(seed)
    face_for(title, font, "bold")  # before anything is drawn
    for name in ("tagline", "credits"):
        face_for(texts[name], None, "credits")
    read = imagine(
        phrase, run, drafts, seed, dict(tags or {}), trust_encoder=trust_encoder, progress=progress,
        upscale="none",
    )  # fmt: skip
    index = _most_symmetrical(read.images) if pick is None else pick
    draft = read.images[index]
    face, usual = _manner(read, draft)
    shown = None
    if style == "paint" or (style is None and figure is None):
        shown = _shown(draft, run)
        usual = usual if shown is None else "paint"
    person, cut = (None, None) if figure is None else draw_figure(figure, figure_run, seed)
    parts = Parts(
        draft=draft, title=" ".join(title.split()), tagline=" ".join(tagline.split()),
        credits=credits, figure=cut, phrase=phrase, style=style or usual, layout=layout,
        face=font if font in ("bold", "classic") else face,
        font=None if font in ("bold", "classic") else font, seed=seed,
        shown=shown,
    )  # fmt: skip
    composition: Composed = compose(parts, height, width)
    result = Poster(
        np.asarray(composition.image), read, index, person, composition.layout, composition.boxes,
        (dpi or DPI) if print is not None else None,
    )  # fmt: skip
    if out is not None:
        result.save(out)
    return result


def draw_figure(words: str, run: str | os.PathLike, seed: int) -> tuple[Imagined, np.ndarray]:
    """A face as words describe it, cut out: of several the one that its image cuts off least.

    Returns:
        How the words were read, and `(h, h, 4)` uint8.

    Raises:
        ValueError: for a run without attributes, or words that name none of them.
    """
    generator = loaded(run)
    if generator.schema is None or generator.schema.vector_size:
        raise ValueError(
            f"A figure is drawn by a run with attributes, such as {zoo.DEFAULT}. "
            f"Received: {generator.name!r}, which has none."
        )
    person = imagine_attributes(
        words, generator, generator.schema, {}, FIGURES, seed, upscale="none"
    )
    marks = [faults(cut_out(image)) for image in person.images]
    image = person.images[int(np.argmin(marks))]
    upscaler = upscaling.chosen(generator, None)
    if upscaler is not None:
        image = upscaling.enlarge(upscaler, image)
    return person, cut_out(image)


def _shown(draft: np.ndarray, run: str | os.PathLike) -> np.ndarray | None:
    """A draft through the upscaler that its run names; None where it names none."""
    name = upscaler_of(zoo.locate(run))
    if name is None:
        return None
    try:
        return upscaling.enlarge(upscaling.loaded(zoo.path(name)), draft)
    except ValueError as error:
        raise ValueError(
            f"A poster shows its draft through the upscaler {name!r} of its run, which cannot be "
            f"used ({str(error).rstrip('.')}). Choose style='print' or 'mist' (--style)."
        ) from error


# ---- choices -------------------------------------------------------------------------------------


def _most_symmetrical(drafts: np.ndarray) -> int:
    """The draft that is most like its mirror image once its noise is blurred away, as a figure is
    that looks ahead: by the correlation of the two."""
    greys = [np.asarray(Image.fromarray(d).convert("L").reduce(4), np.float64) for d in drafts]
    varied = [grey - grey.mean() for grey in greys]
    alike = [(x * x[:, ::-1]).sum() / max((x * x).sum(), 1e-9) for x in varied]
    return int(np.argmax(np.round(alike, 6)))


def _manner(read: Imagined, draft: np.ndarray) -> tuple[str, str]:
    """Face and style: by genre, or of a run without genres by how dark the draft is."""
    genres = [name for name, value in read.chosen.items() if value is True and name in GENRES]
    if read.genres is not None and read.genres.chosen:
        genres = [read.genres.chosen[0]]
    if genres:
        return ("bold", "print") if set(genres) & set(LOUD) else ("classic", "mist")
    return ("bold", "print") if draft.mean() < 110 else ("classic", "mist")


# ---- checks --------------------------------------------------------------------------------------


def _check(
    texts: Mapping[str, str], layout: str, style: str | None, pick: int | None, drafts: int
) -> None:
    for name, text in texts.items():
        if not isinstance(text, str) or len(text) > LONGEST[name]:
            length = repr(text) if not isinstance(text, str) else f"{len(text)}"
            raise ValueError(
                f"A poster's {name} is a text of at most {LONGEST[name]} characters. "
                f"Received: {length}."
            )
    if not texts["title"].strip():
        raise ValueError(f"A poster has a title. Received: {texts['title']!r}.")
    if layout not in LAYOUTS:
        raise ValueError(f"layout is one of {', '.join(LAYOUTS)}. Received: {layout!r}.")
    if style is not None and style not in STYLES:
        raise ValueError(f"style is one of {', '.join(STYLES)}. Received: {style!r}.")
    drafts, _ = seeds.check_pictures(drafts, 0)
    if pick is not None and not (isinstance(pick, (int, np.integer)) and 0 <= pick < drafts):
        raise ValueError(f"pick is a draft from 0 to {drafts - 1}. Received: {pick!r}.")


def _pixels(
    size: int | str | tuple[int, int], paper: str | None, dpi: int | None
) -> tuple[int, int]:
    """Height and width."""
    if paper is not None:
        return pixels_of(paper, check_dpi(DPI if dpi is None else dpi))
    if dpi is not None:
        raise ValueError(
            f"dpi is of a print: name its paper too, {', '.join(PAPERS)} (print=). Received: {dpi}."
        )
    height, width = parse_size(size)
    upright = width <= height <= min(LARGEST, 2 * width)
    if width < SMALLEST or not upright:
        raise ValueError(
            f"A poster is upright, {SMALLEST} pixels wide at least, at most twice as high as wide "
            f"and {LARGEST:,} high. Received: {width}x{height}."
        )
    return height, width
