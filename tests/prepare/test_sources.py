import errno
import gzip
import io
import lzma
import os
import tarfile
import zipfile

import pytest
from broken_files import good_files, write_folder

from tfanime.core.disk import DiskError
from tfanime.prepare import archives
from tfanime.prepare.sources import fingerprint, natural, open_source


def tar_of(path, files, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def zip_of(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def contents(path):
    with open_source(path) as source:
        return {name: source.read(name) for name in source.names}, source.rejected


def test_natural_order():
    names = ["b1", "a10", "a2", "a02", "A1", "10", "9", "a", "a2b", "1" * 5000]
    assert sorted(names, key=natural) == (
        ["9", "10", "1" * 5000, "a", "A1", "a02", "a2", "a2b", "a10", "b1"]
    )


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz", "tar.bz2", "tar.xz", "csv"])
def test_every_kind_of_source_holds_the_same(tmp_path, kind):
    files = good_files()
    path = tmp_path / f"faces.{kind}"
    if kind == "folder":
        write_folder(path, bad=False)
    elif kind == "zip":
        zip_of(path, files)
    elif kind == "csv":
        write_folder(tmp_path / "here", bad=False)
        path.write_text("file\n" + "".join(f"here/{name}\n" for name in files), "utf-8")
        files = {f"here/{name}": data for name, data in files.items()}
    else:
        tar_of(path, files, "w:" + kind.partition(".")[2])
    found, rejected = contents(path)
    assert found == files and not rejected
    assert list(found) == sorted(files, key=natural)


def test_hostile_tar(tmp_path):
    files = {"../up.png": b"1", "/abs.png": b"2", "a/../../up.png": b"3", "C:\\x.png": b"4"}
    path = tar_of(tmp_path / "a.tar", files | {"ok.png": b"5", "./ok.png": b"6"})
    with tarfile.open(path, "a") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(f"special{kind.decode()}.png")
            info.type, info.linkname = kind, "ok.png"
            archive.addfile(info)
        info = tarfile.TarInfo("huge.png")
        info.size = 10
        archive.addfile(info, io.BytesIO(b"0123456789"))
    found, rejected = contents(path)
    assert found == {"ok.png": b"5", "huge.png": b"0123456789"}
    reasons = {one.file: one.reason for one in rejected}
    assert reasons == dict.fromkeys(files, "points outside") | {
        "./ok.png": "duplicate",
        "special1.png": "link",
        "special2.png": "link",
        "special6.png": "not a picture",
    }
    assert sorted(os.listdir(tmp_path)) == ["a.tar"]


def test_hostile_zip(tmp_path):
    files = {"../up.png": b"1", "/abs.png": b"2", "a\\..\\..\\up.png": b"3"}
    path = zip_of(tmp_path / "a.zip", files | {"dir/": b"", "dir/ok.png": b"4"})
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    found, rejected = contents(path)
    assert found == {"dir/ok.png": b"4"}
    assert {one.file: one.reason for one in rejected} == (
        dict.fromkeys(files, "points outside") | {"link.png": "link"}
    )


def test_members_that_unpack_to_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "FILE_LIMIT", 100)
    files = {"big.png": bytes(101)}
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "big.png").write_bytes(bytes(101))
    for path in (zip_of(tmp_path / "a.zip", files), tar_of(tmp_path / "a.tar", files)):
        with open_source(path) as source, pytest.raises(ValueError, match="^too large: 101 bytes"):
            source.read("big.png")
    with open_source(tmp_path / "f") as source, pytest.raises(ValueError, match="^too large"):
        source.read("big.png")


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_cut_tar(tmp_path, mode):
    files = {f"{i}.png": os.urandom(20_000) for i in range(20)}
    path = tar_of(tmp_path / "a.tar", files, mode)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with open_source(path) as source:
        assert [(one.file, one.reason) for one in source.rejected] == [("a.tar", "damaged")]
        *whole, last = source.names
        assert 8 <= len(whole) < 12
        assert all(source.read(name) == files[name] for name in whole)
        try:
            assert source.read(last) == files[last]  # cut in the header that follows
        except ValueError as error:
            assert str(error).startswith("damaged: ")


