"""Images in files: find them, read their headers, read their pixels as a person would see them; nothing is written."""

from medml.data.images.alike import correlation, near_pairs, perceptual_hash
from medml.data.images.borders import text_on_borders
from medml.data.images.copies import exact_duplicates
from medml.data.images.decode import decode_all
from medml.data.images.image_file import WINDOWS, ImageFile, Unreadable, Window
from medml.data.images.index import find_images, patient_key, read_header, uid_key
from medml.data.images.pixels import read_pixels, stored_values

__all__ = ["WINDOWS", "ImageFile", "Unreadable", "Window", "correlation", "decode_all", "exact_duplicates",
           "find_images", "near_pairs", "patient_key", "perceptual_hash", "read_header", "read_pixels",
           "stored_values", "text_on_borders", "uid_key"]
