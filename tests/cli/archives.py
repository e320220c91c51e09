"""Hostile and damaged archives, made byte by byte.

SPDX-License-Identifier: Apache-2.0
"""
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib

from cli_support import STACK_INI

BLOCK = 512
END = bytes(2 * BLOCK)


def number(value, size):
    """A number of a tar header; negative or large ones in base 256."""
    if 0 <= value < 8 ** (size - 1):
        return b"%0*o\0" % (size - 1, value)
    first = 0xff if value < 0 else 0x80
    return bytes([first]) + (value & (1 << 8 * (size - 1)) - 1).to_bytes(size - 1, "big")


def header(name, kind=b"0", size=0, mode=0o644, target=b"", magic=b"ustar\x0000", device=(0, 0)):
    name = name.encode() if isinstance(name, str) else name
    target = target.encode() if isinstance(target, str) else target
    block = bytearray(struct.pack(
        "100s8s8s8s12s12s8s1s100s8s32s32s8s8s155s12x", name, number(mode, 8), number(0, 8),
        number(0, 8), number(size, 12), number(0, 12), b" " * 8, kind, target, magic, b"", b"",
        number(device[0], 8), number(device[1], 8), b""))
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data):
    return data + bytes(-len(data) % BLOCK)


def entry(name, data=b"", kind=b"0", **fields):
    """One entry; a long name gets GNU's "L" record in front."""
    data = data.encode() if isinstance(data, str) else data
    raw = name.encode() if isinstance(name, str) else name
    front = b""
    if len(raw) > 100:
        front = header("././@LongLink", b"L", len(raw) + 1, magic=b"ustar  \0") + padded(raw + b"\0")
        fields["magic"] = b"ustar  \0"
    return front + header(raw[:100], kind, len(data), **fields) + padded(data)


def link(name, target, kind=b"2"):
    return entry(name, kind=kind, target=target)


def pax(records, name="x"):
    """A pax header with these records."""
    body = b""
    for key, value in records.items():
        line = b" " + key.encode() + b"=" + value + b"\n"
        size = len(line)
        while size != len(b"%d" % size + line):
            size = len(b"%d" % size + line)
        body += b"%d" % size + line
    return header(name, b"x", len(body)) + padded(body)


GOOD = entry("stack.ini", STACK_INI) + entry("note", "hello\n")


def tar(*parts):
    """A stack in which nothing is wrong, and then the parts."""
    return GOOD + b"".join(parts) + END


def gz(*parts):
    return gzip.compress(tar(*parts), mtime=0)


def xz(*parts):
    return lzma.compress(tar(*parts))


def zstd(data):
    """A zstd frame of raw blocks: what `zstd` would have to be run for by a reader without it."""
    blocks = b""
    pieces = [data[i:i + (1 << 17)] for i in range(0, len(data), 1 << 17)]
    for i, piece in enumerate(pieces):
        is_last = i == len(pieces) - 1
        blocks += (len(piece) << 3 | is_last).to_bytes(3, "little") + piece
    return b"\x28\xb5\x2f\xfd\xa0" + len(data).to_bytes(4, "little") + blocks


def zeros(gibibytes):
    """A gzip member with that many GiB of zeros: one compressed piece, repeated."""
    piece_bytes = 1 << 24
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = packer.compress(bytes(piece_bytes)) + packer.flush(zlib.Z_FULL_FLUSH)
    front = zlib.compressobj(9, zlib.DEFLATED, -15)
    size = gibibytes << 30
    head = front.compress(GOOD + header("bomb", size=size)) + front.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + head + piece * (size // piece_bytes)


def zip_of(names, is_encrypted=False):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, STACK_INI)
    data = bytearray(file.getvalue())
    if is_encrypted:  # bit 0 of the flags in the local header and in the directory
        data[6] |= 1
        data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


def overlapping_zip():
    """Many directory entries that share one file's data."""
    data = zip_of(["a"])
    at = data.index(b"PK\1\2")
    end = data.index(b"PK\5\6")
    record = data[at:end]
    tail = bytearray(data[end:])
    tail[8:12] = struct.pack("<HH", 1000, 1000)
    tail[12:16] = struct.pack("<I", 1000 * len(record))
    return data[:at] + record * 1000 + bytes(tail)


def cpio():
    name, body = b"stack.ini\0", STACK_INI.encode()
    fields = (0, 0o100644, 0, 0, 1, 0, len(body), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name
    return head + bytes(-len(head) % 4) + body


def iso():
    return bytes(32768) + b"\1CD001\1\0" + bytes(2040) + b"\xffCD001\1" + bytes(4096)


def many(count):
    """A stack and that many empty files."""
    file = io.BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1, mtime=0) as stream:
        stream.write(GOOD)
        for i in range(count):
            stream.write(header(f"f{i}"))
        stream.write(END)
    return file.getvalue()


def gnu_sparse():
    """Old GNU sparse: 512 bytes at the end of 1 TiB."""
    block = bytearray(header("sparse", b"S", BLOCK, magic=b"ustar  \0"))
    block[386:410] = number((1 << 40) - BLOCK, 12) + number(BLOCK, 12)
    block[483:495] = number(1 << 40, 12)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + bytes(BLOCK)


def pax_sparse():
    records = {"GNU.sparse.major": b"1", "GNU.sparse.minor": b"0", "GNU.sparse.name": b"sparse",
               "GNU.sparse.realsize": b"%d" % (1 << 40)}
    return pax(records) + entry("GNUSparseFile.0/sparse", padded(b"1\n%d\n512\n" % ((1 << 40) - 512))
                                + bytes(512))


def python_tar(name):
    """What Python's own tarfile writes: the control for the headers that are made here."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(STACK_INI)
        archive.addfile(info, io.BytesIO(STACK_INI.encode()))
    return file.getvalue()
