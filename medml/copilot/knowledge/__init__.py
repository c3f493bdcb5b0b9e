"""What the co-pilot may look up: glossary, checks, help pages, and a folder of the clinician's own documents."""

from medml.copilot.knowledge.passage import Passage

__all__ = ["Passage"]
