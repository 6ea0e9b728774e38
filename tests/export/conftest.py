import pytest
from click.testing import CliRunner

from tfanime import cli


@pytest.fixture
def invoke():
    """Runs `tfanime` with arguments, on lines that break no sentence."""

    def run(*words):
        return CliRunner().invoke(cli.main, [str(word) for word in words], terminal_width=200)

    return run
