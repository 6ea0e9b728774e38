#!/usr/bin/env python
"""A page that draws with a model, by Gradio: on this machine, or as a Space of the hub.

python scripts/serving/app.py faces-64
python scripts/serving/app.py hf://me/girls --port 7860

docs/hub.md says how Gradio is installed.
"""

from __future__ import annotations

import argparse
import sys

import tfanime
from tfanime import zoo

MOST = 64  # images a click
ANY, YES, NO = "any", "yes", "no"


def page(model: str):
    """The page of a generator: a `gradio.Interface`, not yet served.

    Args:
        model: what `tfanime.load` takes.

    Raises:
        ValueError: for what is no generator.
    """
    import gradio

    generator = tfanime.load_generator(model)
    fields = [] if generator.schema is None else generator.schema.fields
    fields = [field for field in fields if field.kind in ("group", "flag")]

    def draw(n, seed, truncation, *chosen):
        words = zip(fields, chosen, strict=True)
        tags = {field.name: word for field, word in words if word != ANY}
        try:
            if not 1 <= n <= MOST:
                raise ValueError(f"The number of pictures is 1 to {MOST}. Received: {n}.")
            made = tfanime.generate(generator, int(n), int(seed), tags, float(truncation))
        except ValueError as error:
            raise gradio.Error(str(error)) from None
        return list(made.images)

    inputs = [
        gradio.Slider(1, MOST, value=16, step=1, label="pictures"),
        gradio.Number(value=7, precision=0, minimum=0, label="seed"),
        gradio.Slider(0, 2, value=1, label="truncation"),
    ]
    for field in fields:
        words = field.values if field.kind == "group" else (YES, NO)
        label = field.name.replace("_", " ")
        inputs.append(gradio.Dropdown([ANY, *words], value=ANY, label=label))
    gallery = gradio.Gallery(columns=8, format="png", label="pictures")
    return gradio.Interface(draw, inputs, gallery, title=generator.name, api_name="draw")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "model", nargs="?", default=zoo.DEFAULT, help="run, name or hf://OWNER/NAME"
    )
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 lets others in")
    parser.add_argument("--port", type=int, default=7860)
    options = parser.parse_args()
    try:
        made = page(options.model)
    except (ValueError, OSError, RuntimeError, ImportError) as error:
        sys.exit(f"Error: {error}")
    made.launch(server_name=options.host, server_port=options.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
