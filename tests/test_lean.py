"""Commands that draw leave out what Keras imports for others, and do not tidy up at the end."""

import gc
import importlib
import subprocess
import sys
import typing

import pytest

from tfanime import __main__, cli
from tfanime.core import lean, linking, quiet


def ended(program: str) -> subprocess.CompletedProcess:
    """A Python program, run in a process of its own."""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """Modules of the names that are left out, none of them loaded."""
    for name in lean.OPTIONAL:
        (tmp_path / f"{name}.py").write_text("")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    importlib.invalidate_caches()


def test_inside_none_of_them_can_be_imported_and_afterwards_all(planted):
    with lean.hidden():
        for name in lean.OPTIONAL:
            with pytest.raises(ModuleNotFoundError):
                importlib.import_module(name)
    for name in lean.OPTIONAL:
        importlib.import_module(name)
        sys.modules.pop(name)


def test_what_is_loaded_stays_and_the_backend_is_never_hidden(planted, monkeypatch):
    pandas = importlib.import_module("pandas")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with lean.hidden():
        assert sys.modules["pandas"] is pandas
        for name in ("jax", "scipy"):  # which JAX imports
            assert importlib.import_module(name)
    assert sys.modules.pop("pandas") is pandas
    for name in ("jax", "scipy"):
        sys.modules.pop(name)


def test_what_is_put_off_is_executed_when_something_of_it_is_asked_for(tmp_path, monkeypatch):
    names = ("put_off_early", "put_off_inside", "put_off_late", "put_off_not")
    for name in names:
        (tmp_path / f"{name}.py").write_text("executed.append(__name__)\nvalue = []")
    executed = []
    monkeypatch.setattr("builtins.executed", executed, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(lean, "LATER", names[:3])
    early = importlib.import_module("put_off_early")
    with lean.put_off():
        assert importlib.import_module("put_off_early") is early
        late = importlib.import_module("put_off_late")
        importlib.import_module("put_off_not")
        from put_off_inside import value

        assert executed == ["put_off_early", "put_off_not", "put_off_inside"]
    assert late.value == value and executed[3:] == ["put_off_late"]
    assert importlib.import_module("put_off_late") is late and len(executed) == 4
    with pytest.raises(AttributeError, match="put_off_late"):
        print(late.other)
    for name in names:
        del sys.modules[name]


def test_what_is_in_a_module_is_put_off_with_it_and_what_begins_alike_is_not():
    assert lean.within("a.b", ("a.b",)) and lean.within("a.b.c", ("x", "a.b"))
    assert not lean.within("a.bc", ("a.b",)) and not lean.within("a", ("a.b",))


@pytest.mark.slow
def test_tensorflow_has_all_of_its_interfaces_after_a_lean_import():
    program = (
        "import sys\n"
        "from tfanime.core import lean\n"
        "lean.install()\n"
        "import keras, tensorflow as tf\n"
        "print('tensorflow.python.keras' in sys.modules, tf.lite.Interpreter.__name__)\n"
        "print(tf.lite.Optimize.__name__, tf.compat.v1.Session.__name__)\n"
        "print(tf.compat.v1.ConfigProto(), tf.feature_column.numeric_column('a').name)\n"
        "print(tf.tpu.experimental.initialize_tpu_system.__name__)\n"
        "print(tf.compat.v2.constant(1).shape, tf.distribute.MirroredStrategy.__name__)\n"
        "print(tf.nn.conv2d.__name__, tf.nn.RNNCellDropoutWrapper.__name__)\n"
        "print(hasattr(tf.nn, 'RNNCellWrapper'), hasattr(tf.nn, 'other'))\n"
        "parts = [name for name in sys.modules if name.startswith('tensorflow._api.v2.')]\n"
        "empty = [name for name in parts if not set(dir(sys.modules[name])) - set(dir(sys))]\n"
        "print(len(parts) > 50, empty)\n"
        "print(len(vars(tf.math)) > 100)\n"
    )
    done = ended(program)
    assert done.stdout.split() == (
        ["False", "Interpreter", "Optimize", "Session", "a", "initialize_tpu_system", "()"]
        + [
            "MirroredStrategy",
            "conv2d_v2",
            "DropoutWrapper",
            *("False", "False", "True", "[]", "True"),
        ]
    ), done.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="libraries have other names there")
def test_libraries_of_tensorflow_are_loaded_before_it_is_and_nothing_is_printed():
    program = (
        "import sys\n"
        "import tfanime\n"
        "from tfanime.core import linking\n"
        "linking.open_libraries().join()\n"
        "with open('/proc/self/maps') as maps: loaded = maps.read()\n"
        "print([name in loaded for name in linking.LIBRARIES], 'tensorflow' in sys.modules)\n"
    )
    done = ended(program)
    assert done.stdout.splitlines() == ["[True, True] False"], done.stderr
    assert not done.stderr


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_libraries_are_not_loaded_where_another_backend_draws(monkeypatch, backend):
    opened = []
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(linking, "open_libraries", lambda: opened.append(backend))
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    lean.install()
    assert opened == (["tensorflow"] if backend == "tensorflow" else [])


def test_libraries_that_are_not_where_they_are_known_to_be_are_left_to_tensorflow(monkeypatch):
    with monkeypatch.context() as another:
        another.setattr(linking, "LIBRARIES", ("libtensorflow_of_another_day.so",))
        assert linking.open_libraries() is None
    with monkeypatch.context() as another:
        another.setattr(linking, "SILENT", (99, 0))
        assert linking.open_libraries() is None
    monkeypatch.setattr(linking, "find_spec", lambda name: None)
    assert linking.open_libraries() is None


