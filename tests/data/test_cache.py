import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from filelock import FileLock

from mlp.data import Dataset
from mlp.data.cache import cached

X = np.arange(12, dtype=np.uint8).reshape(6, 2)
Y = np.array([0, 1, 2, 0, 1, 2])


def make_dataset(**changes):
    fields = {
        "name": "mine",
        "x_train": X,
        "y_train": Y,
        "x_test": X[:2],
        "y_test": Y[:2],
        "classes": ("a", "b", "c"),
        "x_max": 11.0,
        "image_shape": (1, 2),
    }
    return Dataset(**fields | changes)


@pytest.fixture
def source(tmp_path):
    """A file to decode, and a decoder that counts its calls."""

    class CountingSource:
        file = tmp_path / "source"
        options = ""
        n_decoded = 0

        def load(self, **changes):
            def decode():
                self.n_decoded += 1
                return make_dataset(**changes)

            return cached("mine", [self.file], self.options, decode)

    CountingSource.file.write_text("version 1")
    return CountingSource()


def entries(data_dir):
    return [path for path in (data_dir / "cache").iterdir() if path.is_dir()]


def test_a_second_load_maps_what_the_first_one_decoded(source, data_dir):
    """The same data come back as read-only memory maps, and nothing but the entry is left."""
    for _ in range(2):
        data = source.load()
        assert data.digest == make_dataset().digest
        assert (data.classes, data.x_max, data.image_shape) == (("a", "b", "c"), 11.0, (1, 2))
        for name, array in make_dataset().arrays.items():
            np.testing.assert_array_equal(getattr(data, name), array)
            assert not getattr(data, name).flags.writeable
    assert source.n_decoded == 1
    [entry] = entries(data_dir)
    assert entry.name.startswith("mine-")


def test_a_data_set_without_a_test_set_or_images_comes_back_so(source):
    nothing = dict.fromkeys(("x_test", "y_test", "x_max", "image_shape"))
    for _ in range(2):
        data = source.load(**nothing)
        assert all(getattr(data, name) is None for name in nothing)
    assert source.n_decoded == 1


def test_another_size_or_time_of_the_file_is_decoded_again(source):
    source.load()
    source.file.write_text("version two")
    source.load()
    os.utime(source.file, ns=(0, 0))
    source.load()
    assert source.n_decoded == 3


def test_a_change_is_seen_whose_modification_time_was_set_back(source):
    """As cp -p and rsync -t may do."""
    before = source.file.stat()
    source.load()
    source.file.write_text("version 2")
    os.utime(source.file, ns=(before.st_atime_ns, before.st_mtime_ns))
    source.load()
    assert source.n_decoded == 2


def test_other_options_are_decoded_again(source):
    source.load()
    source.options = "{'column': 2}"
    source.load()
    assert source.n_decoded == 2


def damage_truncate(entry):
    path = entry / "x_train.npy"
    path.write_bytes(path.read_bytes()[:-1])


def damage_flip(entry):
    path = entry / "x_train.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def damage_declare_much(entry):
    with (entry / "x_train.npy").open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (999_999_999_999, 99)}
        np.lib.format.write_array_header_1_0(file, header)


def damage_objects(entry):
    np.save(entry / "x_train.npy", X.astype(object), allow_pickle=True)


def damage_dtype(entry):
    np.save(entry / "x_train.npy", X.view(np.int8))


def damage_classes(entry):
    meta = entry / "meta.json"
    meta.write_text(meta.read_text().replace('"c"', '"d"'))


@pytest.mark.parametrize(
    "damage",
    [
        damage_truncate,
        damage_flip,
        damage_declare_much,
        damage_objects,
        damage_dtype,
        damage_classes,
        lambda entry: (entry / "y_train.npy").write_bytes(b""),
        lambda entry: (entry / "x_test.npy").unlink(),
        lambda entry: (entry / "meta.json").write_text("{"),
        lambda entry: (entry / "meta.json").write_text("[]"),
        lambda entry: (entry / "meta.json").unlink(),
        lambda entry: (shutil.rmtree(entry), entry.write_text("a file in its place")),
    ],
)
def test_a_broken_entry_is_made_anew(source, data_dir, damage):
    source.load()
    [entry] = entries(data_dir)
    damage(entry)
    np.testing.assert_array_equal(source.load().x_train, X)
    source.load()
    assert source.n_decoded == 2


def test_where_nothing_can_be_written_data_are_decoded_into_memory(source, data_dir):
    data_dir.mkdir(parents=True)
    (data_dir / "cache").write_text("a file where the folder should be")
    for n in (1, 2):
        np.testing.assert_array_equal(source.load().x_train, X)
        assert source.n_decoded == n


def test_a_failing_decoder_leaves_no_entry(data_dir, source):
    def decode():
        raise OSError("the source is damaged")

    with pytest.raises(OSError, match="the source is damaged"):
        cached("mine", [source.file], "", decode)
    assert entries(data_dir) == []


@pytest.mark.e2e
def test_processes_that_meet_on_an_empty_cache_decode_once(data_dir, tmp_path):
    script = tmp_path / "decode.py"
    script.write_text("""if True:
        import sys, time
        from pathlib import Path
        from mlp.base import paths
        from mlp.data import Mnist5k
        paths.project_root = lambda: Path(sys.argv[1]).parent
        class Counting(Mnist5k):
            def decode(self, files):
                print("decoded")
                return super().decode(files)
        print(Counting().load().digest)
    """)
    command = [sys.executable, str(script), str(data_dir)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    lines = [line for process in processes for line in process.communicate()[0].split()]
    assert all(process.returncode == 0 for process in processes)
    assert lines.count("decoded") == 1
    assert len(set(lines)) == 2
    assert len(lines) == 5


def test_a_process_that_hangs_over_an_entry_is_not_waited_for_for_ever(
    source, data_dir, monkeypatch
):
    """The data set is decoded a second time: better twice than never."""
    monkeypatch.setattr("mlp.data.cache.PATIENCE", 0.2)
    source.load()
    [entry] = entries(data_dir)
    shutil.rmtree(entry)
    with FileLock(f"{entry}.lock"):
        assert source.load().digest == make_dataset().digest
    assert source.n_decoded == 2