def test_damaged_zip_member(tmp_path):
    path = zip_of(tmp_path / "a.zip", {"a.png": b"0123456789" * 10})
    path.write_bytes(path.read_bytes().replace(b"0123456789", b"0123456780", 1))
    with open_source(path) as source, pytest.raises(ValueError, match="^damaged: Bad CRC"):
        source.read("a.png")


@pytest.mark.skipif(os.name == "nt", reason="POSIX files")
def test_members_without_a_name(tmp_path):
    png = next(iter(good_files().values()))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("good.png", png)
        for name in ("", "./"):
            info = zipfile.ZipInfo("placeholder")
            info.filename = name  # ZipInfo itself would not take it
            archive.writestr(info, png)
    tar_of(tmp_path / "a.tar", {"good.png": png, "": png, "./.": png})
    for kind, count in (("zip", 1), ("tar", 2)):
        found, rejected = contents(tmp_path / f"a.{kind}")
        assert found == {"good.png": png}
        assert [one.detail for one in rejected] == ["a member without a name"] * count


def test_a_zip_with_a_damaged_list(tmp_path):
    path = zip_of(tmp_path / "a.zip", {"a.png": b"png", "b.png": b"png"})
    data = path.read_bytes()
    entry = data.index(b"PK\1\2")
    path.write_bytes(data[:entry] + b"PK\0\0" + data[entry + 4 :])
    with (
        pytest.raises(ValueError, match="list of its files at its end.*damaged") as caught,
        open_source(path),
    ):
        pass
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_members_that_zipfile_cannot_unpack(tmp_path):
    path = zip_of(tmp_path / "a.zip", {"a.png": b"png"})
    data = path.read_bytes()
    entry = data.index(b"PK\1\2")
    for where, value, said in ((10, 99, "^damaged: "), (8, 1, "^cannot be read: encrypted$")):
        changed = bytearray(data)
        changed[entry + where] = value
        changed[where - 2] = value
        path.write_bytes(changed)
        with open_source(path) as source, pytest.raises(ValueError, match=said):
            source.read("a.png")


def test_odd_things_in_a_folder(tmp_path):
    root = tmp_path / "in"
    root.mkdir()
    (root / "real.png").write_bytes(b"1")
    (root / "folder.png").mkdir()
    (root / "link.png").symlink_to("real.png")
    (root / "broken.png").symlink_to("nowhere")
    (root / "loop").symlink_to(root)
    os.mkfifo(root / "pipe.png")
    open(os.fsencode(root) + b"/\xff.png", "wb").close()
    with open_source(root) as source:
        assert set(source.names) == {"real.png", "link.png", "broken.png", "\ufffd.png"}
        assert source.read("link.png") == b"1" and source.read("\ufffd.png") == b""
        with pytest.raises(ValueError, match="^cannot be read: No such file"):
            source.read("broken.png")
    assert {one.file: one.reason for one in source.rejected} == {
        "folder.png": "not a picture",
        "loop": "link",
        "pipe.png": "not a picture",
    }


def test_what_is_no_source(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"rubbish" * 1000)
    for name, message in (("none", "does not"), ("a.tar", "none of these or a damaged archive")):
        with pytest.raises(ValueError, match=message), open_source(tmp_path / name):
            pass


def test_fingerprint_follows_the_pictures(tmp_path):
    root = tmp_path / "in"
    write_folder(root, bad=False)
    before = fingerprint(root)
    assert fingerprint(root) == before
    (root / "new.png").write_bytes(b"x")
    after = fingerprint(root)
    (root / "new.png").write_bytes(b"xy")
    assert len({before, after, fingerprint(root)}) == 3
    table = tmp_path / "a.csv"
    table.write_text("file\nin/new.png\nin/none.png\n")
    first = fingerprint(table)
    (root / "new.png").write_bytes(b"xyz")
    assert fingerprint(table) != first


