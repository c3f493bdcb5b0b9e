"""Models out of MedML: ONNX with its preprocessing, a capsule for another hospital, cells that no table runs."""

from medml.export.package import Package, as_zip, package, write_beside
from medml.export.record import ExportRecord, g2, record_of

__all__ = ["ExportRecord", "Package", "as_zip", "g2", "package", "record_of", "write_beside"]
