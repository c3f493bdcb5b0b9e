"""Headers of DICOM files: equal to what pydicom reads, whole or not, and nothing of a person in them."""

from __future__ import annotations

import hmac
import logging
import random
import struct
import time

import numpy as np
import pydicom
import pytest
from dicoms import CANARY, SYNTAXES, bytes_of, deflated, nested, slice_of, with_canaries, write

from medml import home
from medml.data.images import (
    Unreadable,
    dicom_header,
    find_images,
    patient_key,
    read_header,
    read_pixels,
    stored_values,
    uid_key,
)
from medml.data.images.tags import ALLOWED

RNG = np.random.default_rng(11)
PIXELS = RNG.integers(0, 4096, (24, 30), dtype=np.uint16)
META_END = 132


def code_of(path) -> str | None:
    (entry,), _ = find_images(path)
    return entry.reason_code


def as_text(value: object) -> str:
    return "\\".join(str(each) for each in value) if isinstance(value, pydicom.multival.MultiValue) else str(value)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_allowed_tags_equal_pydicoms_in_every_transfer_syntax(syntax, tmp_path):
    data = slice_of(PIXELS, WindowCenter=[40, 400], WindowWidth=[80, 1500], RescaleSlope="1", RescaleIntercept="-1024",
                    PixelSpacing=[0.7, 0.75], BodyPartExamined="CHEST", ViewPosition="PA", KVP="120")
    path = write(tmp_path / "a", data, syntax)
    header, own = read_header(path, root=tmp_path), pydicom.dcmread(path)
    for keyword in set(ALLOWED) - {"TransferSyntaxUID"}:
        if keyword in own:
            assert header.tags[keyword].split("\\") == as_text(own[keyword].value).split("\\"), keyword
        else:
            assert keyword not in header.tags
    assert header.tags["TransferSyntaxUID"] == SYNTAXES[syntax]
    assert (header.rows, header.cols, header.bits, header.kind, header.truncated) == (24, 30, 16, "dicom", False)
    assert header.bytes == path.stat().st_size


