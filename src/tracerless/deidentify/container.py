"""What lies around the attributes: file meta, preamble, trailing bytes."""

import io

import pydicom
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

IMPLEMENTATION_UID = UID("2.25.24526182953802831858593559339786712069")
"""Names this software as the writer of a file."""

IMPLEMENTATION_NAME = "TRACERLESS"

_REWRITTEN = {DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian}
"""Syntaxes of uncompressed pixels that are written as explicit little endian instead."""


def file_meta(source: Dataset, clean: Dataset) -> FileMetaDataset:
    """A new file meta; of the old one only the transfer syntax, which the pixels are in."""
    syntax = getattr(source, "file_meta", Dataset()).get("TransferSyntaxUID")
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = clean.SOPClassUID
    meta.MediaStorageSOPInstanceUID = clean.SOPInstanceUID
    rewritten = syntax is None or syntax in _REWRITTEN
    meta.TransferSyntaxUID = ExplicitVRLittleEndian if rewritten else UID(syntax)
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = IMPLEMENTATION_NAME
    return meta


def trim_pixels(clean: Dataset) -> None:
    """Cut off what lies behind the declared frames of uncompressed pixels: it is no pixel."""
    if clean.file_meta.TransferSyntaxUID.is_compressed or "PixelData" not in clean:
        return
    n_frames = int(clean.get("NumberOfFrames") or 1)
    n_bytes = int(clean.Rows) * int(clean.Columns) * n_frames * (int(clean.BitsAllocated) // 8)
    element = clean["PixelData"]
    if len(element.value) > n_bytes + n_bytes % 2:
        element.value = element.value[:n_bytes] + b"\0" * (n_bytes % 2)


def to_bytes(clean: Dataset) -> bytes:
    """The whole file: a preamble of zeros, the file meta, the attributes; equal in, equal out."""
    buffer = io.BytesIO()
    clean.preamble = b"\0" * 128
    pydicom.dcmwrite(buffer, clean, enforce_file_format=True)
    return buffer.getvalue()
