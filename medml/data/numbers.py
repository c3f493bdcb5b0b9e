"""The one reader of numbers from text: "<5", "1,234", "3,7", "10 mg". Nothing else in MedML turns text into numbers."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from medml.data.missing import of_each, present

EXACT = 2**53  # whole numbers beyond this are rounded by a 64-bit float: they are names, not quantities
_SPACES = "\u0020\u00a0\u202f\u2009"
_SHAPE = (
    r"^(?P<limit><=?|>=?|≤|≥|&lt;|&gt;)?\s*(?P<number>[+\-−]?(?:\d[\d.,'’" + _SPACES + r"]*|[.,]\d+))"
    r"(?P<power>[eE][+-]?\d{1,3})?\s*(?P<unit>[A-Za-zµμ°%Ω\[(][^\s,;<>]*(?: [A-Za-z]+)?)?$"
)
_CODE = r"^[A-Za-z]{1,3}[-. ]?\d"
# Units that may follow a number (lower case, µ for micro). A word that is not here is not taken for a unit.
UNITS = frozenset("""
    mg g kg µg ug mcg ng pg ml l dl µl ul cl fl cm mm m km nm µm c °c °f f k bpm mmhg kpa pa cmh2o % years year yrs yr y
    yo months month mo mos weeks week wks wk w days day d hours hour hrs hr h min mins minutes sec secs seconds s ms
    iu u miu µiu mmol µmol umol nmol pmol mol meq meq/l mmol/l µmol/l umol/l nmol/l pmol/l mg/dl g/dl g/l mg/l µg/l ug/l
    ng/ml pg/ml µg/ml ug/ml ng/dl µg/dl ug/dl mg/ml u/l iu/l iu/ml miu/l miu/ml µiu/ml kg/m2 kg/m² m2 m² mm/h mm/hr
    ml/min ml/kg mg/kg µg/kg l/min mosm/kg cells/µl cells/ul /µl /ul /mm3 g% mg% kcal cal kj lb lbs in inch ft oz gy
    msv mgy mv hz db x10^9/l 10^9/l x10^12/l 10^12/l ml/min/1.73m2 beats/min breaths/min /min hu points pack-years packs
""".split())


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column read as numbers.

    values         Float64, null where missing or unreadable; a limit ("<5") is read as the limit itself
    readable       share of the cells present that could be read, 0-1; 1.0 where no cell is present
    unit           the unit written in the cells, where one covers at least 9 of 10 cells with a unit
    n_censored     cells with a limit ("<5", ">1000");  n_units  cells with a unit;  n_unreadable, n_missing  cells
    decimal_comma  a comma stands before the decimals;  thousands  digits are grouped ("1,234", "1.234,5", "1 234")
    n_codes        unreadable cells that look like codes ("V57", "C50.1"): then the digits beside them are codes too
    n_ambiguous    cells such as "1,234" in a column where nothing else tells which of the two the comma is
    stays_text     "leading_zeros" or "big_integers" where digits are a name, not a quantity; then nothing is read
    """

    values: pl.Series
    readable: float
    unit: str | None = None
    n_censored: int = 0
    n_units: int = 0
    n_unreadable: int = 0
    n_missing: int = 0
    n_codes: int = 0
    n_ambiguous: int = 0
    decimal_comma: bool = False
    thousands: bool = False
    stays_text: str | None = None


def read_numbers(series: pl.Series, *, decimal_comma: bool | None = None) -> Numbers:
    """Read a column as numbers; never raises, never rounds an identifier.

    series         any type; text is stripped, words for "missing" count as missing
    decimal_comma  what "1,234" means where the column itself does not tell: None takes it as one thousand two hundred
                   and thirty-four and counts it in n_ambiguous. Pass it to read parts of one column alike.
    """
    return read_columns([series], decimal_comma=decimal_comma)[0]


def read_columns(columns: list[pl.Series], *, decimal_comma: bool | None = None) -> list[Numbers]:
    """Each of a table's columns as `read_numbers` reads it; what is plain in them is found in one question."""
    plain = of_each([each for each in columns if each.dtype == pl.String], _plain)
    return [_read(each.name, next(plain), decimal_comma) if each.dtype == pl.String else _typed(each)
            for each in columns]


def _read(name: str, plain: pl.DataFrame, decimal_comma: bool | None) -> Numbers:
    text, direct = plain["text"], plain["exact"]
    n_missing = text.null_count()
    if stays := _stays_text(plain):
        return _nothing(text.alias(name), n_missing, stays)
    if direct.null_count() == n_missing:
        return Numbers(direct.alias(name), 1.0, n_missing=n_missing)
    odd = pl.DataFrame({"text": text, "direct": direct}).with_row_index("row")
    odd = odd.filter(pl.col("text").is_not_null() & pl.col("direct").is_null())
    return _read_odd(name, text, direct, odd, len(text) - n_missing, decimal_comma)