def test_a_folder_of_one_series_tells_each_file_apart(tmp_path):
    for n in range(3):
        write(tmp_path / f"{n}", slice_of(PIXELS, PatientID=f"P{n}", InstanceNumber=n))
    _, images = find_images(tmp_path)
    assert len({image.patient for image in images}) == len({image.uid for image in images}) == 3
    assert images[1].patient == patient_key("P1") == home.keyed_hash("patient", "P1")
    assert images[1].patient == hmac.new(home.secret(), b"patient\x1fP1", "sha256").hexdigest()[:32]
    assert images[1].uid == uid_key(str(pydicom.dcmread(tmp_path / "1").SOPInstanceUID))


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_nothing_of_a_person_leaves_the_reader(syntax, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    path = write(tmp_path / "a.dcm", with_canaries(slice_of(PIXELS)), syntax)
    entries, images = find_images(tmp_path)
    read_pixels(path)
    told = repr(images) + "".join(entry.model_dump_json() for entry in entries) + caplog.text
    assert CANARY not in told and "19320713" not in told and "19870615" not in told
    assert {"PatientName", "PatientID", "PatientBirthDate", "PatientAddress", "AccessionNumber", "InstitutionName",
            "StudyDate", "ImageComments", "private tags"} <= set(images[0].identifiers)
    assert entries[0].reason_code == "identifiers"


@pytest.mark.filterwarnings("ignore:Invalid value", "ignore:The value length")
def test_canaries_in_allowed_tags_are_left_out_where_they_do_not_look_right(tmp_path):
    data = slice_of(PIXELS)
    data.add_new(0x00180015, "CS", f"{CANARY} JANE, BORN 1950")
    data.add_new(0x00280030, "LO", [CANARY, "0.7"])
    data.add_new(0x00080070, "LO", f"{CANARY}^JANE=NAME")
    write(tmp_path / "a.dcm", data)
    _, (image,) = find_images(tmp_path)
    assert CANARY not in repr(image) and "invalid_value" in image.notes


def test_a_name_that_only_a_sequence_holds_is_told(tmp_path):
    data = slice_of(PIXELS, PatientName="", PatientID="")
    inner = pydicom.Dataset()
    inner.PatientBirthDate = "19500101"
    data.ReferencedPatientSequence = [inner]
    for syntax in ("explicit", "implicit"):
        header = read_header(write(tmp_path / f"{syntax}.dcm", data, syntax), root=tmp_path)
        assert header.identifiers == ("PatientBirthDate",) and header.patient is None


def test_an_identifier_of_blanks_is_none(tmp_path):
    write(tmp_path / "a.dcm", slice_of(PIXELS, PatientName="^^", PatientID="", PatientAddress="  "))
    _, (image,) = find_images(tmp_path)
    assert image.identifiers == () and image.patient is None


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big endian"])
def test_every_cut_is_noticed_without_decoding(syntax, tmp_path):
    whole = bytes_of(with_canaries(slice_of(PIXELS)), syntax)
    path = tmp_path / "a.dcm"
    for length in [*range(140, len(whole) - 1, 37), len(whole) - 2]:
        path.write_bytes(whole[:length])
        assert code_of(path) in ("damaged", "no_pixels"), length
        with pytest.raises(Unreadable):
            read_pixels(path)
    path.write_bytes(whole)
    assert code_of(path) == "identifiers"


def test_a_header_longer_than_the_first_read_is_followed(tmp_path):
    data = slice_of(PIXELS)
    data.private_block(0x0009, "LARGE", create=True).add_new(0x01, "OB", bytes(300_000))
    for n in range(40):
        data.private_block(0x0009, "LARGE").add_new(0x10 + n, "LO", "x" * 60)
    path = write(tmp_path / "a.dcm", data)
    header = read_header(path, root=tmp_path)
    assert (header.rows, header.truncated) == (24, False)
    np.testing.assert_array_equal(read_pixels(path), read_pixels(write(tmp_path / "b.dcm", slice_of(PIXELS))))


def test_turned_bytes_never_raise_anything_else(tmp_path):
    """Two thousand damaged headers: each is read, or refused with a reason."""
    rng = random.Random(0)
    whole = {name: bytes_of(with_canaries(slice_of(PIXELS)), name) for name in ("explicit", "implicit", "big endian")}
    path, codes = tmp_path / "a.dcm", set()
    for n in range(700):
        for content in whole.values():
            turned = bytearray(content)
            for _ in range(1 + n % 4):
                turned[rng.randrange(META_END, len(turned) - PIXELS.nbytes)] = rng.randrange(256)
            path.write_bytes(turned)
            try:
                read_header(path, root=tmp_path)
            except Unreadable as error:
                assert CANARY not in error.what
                codes.add(error.code)
    assert "damaged" in codes and codes <= {"damaged", "no_pixels", "too_many_pixels", "too_deep", "dicomdir",
                                            "unsafe_path", "expands_too_much"}


@pytest.mark.parametrize("defined", [True, False], ids=["with lengths", "without lengths"])
def test_sequences_nested_20000_deep_are_refused_at_once(defined, tmp_path):
    start = bytes_of(slice_of(PIXELS, PixelRepresentation=0))
    deep = nested(3_000 if defined else 20_000, defined=defined)
    (tmp_path / "a.dcm").write_bytes(start[:-PIXELS.nbytes - 12] + deep)
    began = time.process_time()
    assert code_of(tmp_path / "a.dcm") == "too_deep"
    assert time.process_time() - began < 5  # seconds; a quadratic walk takes minutes
    shallow = nested(20, defined=True)
    (tmp_path / "a.dcm").write_bytes(start[:-PIXELS.nbytes - 12] + shallow + start[-PIXELS.nbytes - 12:])
    assert code_of(tmp_path / "a.dcm") is None


def test_pixels_that_claim_4_gb_are_refused(tmp_path):
    content = bytearray(bytes_of(slice_of(PIXELS)))
    for tag, value in ((0x0010, 65_000), (0x0011, 33_000)):
        struct.pack_into("<H", content, content.index(struct.pack("<HH2s", 0x0028, tag, b"US")) + 8, value)
    (tmp_path / "a.dcm").write_bytes(content)
    assert code_of(tmp_path / "a.dcm") == "too_many_pixels"


def test_a_length_that_claims_4_gb_takes_no_memory(tmp_path):
    content = bytearray(bytes_of(slice_of(PIXELS)))
    struct.pack_into("<I", content, len(content) - PIXELS.nbytes - 4, 0xFFFFFFF0)
    (tmp_path / "a.dcm").write_bytes(content)
    assert code_of(tmp_path / "a.dcm") == "damaged"


def test_what_is_deflated_may_not_grow_without_end(tmp_path, monkeypatch):
    start = bytes_of(slice_of(PIXELS), "deflated")
    end = META_END + 12 + struct.unpack_from("<I", start, META_END + 8)[0]
    (tmp_path / "a.dcm").write_bytes(start[:end] + deflated(bytes(40 << 20)))
    assert code_of(tmp_path / "a.dcm") == "expands_too_much"
    monkeypatch.setattr(dicom_header, "_MOST_UNPACKED", 1 << 20)
    (tmp_path / "a.dcm").write_bytes(start[:end] + deflated(RNG.bytes(3 << 20)))
    assert code_of(tmp_path / "a.dcm") == "too_large"
    (tmp_path / "a.dcm").write_bytes(start[:end] + b"no deflated stream at all")
    assert code_of(tmp_path / "a.dcm") == "damaged"


@pytest.mark.filterwarnings("ignore:Invalid value")  # pydicom's, while the file is made
@pytest.mark.parametrize("parts", [["..", "..", "ETC", "PASSWD"], ["/ETC/PASSWD"], ["C:", "X"], ["A", "..", "B"]])
def test_a_dicomdir_is_never_followed(parts, tmp_path):
    record = pydicom.Dataset()
    record.ReferencedFileID = parts
    data = slice_of(PIXELS, SOPClassUID="1.2.840.10008.1.3.10")
    data.DirectoryRecordSequence = [record]
    write(tmp_path / "DICOMDIR", data)
    (entry,), images = find_images(tmp_path)
    assert (entry.action, entry.reason_code, images) == ("refuse", "unsafe_path", [])


def inserted(content: bytes, element: bytes) -> bytes:
    """The file with an element of group 0029 put in front of its pixels."""
    at = content.rindex(struct.pack("<HH2s", 0x7FE0, 0x0010, b"OW"))
    return content[:at] + element + content[at:]


@pytest.mark.parametrize(("element", "identifies"), [
    (struct.pack("<HH2sHI", 0x0029, 0x1010, b"UN", 0, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
     + struct.pack("<HHI", 0x0010, 0x0030, 8) + b"19500101" + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
     + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0), True),
    (struct.pack("<HH2sH", 0x0029, 0x1010, b"ZQ", 4) + b"abcd", False),
    (struct.pack("<HHI", 0x0029, 0x1010, 4) + b"abcd", False),
    (struct.pack("<HH2sHI", 0x0029, 0x1010, b"OB", 0, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 4) + b"abcd"
     + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0), False)],
    ids=["a sequence of unknown kind", "an element of unknown kind", "an element without a kind", "a value in items"])