# ---- unpacking, with limits ----------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_member_too_large_for_a_picture_takes_no_room(tmp_path, monkeypatch, mode):
    monkeypatch.setattr(archives, "FILE_LIMIT", 10**6)
    monkeypatch.setattr(archives, "SLACK", 1000)
    bomb = {"a.png": b"1" * 900, "bomb.png": bytes(10**6 + 1), "z.png": b"2" * 900}
    path = tar_of(tmp_path / "a.tar", bomb, mode)
    monkeypatch.setattr(archives, "EXPANSION", 0)
    with pytest.raises(ValueError, match="more than 1,000 bytes would be unpacked. Unpack it your"):
        contents(path)
    monkeypatch.setattr(archives, "SLACK", 2000)
    with open_source(path) as source:
        assert (source.read("a.png"), source.read("z.png")) == (b"1" * 900, b"2" * 900)
        with pytest.raises(ValueError, match="^too large: 1,000,001 bytes"):
            source.read("bomb.png")
    assert not source.rejected


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_full_temporary_disk_is_no_damaged_archive(tmp_path, monkeypatch, number):
    path = tar_of(tmp_path / "a.tar.gz", {f"{i}.png": os.urandom(20_000) for i in range(9)}, "w:gz")

    class Scratch(io.BytesIO):
        def write(self, data):
            if self.tell() > 50_000:
                raise OSError(number, os.strerror(number))
            return super().write(data)

    monkeypatch.setattr(archives.tempfile, "TemporaryFile", Scratch)
    monkeypatch.setattr(archives.tempfile, "gettempdir", lambda: "/small")
    with pytest.raises(DiskError, match="The disk of '/small'"), open_source(path):
        pass


def test_an_archive_on_a_broken_disk_is_no_damaged_archive(tmp_path, monkeypatch):
    path = tar_of(tmp_path / "a.tar.gz", {"a.png": os.urandom(20_000)}, "w:gz")

    class Broken(gzip.GzipFile):
        def read1(self, size=-1):
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(
        archives, "DECOMPRESSORS", ((b"\x1f\x8b", lambda file: Broken(None, "rb", 9, file)),)
    )
    with pytest.raises(DiskError, match="a.tar.gz' fails"), open_source(path):
        pass


def test_a_long_name_without_an_end(tmp_path):
    """tarfile would read all of it; a terabyte is claimed."""
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = tarfile.XHDTYPE, 2**40
    good = tar_of(tmp_path / "good.tar", {"ok.png": b"1"}).read_bytes()
    (tmp_path / "a.tar").write_bytes(good[:1024] + entry.tobuf(tarfile.GNU_FORMAT) + bytes(2048))
    found, rejected = contents(tmp_path / "a.tar")
    assert found == {"ok.png": b"1"} and [one.reason for one in rejected] == ["damaged"]
    (tmp_path / "b.tar").write_bytes(entry.tobuf(tarfile.GNU_FORMAT) + bytes(2048))
    with pytest.raises(ValueError, match="none of these or a damaged archive"):
        contents(tmp_path / "b.tar")


def test_xz_streams_behind_each_other_and_their_memory(tmp_path, monkeypatch):
    data = tar_of(tmp_path / "a.tar", {"a.png": os.urandom(5000), "b.png": b"2"}).read_bytes()
    packed = lzma.compress(data[:3000]) + bytes(8) + lzma.compress(data[3000:])
    (tmp_path / "a.tar.xz").write_bytes(packed)
    found, rejected = contents(tmp_path / "a.tar.xz")
    assert set(found) == {"a.png", "b.png"} and not rejected
    monkeypatch.setattr(archives, "XZ_MEMORY", 2**20)  # these streams ask for 8 MB
    assert contents(tmp_path / "a.tar.xz")[0] == {}


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_sparse_members_are_filled(tmp_path, mode):
    """GNU tar stores a file with holes as its parts: 512 bytes at 4096, of 8192."""
    header = tarfile.TarInfo("holes.png")
    header.type, header.size = tarfile.GNUTYPE_SPARSE, 512
    block = bytearray(header.tobuf(tarfile.GNU_FORMAT))
    block[386:410] = b"%011o\0%011o\0" % (4096, 512)
    block[483:495] = b"%011o\0" % 8192
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    data = bytes(block) + b"x" * 512 + bytes(1024)
    path = tmp_path / "a.tar"
    path.write_bytes(gzip.compress(data) if mode == "w:gz" else data)
    found, rejected = contents(path)
    assert found == {"holes.png": bytes(4096) + b"x" * 512 + bytes(3584)} and not rejected
