# The command tfanime as an image; docs/machines.md says how it is run.
#
#   docker build -t tfanime .
#   docker build -t tfanime:gpu --build-arg TENSORFLOW='tensorflow[and-cuda]' .
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS wheel
WORKDIR /src
COPY CHANGELOG.md LICENSE MANIFEST.in README.md pyproject.toml setup.py ./
COPY saved_models saved_models
COPY web_export web_export
COPY tfanime tfanime
# Node, which builds the site that is part of the wheel, comes from PyPI for this stage alone.
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:${PYTHON}-slim
# Extras of setup.py, joined by commas. The site is in the wheel, without the extra web.
ARG EXTRAS=video,hub
ARG TENSORFLOW=tensorflow
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --no-cache-dir "$(echo /wheels/tfanime-*.whl)[${EXTRAS}]" "${TENSORFLOW}"
RUN useradd --uid 1000 --no-create-home --home-dir /data tfanime \
    && install --directory --owner tfanime /data
USER tfanime
WORKDIR /data
# Writable for whoever `docker run -u` names, too.
ENV TFANIME_CACHE=/data/.cache MPLCONFIGDIR=/tmp/matplotlib
ENTRYPOINT ["tfanime"]
CMD ["--help"]
