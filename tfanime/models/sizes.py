"""What sizes networks can have: plain arithmetic, which the networks share, so that one that cannot
be is refused before Keras is imported.
"""

from __future__ import annotations

from collections.abc import Sequence

BASE = 16  # the smaller side of the map that the residual blocks of `srresnet` work on
DOUBLINGS = 16  # at most, of `srresnet`: a number from a stranger's file is not worked out
FACTORS = (2, 4)  # of upscalers
SMALLEST_REGION = 16  # pixels of an image that a discriminator looks at by themselves


def halvings(height: int, width: int, smallest: int = 4) -> int:
    """How often both sides halve evenly while the smaller stays at least `smallest`.

    Raises:
        ValueError: when the image is too small to halve at all.
    """
    times, sides = 0, (height, width)
    while not any(side % 2 for side in sides) and min(sides) // 2 >= smallest:
        sides, times = (sides[0] // 2, sides[1] // 2), times + 1
    if times < 2:
        raise ValueError(
            f"Both sides of an image must be multiples of 4 and at least {smallest * 4}. "
            f"Received: {width}x{height}. Choose a size such as 64 or 64x96."
        )
    return times


def shown_regions(
    features: object, regions: object, height: int, width: int
) -> list[tuple[int, int, int, int]]:
    """What each frozen network of a `projected` discriminator is shown, in whole pixels.

    Args:
        features: the network, or a list of them.
        regions: None, or a list with an entry a network: None for the whole image, or `(top, left,
            bottom, right)` in fractions of its sides.
        height, width: of the images.

    Returns:
        `(top, left, bottom, right)` a network.

    Raises:
        ValueError: for another number of regions, for what is no part of an image, or less than
            16 pixels high or wide.
    """
    count = len(features) if isinstance(features, (list, tuple)) else 1
    regions = [None] * count if regions is None else regions
    if not isinstance(regions, (list, tuple)) or len(regions) != count:
        raise ValueError(
            "regions is a list with an entry for each network of features, null for the whole "
            f"image. Received: {regions!r} for {count}."
        )
    return [_region_pixels(one, height, width) for one in regions]


def _region_pixels(region: object, height: int, width: int) -> tuple[int, int, int, int]:
    if region is None:
        return 0, 0, height, width
    if isinstance(region, (list, tuple)) and len(region) == 4:
        numbers = [isinstance(x, (int, float)) and not isinstance(x, bool) for x in region]
        if all(numbers) and min(region) >= 0 and max(region) <= 1:
            pairs = zip(region, (height, width, height, width), strict=True)
            top, left, bottom, right = (round(x * side) for x, side in pairs)
            if min(bottom - top, right - left) >= SMALLEST_REGION:
                return top, left, bottom, right
    raise ValueError(
        "A region is [top, left, bottom, right] in fractions of the image's sides, 0 to 1, and at "
        f"least {SMALLEST_REGION} pixels high and wide. Received: {region!r} of {width}x{height}."
    )


def extra_layers(role: str, depth: int | None, times: int) -> list[int]:
    """How many size-keeping layers each map of `dcgan` gets, from the smallest map on."""
    least = times + 1
    depth = least if depth is None else depth
    if depth < least:
        raise ValueError(
            f"A DCGAN {role} of this size has at least {least} layers. Received: depth={depth}."
        )
    more = depth - least
    return [more // times + (i < more % times) for i in range(times)]


def map_channels(
    height: int,
    width: int,
    channels: int | Sequence[int],
    fine_channels: int = 0,
    grown: int = 0,
) -> list[int]:
    """Channels of the maps of `modern`'s generator, from the smallest on, before it has grown."""
    height, width = before_growth(height, width, grown)
    if grown and not fine_channels:
        raise ValueError(
            f"grown needs fine_channels, from whose maps it goes on. Received: {grown}."
        )
    times = halvings(height, width)
    wide = channels
    if isinstance(channels, int):
        wide = [channels * min(8, 2**i) for i in range(times)][::-1]
    wide = list(wide)
    whole = all(isinstance(number, int) and number >= 1 for number in wide)
    if len(wide) != times or not whole or any(number % 4 for number in wide[:-1]):
        raise ValueError(
            f"channels of {width}x{height} pixels is a number, or {times}, one a map from the "
            "smallest on, each at least 1 and all but the last multiples of 4. "
            f"Received: {channels!r}."
        )
    if fine_channels and wide[-1] % 4:
        raise ValueError(
            "With fine_channels the last map's channels are a multiple of 4 too. "
            f"Received: fine_channels={fine_channels}, channels={wide}."
        )
    return wide


def before_growth(height: int, width: int, grown: int) -> tuple[int, int]:
    """The size that `modern` works at before it doubles it, where it has grown.

    Raises:
        ValueError: for another number, or sides of which `halvings` does not take the half.
    """
    if not isinstance(grown, int) or grown < 0 or grown % 4:
        raise ValueError(f"grown is 0 or a multiple of 4. Received: {grown!r}.")
    if grown and (height % 8 or width % 8 or min(height, width) < 32):
        raise ValueError(
            "What has grown has sides that are multiples of 8 and at least 32. "
            f"Received: {width}x{height}."
        )
    return (height // 2, width // 2) if grown else (height, width)


def upsamplings_of(height: int, width: int, upsamplings: int | None = None) -> int:
    """How often `srresnet` doubles its maps."""
    if upsamplings is None:
        upsamplings = max(1, (min(height, width) // BASE).bit_length() - 1)
    if not 0 <= upsamplings <= DOUBLINGS:
        raise ValueError(f"upsamplings is 0 to {DOUBLINGS}. Received: {upsamplings}.")
    factor = 2**upsamplings
    if height % factor or width % factor:
        raise ValueError(
            f"With {upsamplings} upsamplings both sides must be multiples of {factor}. "
            f"Received: {width}x{height}."
        )
    return upsamplings


def check_factor(height: int, width: int, factor: int) -> None:
    """Raises ValueError for a factor that an upscaler to that size cannot have."""
    if factor not in FACTORS:
        raise ValueError(f"factor is 2 or 4. Received: {factor!r}.")
    if height % factor or width % factor:
        raise ValueError(
            f"With factor {factor} both sides must be multiples of {factor}. "
            f"Received: {width}x{height}."
        )


# ---- what the registries call: a size and the options of a network -------------------------------


def halved(height: int, width: int, **options) -> None:
    halvings(height, width)


def dcgan_generator(height: int, width: int, *, depth: int | None = None, **options) -> None:
    extra_layers("generator", depth, halvings(height, width))


def dcgan_discriminator(height: int, width: int, *, depth: int | None = None, **options) -> None:
    extra_layers("discriminator", depth, halvings(height, width))


def modern(
    height: int, width: int, *, channels=64, fine_channels: int = 0, grown: int = 0, **options
) -> None:
    map_channels(height, width, channels, fine_channels, grown)


def modern_discriminator(height: int, width: int, *, grown: int = 0, **options) -> None:
    halvings(*before_growth(height, width, grown))


def srresnet(height: int, width: int, *, upsamplings: int | None = None, **options) -> None:
    upsamplings_of(height, width, upsamplings)


def srresnet_discriminator(height: int, width: int, **options) -> None:
    halvings(height, width, smallest=2)


def srgan(height: int, width: int, *, factor: int = 2, **options) -> None:
    check_factor(height, width, factor)


def compact(height: int, width: int, *, factor: int = 4, **options) -> None:
    check_factor(height, width, factor)


def projected(
    height: int, width: int, *, features="", regions=None, scales=(1,), **options
) -> None:
    shown_regions(features, regions, height, width)
    if not all(isinstance(scale, int) and scale >= 1 for scale in scales):
        raise ValueError(f"scales is a list of whole numbers of at least 1. Received: {scales!r}.")
