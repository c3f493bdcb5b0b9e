"""One picture in a zip archive, unpacked to memory or to a file without a name; children import it, so it is light."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from medml.data.files import BROKEN, CHUNK, Material, fingerprint, open_regular
from medml.data.images.image_file import Unreadable, damaged, not_from_disk
from medml.drive import is_lost
from medml.errors import UserError

MOST_BYTES = 512 << 20  # of one picture, unpacked


def entry(archive: Path, name: str) -> Material:
    """The bytes of one entry; of one name the last in the archive.

    raises  Unreadable "too_large" (refuse) by what the list of entries says, before a byte is unpacked; "damaged"
    """
    try:
        return unpacked(_opened(archive, *fingerprint(archive)), name)
    except (zipfile.BadZipFile, OSError) as error:
        if is_lost(error):
            raise not_from_disk() from None
        raise damaged("This zip archive is damaged or cut off.") from None
    except UserError as error:
        raise error if isinstance(error, Unreadable) else Unreadable.of(error) from None


def unpacked(archive: zipfile.ZipFile, name: str) -> Material:
    """The bytes of one entry of an open archive, no more than its place in the list says. Raises as `entry`."""
    try:
        if archive.getinfo(name).file_size > MOST_BYTES:
            raise Unreadable("too_large", "This picture needs more memory than one picture may have.", refuse=True)
        return Material.of(_pieces(archive, name))
    except (*BROKEN, KeyError, OSError) as error:  # of bz2 it is an OSError
        if is_lost(error):
            raise not_from_disk() from None
        raise damaged() from None


@lru_cache(maxsize=1)
def _opened(archive: Path, _size: int, _changed: int) -> zipfile.ZipFile:
    """The archive, its list of entries read once for all its pictures."""
    return zipfile.ZipFile(open_regular(archive))


def _pieces(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    with archive.open(name) as inside:
        while piece := inside.read(CHUNK):
            yield piece