def is_numeric(numbers: Numbers, *, at_least: float = 0.95) -> bool:
    """Whether a column should be treated as numbers: at least that share of the cells present can be read.

    Not where more than 1 cell in 200 is a code such as "V57": then "250.83" beside it is a code as well.
    """
    present_cells = len(numbers.values) - numbers.n_missing
    codes = numbers.n_codes > 0.005 * present_cells
    return numbers.stays_text is None and not codes and present_cells > 0 and numbers.readable >= at_least


def _typed(series: pl.Series) -> Numbers:
    if not (series.dtype.is_numeric() or series.dtype == pl.Boolean):
        return _nothing(series, series.null_count(), None)
    if series.dtype.is_integer() and len(series) and (series.abs() > EXACT).any():
        return _nothing(series, series.null_count(), "big_integers")
    values = series.cast(pl.Float64)
    values = values.set(~values.is_finite(), None)
    return Numbers(values, 1.0, n_missing=values.null_count())


def _nothing(series: pl.Series, n_missing: int, stays: str | None) -> Numbers:
    n = len(series) - n_missing
    values = pl.Series(series.name, [None], dtype=pl.Float64).new_from_index(0, len(series))
    return Numbers(values, 0.0 if n else 1.0, n_unreadable=n, n_missing=n_missing, stays_text=stays)


def _plain(cells: pl.Series) -> pl.DataFrame:
    """Of each cell: its text, the number where it is a plain one (without infinities and without whole numbers that a
    float would round), whether it is a whole number, too large a one, and one that starts with 0.

    Asked in one question: a screen reads some thousand cells of each column, and each question took longer than that.
    """
    text, number, whole = pl.col("text"), pl.col("number"), pl.col("whole")
    large = whole & (number.abs() >= EXACT).fill_null(True)  # null: digits of another script
    return present(cells).to_frame("text").lazy().with_columns(
        text.cast(pl.Float64, strict=False).alias("number"),
        text.str.contains(r"^[+-]?\d+$").fill_null(False).alias("whole"),
    ).select("text", "whole", pl.when(number.is_finite() & ~large).then(number).alias("exact"), large.alias("large"),
             (whole & text.str.contains(r"^[+-]?0\d")).alias("zero")).collect()


def _stays_text(plain: pl.DataFrame) -> str | None:
    """Why digits in this column are a name: at least 2 % of the whole numbers start with 0 or exceed 2^53."""
    n_whole = plain["whole"].sum()
    if n_whole and plain["zero"].sum() >= 0.02 * n_whole:
        return "leading_zeros"
    big = plain["large"].any() and _too_big(plain.filter("whole")["text"]).sum() >= 0.02 * n_whole
    return "big_integers" if big else None


def _too_big(whole: pl.Series) -> pl.Series:
    return (whole.cast(pl.Int128, strict=False).abs() > EXACT).fill_null(True)  # null: more digits than 128 bits hold


def _read_odd(name: str, text: pl.Series, direct: pl.Series, odd: pl.DataFrame, n_present: int,
              decimal_comma: bool | None) -> Numbers:
    """Read the cells that are not plain numbers: limits, units, grouped digits, decimal commas."""
    if not odd["text"].unique().str.contains(_SHAPE).any():  # words, codes, dates: by far the commonest
        return _of_plain_alone(name, text, direct, odd["text"], decimal_comma)
    parts = odd.with_columns(pl.col("text").str.extract_groups(_SHAPE).alias("part")).unnest("part")
    unit, known_unit = _main_unit(parts["unit"])
    parts = parts.with_columns(known_unit, _clean_digits())
    style = _comma_style(parts["number"], decimal_comma)
    power = (10.0 ** pl.col("power").str.slice(1).cast(pl.Float64)).fill_null(1.0)
    value = _as_number(pl.col("number"), style.decimal) * power
    value = pl.when(~((value.abs() >= EXACT) & pl.col("number").str.contains(r"^[+-]?\d+$"))).then(value)
    parts = parts.with_columns(pl.when(pl.col("unit_known")).then(value).alias("value"))
    if style.dots_group:
        direct = _regroup(text, direct)
    values = direct.scatter(parts["row"], parts["value"]) if parts.height else direct
    read, unread = parts.filter(pl.col("value").is_not_null()), parts.filter(pl.col("value").is_null())
    n_unreadable = unread.height
    if n_unreadable and read.height == n_present - n_unreadable and read["limit"].is_not_null().all():
        return _nothing(pl.Series(name, text), text.null_count(), None)  # "NO", "<30", ">30": names of groups
    return Numbers(
        values.rename(name), 1 - n_unreadable / n_present if n_present else 1.0, unit=unit,
        n_censored=int(read["limit"].is_not_null().sum()), n_units=int(read["unit"].is_not_null().sum()),
        n_unreadable=n_unreadable, n_codes=int(unread["text"].str.contains(_CODE).sum()),
        n_missing=text.null_count(), n_ambiguous=style.n_ambiguous,
        decimal_comma=style.decimal, thousands=style.thousands)