@pytest.mark.slow
def test_what_draws_knows_our_layers_and_does_not_import_what_trains():
    program = (
        "import sys\n"
        "from tfanime.core import lean\n"
        "lean.install()\n"
        "import keras\n"
        "print(keras.saving.get_registered_object('tfanime>PixelShuffle').__name__)\n"
        "print('tfanime.gans' in sys.modules)\n"
        "import tfanime.gans\n"
        "print(keras.saving.get_registered_object('tfanime>GAN').__name__)\n"
    )
    done = ended(program)
    assert done.stdout.split() == ["PixelShuffle", "False", "GAN"], done.stderr


def test_finders_of_ours_look_behind_themselves_only(monkeypatch):
    """Each asks the rest for the module that it wraps."""
    first, second = lean._LeanImport(), quiet._QuietImport()
    monkeypatch.setattr(sys, "meta_path", [first, second, *sys.meta_path])
    assert first.find_spec("keras").name == "keras"
    assert second.find_spec("tensorflow").name == "tensorflow"


def test_nothing_is_searched_for_garbage_while_keras_is_imported_nor_is_keras_later():
    try:
        with lean._LeanImport().around():
            assert not gc.isenabled()
            module = [[]]
        assert gc.isenabled() and gc.get_freeze_count() > 0
        assert not any(one is module for one in gc.get_objects())
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("installed", [True, False])
def test_a_process_ends_with_its_status_and_what_is_to_be_done_at_its_end(installed):
    """What it holds is taken apart only where Keras was not imported lean."""
    program = (
        "import atexit\n"
        "from tfanime.core import lean\n"
        "class Held:\n"
        "    def __del__(self): print('taken apart')\n"
        "held = Held()\n"
        "atexit.register(print, 'at exit')\n"
        f"if {installed}: lean.install()\n"
        "print('said')\n"
        "lean.leave(SystemExit(3))\n"
    )
    done = ended(program)
    assert done.returncode == 3 and not done.stderr
    assert done.stdout.split("\n")[:2] == ["said", "at exit"]
    assert ("taken apart" in done.stdout) != installed


def test_a_command_that_draws_fails_with_its_sentence_and_status(tmp_path):
    command = (sys.executable, "-m", "tfanime", "generate", "--name", " ", "--grid", "x.png")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "A name is text of one sign or more." in done.stderr


@pytest.mark.slow
def test_a_command_that_draws_loads_none_of_them(tmp_path):
    program = (
        "import atexit, sys; from tfanime import __main__; "
        f"say = lambda: print([name for name in {lean.OPTIONAL!r} if name in sys.modules]); "
        "atexit.register(say); __main__.main()"
    )
    words = ("generate", "--n", "1", "--no-upscale", "--out", str(tmp_path / "one"))
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "words, prepared",
    [
        (["generate", "--n", "1"], True),
        (["--debug", "upscale", "a.png"], True),
        (["--load", "mine.py", "generate"], False),  # it may need what is left out
        (["mix", "--help"], False),
        (["generate", "-h"], False),
        (["train", "generate"], False),
        (["--help"], False),
        ([], False),
    ],
)
def test_only_commands_that_draw_prepare_the_import_of_keras(words, prepared, monkeypatch):
    said = []
    monkeypatch.setattr(sys, "argv", ["tfanime", *words])
    monkeypatch.setattr(lean, "install", lambda: said.append("prepared"))
    monkeypatch.setattr(cli, "main", lambda **_: said.append("run"))
    __main__.main()
    assert said == ["prepared", "run"][not prepared :]


def test_what_fails_while_libraries_are_loaded_is_left_to_tensorflow(monkeypatch):
    def full():
        raise OSError("No space left on device")

    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(linking, "open_libraries", full)
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    lean.install()
    assert lean.installed()


def test_interrupted_before_it_begins(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["tfanime", "generate", "--n", "1"])
    monkeypatch.setattr(lean, "install", interrupted)
    with pytest.raises(SystemExit) as end:
        __main__.main()
    assert end.value.code == 130 and capsys.readouterr().err == "Interrupted.\n"


def test_a_process_without_standard_error_ends_with_its_status():
    program = (
        "import sys\n"
        "from tfanime.core import lean\n"
        "lean.install()\n"
        "sys.stderr = None\n"
        "lean.leave(SystemExit(0))\n"
    )
    assert ended(program).returncode == 0


def test_a_model_that_ships_is_read_after_a_recipe_was_looked_at():
    """`tfanime.models` is loaded then, and Keras is not."""
    program = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({lean.OPTIONAL}))\n"  # for a quicker start
        "from tfanime import recipes\n"
        "recipes.get('modern')\n"
        "assert 'tfanime.models' in sys.modules and 'keras' not in sys.modules\n"
        "from tfanime.zoo.saved import load_generator\n"
        "print(load_generator('faces-64').height)\n"
    )
    done = ended(program)
    assert done.stdout.split() == ["64"], done.stderr


def test_verbs_that_draw_are_verbs():
    assert set(__main__.DRAWING) <= set(cli.main.commands)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python no longer compiles these names")
def test_types_of_one_name_are_one_object_while_tensorflow_is_imported():
    def constraint(name):
        return typing.TypeVar("T", name, int).__constraints__[0]

    with lean.one_reference_each():
        one, same, other = map(constraint, ("Name", "Name", "Another"))
        assert one is same and one == typing.ForwardRef("Name")
        assert other == typing.ForwardRef("Another")
    assert constraint("Name") is not constraint("Name")
