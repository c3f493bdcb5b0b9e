"""Tables in files: find them, open them, read them. Types by content, every guess noted, nothing written."""

from medml.data.files import fingerprint
from medml.data.index import find_tables, open_table
from medml.data.notes import Note
from medml.data.source import TableSource

__all__ = ["Note", "TableSource", "find_tables", "fingerprint", "open_table"]
