"""Models out of MedML: ONNX with its preprocessing, a capsule for another hospital, cells that no table runs."""

from medml.export.capsule import capsule, take_back
from medml.export.package import Package, as_zip, package, write_beside
from medml.export.record import g2, record_of
from medml.exported import ExportRecord

__all__ = ["ExportRecord", "Package", "as_zip", "capsule", "g2", "package", "record_of", "take_back", "write_beside"]
