"""Images in files: find them, read their headers, read their pixels as a person would see them; nothing is written."""

from medml.data.images.decode import decode_all
from medml.data.images.image_file import WINDOWS, ImageFile, Unreadable, Window
from medml.data.images.index import find_images, patient_key, read_header, uid_key
from medml.data.images.pixels import read_pixels, stored_values

__all__ = ["WINDOWS", "ImageFile", "Unreadable", "Window", "decode_all", "find_images", "patient_key", "read_header",
           "read_pixels", "stored_values", "uid_key"]
