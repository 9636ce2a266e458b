import gzip
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from mlp.base import DataError
from mlp.data import FashionMnist, Mnist, mnist

DEAD = "http://127.0.0.1:9/mnist/"  # the discard port: nothing answers there


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def mirror(idx_files):
    """A mirror on this machine; ``contents`` is what it offers, ``requests`` what was asked."""

    class Handler(BaseHTTPRequestHandler):
        contents: ClassVar[dict[str, bytes]] = dict(idx_files)
        requests: ClassVar[list[str]] = []

        def do_GET(self):
            name = self.path.removeprefix("/mnist/")
            self.requests.append(name)
            self.send_response(200 if name in self.contents else 404)
            self.end_headers()
            self.wfile.write(self.contents.get(name, b"no such file"))

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    Handler.url = f"http://127.0.0.1:{server.server_port}/mnist/"
    yield Handler
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def published(idx_files, monkeypatch):
    """Publish the small files' digests in the place of the real ones."""
    for name, content in idx_files.items():
        plain = name.removesuffix(".gz")
        sha256 = hashlib.sha256(gzip.decompress(content)).hexdigest()
        monkeypatch.setitem(mnist.MNIST_SHA256, plain, sha256)
        monkeypatch.setitem(mnist.FASHION_MD5, plain, hashlib.md5(content).hexdigest())


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_absent_files_come_from_the_first_mirror_that_answers(
    mirror, monkeypatch, tmp_path, idx_files, caplog, capfd
):
    """Once, without a word, and nothing but the four files is left."""
    monkeypatch.setattr(mnist, "MNIST_MIRRORS", (DEAD, mirror.url))
    folder = tmp_path / "new" / "folder"
    data = Mnist(dir=str(folder)).load()
    assert len(data.x_train) == 30
    assert names_in(folder) == sorted(idx_files)
    Mnist(dir=str(folder)).load()
    assert len(mirror.requests) == 4
    assert not caplog.records
    assert capfd.readouterr() == ("", "")


def test_without_dir_the_files_go_to_the_projects_data_folder(mirror, monkeypatch, data_dir):
    monkeypatch.setattr(mnist, "FASHION_MIRRORS", (mirror.url,))
    FashionMnist().load()
    assert len(names_in(data_dir / "fashion_mnist")) == 4


def test_only_what_is_absent_is_downloaded(mirror, monkeypatch, tmp_path, idx_files):
    monkeypatch.setattr(mnist, "FASHION_MIRRORS", (mirror.url,))
    absent, *there = sorted(idx_files)
    for name in there:
        (tmp_path / name).write_bytes(idx_files[name])
    FashionMnist(dir=str(tmp_path)).load()
    assert mirror.requests == [absent]


@pytest.mark.parametrize(
    "wrong",
    [b"", b"<html>try again later</html>", "truncated", "other"],
    ids=["empty", "html", "truncated", "other labels"],
)
def test_a_wrong_file_is_refused_and_not_kept(mirror, monkeypatch, tmp_path, idx_files, wrong):
    name = "train-labels-idx1-ubyte.gz"
    right = idx_files[name]
    other = gzip.compress(gzip.decompress(right)[:-1] + b"\x05")
    mirror.contents[name] = {"truncated": right[:-8], "other": other}.get(wrong, wrong)
    monkeypatch.setattr(mnist, "MNIST_MIRRORS", (mirror.url, DEAD))
    with pytest.raises(DataError, match=rf"{mirror.url} sent a damaged or wrong file"):
        Mnist(dir=str(tmp_path / "files")).load()
    assert names_in(tmp_path / "files") == ["train-images-idx3-ubyte.gz"]


@pytest.mark.parametrize("source", [Mnist, FashionMnist])
def test_after_a_wrong_file_the_next_mirror_is_asked(mirror, monkeypatch, tmp_path, source):
    """What is kept is its file, not the one before; one sent unpacked is checked all the same."""
    name = "t10k-labels-idx1-ubyte.gz"
    right = mirror.contents[name]
    mirror.contents["wrong/" + name] = gzip.decompress(right)[:-1] + b"\x05"
    for constant in ("MNIST_MIRRORS", "FASHION_MIRRORS"):
        monkeypatch.setattr(mnist, constant, (mirror.url + "wrong/", mirror.url))
    assert len(source(dir=str(tmp_path)).load().x_test) == 20
    assert (tmp_path / name).read_bytes() == right


@pytest.mark.parametrize("source", [Mnist, FashionMnist])
def test_when_all_mirrors_fail_one_sentence_says_what_to_do(mirror, monkeypatch, tmp_path, source):
    """It names both mirrors, the folder to fill by hand, and the data that need no download."""
    mirror.contents.clear()
    folder = tmp_path / "files"
    for constant in ("MNIST_MIRRORS", "FASHION_MIRRORS"):
        monkeypatch.setattr(mnist, constant, (DEAD, mirror.url))
    with pytest.raises(DataError) as caught:
        source(dir=str(folder)).load()
    message = str(caught.value)
    for part in (DEAD, mirror.url, str(folder), "by hand", "data=mnist_5k"):
        assert part in message
    assert "\n" not in message
    assert not folder.exists()


def test_a_folder_that_cannot_be_made_is_named(mirror, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(mnist, "MNIST_MIRRORS", (mirror.url,))
    with pytest.raises(DataError, match=r"data\.dir: .*file/mnist cannot be written"):
        Mnist(dir=str(tmp_path / "file" / "mnist")).load()
