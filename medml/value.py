"""What every value of the line is made of, and the values that speak of pictures; see types.py for all others."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

PICTURES = "pictures"  # the sheet of a TableRef that stands for a folder's pictures


class Value(BaseModel):
    """A frozen value; an unknown field is an error, so a misspelt key never passes silently."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PictureFacts(Value):
    """What a scan knows of the pictures of a folder: counts of files, nothing of one patient.

    by           {"modality" | "manufacturer" | "transfer syntax" | "photometric" | "bits" | "kind" | "size":
                 {what: n}}, fewer than k files together as "other"
    side         5th percentile, median and 95th percentile of the shorter side, pixels
    frames       most frames of one file (95th percentile; at least 2 where any file has several)
    damaged      files whose pixels could not be decoded, and that were listed with their reason
    unread       files that their headers showed to be cut off or damaged: listed, and in no row of the table
    copies, near pictures equal to an earlier one (pixel by pixel); nearly equal ones (perceptual hash, confirmed by
                 correlation); *_across: those of them whose twin has another class. None: could not tell
    small        files with too few pixels to tell near copies of
    identifiers  {tag that identifies a person: files that hold it}; never what it holds
    burned_in    files that declare burned-in text;   text_like  files with writing at their borders; None: not looked
    chest        whether these look like chest films by their tags: no mirroring then
    """

    n: int
    by: dict[str, dict[str, int]] = {}
    side: tuple[int, int, int] = (0, 0, 0)
    frames: int = 1
    damaged: int = 0
    unread: int = 0
    copies: int = 0
    copies_across: int = 0
    near: int | None = None
    near_across: int | None = None
    small: int = 0
    identifiers: dict[str, int] = {}
    burned_in: int = 0
    text_like: int | None = None
    chest: bool = False
    own_split: bool = False  # the pictures came with a split of their own, in the column "split"

    @property
    def modalities(self) -> set[str]:
        """Those that are known by name; of what stands under "other" nothing is."""
        return set(self.by.get("modality", {})) - {"other"}


class PicturePlan(Value):
    """How pictures are brought to one size and one range of grey.

    column  the column of the table that names the file;   size  pixels a side
    window  a preset by name ("lung"), "centre,width" in the picture's own units, or None: as the file says
    frames  which frame of a file of several: each frame is a case of its own with "all"
    """

    column: str = "picture"
    size: int = Field(128, ge=16, le=1024)
    window: str | None = None
    frames: Literal["first", "middle", "all"] = "first"


class UsePlan(Value):
    """How the model will be used, as decided before it is trained.

    rule         how a probability becomes a "yes": the best sum of sensitivity and specificity, a wanted sensitivity,
                 or the least harm where a missed case weighs as much as `cost` false alarms
    score        the score in use today: a column, or a formula of columns; "": none
    subgroups    columns by which figures are told, besides sex, age and site
    low, high    thresholds between which net benefit is compared; None: around the share of cases
    """

    rule: Literal["youden", "sensitivity", "cost"] = "youden"
    sensitivity: float = Field(0.9, gt=0, le=1)
    cost: float = Field(5.0, gt=0, le=1000)
    score: str = Field("", max_length=500)
    subgroups: list[str] = []
    low: float | None = Field(None, gt=0, lt=1)
    high: float | None = Field(None, gt=0, lt=1)
