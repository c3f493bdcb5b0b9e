"""A cell's text as an input of model.onnx, by the rules of schema.json; the standard library and numpy alone."""

import json
import re
from datetime import date
from pathlib import Path

import numpy as np

NUMBER = json.loads((Path(__file__).resolve().parent / "schema.json").read_text(encoding="utf-8"))["number"]


def value(column, text):
    """A cell's text as the model wants it: days or a number (NaN: missing), or a text ("": missing)."""
    text = text.strip()
    if text in column["codes"]:
        return ""
    for pattern, instead in column["rewrite"]:
        text = re.sub(pattern, instead.replace("$", "\\"), text, flags=re.IGNORECASE)
    if column["type"] == "text":
        return "" if text.lower() in column["missing"] else column["words"].get(text.lower(), text)
    if column["type"] == "date":
        try:
            return (date(*map(int, text.split("-"))) - date(1970, 1, 1)).days
        except (TypeError, ValueError):
            return np.nan
    number = float(text) if re.fullmatch(NUMBER, text, re.IGNORECASE) else np.nan
    return np.nan if number in column["codes"] else number