def test_what_other_programs_write_against_the_rules_is_read(element, identifies, tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(inserted(bytes_of(slice_of(PIXELS, WindowCenter="2000", WindowWidth="4000")), element))
    header = read_header(path, root=tmp_path)
    assert header.rows == 24 and ("PatientBirthDate" in header.identifiers) == identifies
    plain = write(tmp_path / "b.dcm", slice_of(PIXELS, WindowCenter="2000", WindowWidth="4000"))
    np.testing.assert_array_equal(read_pixels(path), read_pixels(plain))


def test_a_file_that_says_explicit_and_is_implicit_is_read(tmp_path):
    content = bytes_of(slice_of(PIXELS), "implicit")
    lying = content.replace(b"UI\x12\x001.2.840.10008.1.2\0", b"UI\x14\x001.2.840.10008.1.2.1\0", 1)
    length = struct.unpack_from("<I", lying, 140)[0] + 2
    (tmp_path / "a.dcm").write_bytes(lying[:140] + struct.pack("<I", length) + lying[144:])
    np.testing.assert_array_equal(stored_values(tmp_path / "a.dcm"), PIXELS)


def test_slices_of_two_sizes_are_no_series_but_films_of_two_sizes_are_fine(tmp_path):
    write(tmp_path / "a", slice_of(PIXELS))
    write(tmp_path / "b", slice_of(PIXELS[:20]))
    write(tmp_path / "c", slice_of(PIXELS[:16], PatientID="OTHER"))
    for name, rows in (("d", 24), ("e", 18)):
        write(tmp_path / name, slice_of(PIXELS[:rows], Modality="DX"))
    _, images = find_images(tmp_path)
    assert [image.path for image in images if "mixed_series" in image.notes] == ["a", "b"]