def _of_plain_alone(name: str, text: pl.Series, direct: pl.Series, unread: pl.Series,
                    decimal_comma: bool | None) -> Numbers:
    """A column of which nothing but the plain numbers can be read, if there are any."""
    n_missing, n_plain = text.null_count(), len(direct) - direct.null_count()
    if not n_plain:
        return _nothing(pl.Series(name, text), n_missing, None)
    return Numbers(direct.rename(name), 1 - len(unread) / (len(text) - n_missing), n_unreadable=len(unread),
                   n_codes=int(unread.str.contains(_CODE).sum()), n_missing=n_missing,
                   decimal_comma=bool(decimal_comma))


def _main_unit(units: pl.Series) -> tuple[str | None, pl.Series]:
    """The one unit of the column, and which cells carry no unit or that one. "5 mg" beside "5 g" is never mixed."""
    if units.null_count() == len(units):
        return None, units.is_null().alias("unit_known")
    plain = (units.str.to_lowercase().str.replace_all("μ", "µ").str.replace_all(r"[\[\]()]", "")
             .str.replace_all(r"\s+", "").str.strip_suffix("."))
    known = plain.filter(plain.is_in(list(UNITS)))
    if known.is_empty():
        return None, units.is_null().alias("unit_known")
    first = known.value_counts(sort=True).row(0)
    if first[1] < 0.9 * len(known):
        return None, units.is_null().alias("unit_known")
    is_it = plain == first[0]
    written = units.filter(is_it.fill_null(False)).mode().sort()[0]
    return written, (units.is_null() | is_it.fill_null(False)).alias("unit_known")


def _clean_digits() -> pl.Expr:
    """White space and apostrophes between groups of three digits are taken out; others make the cell unreadable."""
    number = pl.col("number").str.strip_chars(_SPACES).str.replace("−", "-")
    grouped = number.str.contains(rf"^[+-]?\d{{1,3}}(?:[{_SPACES}'’]\d{{3}})+(?:[.,]\d+)?$")
    bare = number.str.replace_all(rf"[{_SPACES}'’]", "")
    return (pl.when(grouped).then(bare).when(number.str.contains(rf"[{_SPACES}'’]")).then(None)
            .otherwise(number).alias("number"))


@dataclass(frozen=True, slots=True)
class _Style:
    decimal: bool
    thousands: bool
    dots_group: bool
    n_ambiguous: int


def _comma_style(number: pl.Series, wanted: bool | None) -> _Style:
    """What a comma means in this column, from the cells that leave no doubt."""
    cell = pl.col("number").str
    found = number.to_frame("number").select(
        cell.contains(r"^[+-]?[1-9]\d{0,2},\d{3}$").fill_null(False).alias("either"),
        cell.contains(r"^[+-]?\d{1,3}(?:,\d{2,3})*,\d{3}\.\d*$|^[+-]?\d{1,3}(?:,\d{2,3})+,\d{3}$").alias("groups"),
        cell.contains(r"^[+-]?\d{1,3}(?:\.\d{3})+,\d+$|^[+-]?\d{1,3}(?:\.\d{3}){2,}$").alias("dots"),
        cell.contains(r"^[+-]?\d*,\d+$").alias("comma"))
    either, groups, dots = found["either"], found["groups"], found["dots"]
    comma = found["comma"] & ~either
    n_groups, n_comma, n_either = int(groups.sum()), int(comma.sum() + dots.sum()), int(either.sum())
    told = n_groups + n_comma > 0
    decimal = n_comma > n_groups if told else bool(wanted)
    return _Style(decimal, bool(n_groups or dots.any() or (n_either and not decimal)), bool(decimal and dots.any()),
                  n_either if not told and wanted is None else 0)


def _as_number(number: pl.Expr, decimal: bool) -> pl.Expr:
    """Digits of one style to Float64; the other style is unreadable."""
    if decimal:
        shape, mark = r"^[+-]?(?:\d{1,3}(?:\.\d{3})+|\d*)(?:,\d*)?$", "."
    else:
        shape, mark = r"^[+-]?(?:\d{1,3}(?:,\d{2,3})*,\d{3}|\d*)(?:\.\d*)?$", ","
    bare = number.str.replace_all(mark, "", literal=True)
    if decimal:
        bare = bare.str.replace(",", ".", literal=True)
    plain = number.cast(pl.Float64, strict=False)  # "5" or "0.5" behind a limit or before a unit
    return pl.when(number.str.contains(shape)).then(bare.cast(pl.Float64, strict=False)).otherwise(plain)


def _regroup(text: pl.Series, direct: pl.Series) -> pl.Series:
    """In a column where dots group digits, "1.234" is one thousand two hundred and thirty-four."""
    grouped = text.str.contains(r"^[+-]?[1-9]\d{0,2}\.\d{3}$").fill_null(False)
    return direct.zip_with(~grouped, direct * 1000)
