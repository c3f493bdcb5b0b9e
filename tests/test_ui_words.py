"""Words and numbers of the screens: names stay text, figures read as a person says them."""

from __future__ import annotations

import ast
import html
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from medml.families.family import Param
from medml.profile import propose_choice, scan
from medml.profile.notes import FIXES
from medml.recipe import propose_recipe
from medml.types import Check, Metric
from pages import _scan_tables as tables
from pages import _ui_checks as checks
from pages import _ui_figures as figures
from pages import _ui_forms as forms
from pages import _ui_gallery as gallery
from pages import _ui_plain as plain
from pages import _ui_words as words
from pages._ui_plan import left_by_cleanup, task_sentence

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", ["![x](http://evil/a.png)", "<script>alert(1)</script>", "[a](javascript:1)",
                                  ":red[x]", "**b** _i_ `c` $x$", "~~s~~ # h", "a|b", ":material/home:",
                                  "www.evil.example"])
def test_a_name_in_markdown_has_every_meaningful_character_escaped(name):
    shown = plain.plain(name)
    bare = [each for at, each in enumerate(shown) if each in "![]()<>*_`$~#|:." and (at == 0 or shown[at - 1] != "\\")]
    assert bare == []


@pytest.mark.parametrize("name", ["Alter (Jahre)", "hb_g_dl", "T-Stage", "HER2+", "CRP (mg/l)", "Fal-Nr.", "d'Âge",
                                  "pH 7.4", "Größe in %", "2nd visit"])
def test_a_name_without_markup_is_a_label_as_it_stands_for_who_hears_the_screen(name):
    """Streamlit 1.67 puts the label, backslashes and all, into a field's aria-label."""
    assert plain.plain(name) == name


@settings(max_examples=3_000)
@given(st.sampled_from(["a", "1", "12.", ""]),
       st.sampled_from([*"*`~[]<>#+!|$:@/&\"'=^{}\\_.-)(", "www.", "http://", "&lt;", "<a>", "[a](b)"]),
       st.lists(st.sampled_from(["mark", "mark", *"ab1  _()-."]), max_size=8))
def test_what_is_not_escaped_is_no_markup(first, mark, rest):
    """By markdown-it, an implementation of CommonMark 0.31, with GitHub's strikethrough and tables."""
    shown = " ".join(f"{first}{''.join(mark if each == 'mark' else each for each in rest)}".split())
    drawn = MarkdownIt("commonmark").enable(["strikethrough", "table"]).render(plain.plain(shown))
    letters = html.escape(shown).replace("&#x27;", "'")
    assert drawn.replace(plain.JOINER, "") == (f"<p>{letters}</p>\n" if shown else "")


def test_a_name_in_html_is_escaped_with_its_quotes():
    assert plain.html('<b title="x">&\'') == "&lt;b title=&quot;x&quot;&gt;&amp;&#x27;"


def test_characters_that_hide_or_turn_text_are_left_out():
    """U+202E turns what follows round, so that "fdp.exe" reads "exe.pdf"."""
    assert plain.clean("age\u202e\u200b\x00\nnext") == "age next"


def test_a_long_name_is_cut_with_a_sign():
    assert plain.clean("x" * 300, 10) == "xxxxxxxxx…"


@pytest.mark.parametrize("value, shown", [
    (None, "–"), (0, "0"), (1234567.0, "1,230,000"), (0.0456, "0.0456"), (12.34, "12.3"), (100.0, "100"),
    (0.00001234, "1.23e-05"), (-3.14159, "-3.14"), (999.9, "1,000"), (2.5e10, "2.5e+10")])
def test_a_number_keeps_three_significant_digits(value, shown):
    assert words.number(value) == shown


@pytest.mark.parametrize("share, shown", [(0, "0 %"), (0.123, "12 %"), (0.001, "under 1 %"), (1, "100 %"), (None, "–")])
def test_a_share_never_reads_as_nothing_where_it_is_something(share, shown):
    assert words.percent(share) == shown


@pytest.mark.parametrize("share, shown", [(0.0002, "under 0.1 %"), (0.0006, "0.1 %"), (0.5, "50.0 %")])
def test_a_share_with_a_decimal_never_reads_as_nothing_either(share, shown):
    assert words.percent(share, 1) == shown


@pytest.mark.parametrize("n, exact, shown", [(12_345, False, "about 12,000"), (987, False, "about 990"),
                                             (12_345, True, "12,345")])
def test_an_estimated_count_shows_no_more_digits_than_it_has(n, exact, shown):
    assert words.about(n, exact) == shown


def test_long_words_break_at_their_joints_and_short_ones_never():
    assert words.breakable("mean <corpuscular> volume") == "mean &lt;corpuscular&gt; volume"
    assert words.breakable("time_of_last_known_follow_up") == "time_<wbr>of_<wbr>last_<wbr>known_<wbr>follow_<wbr>up"
    assert words.breakable("a" * 45) == f"{'a' * 20}<wbr>{'a' * 20}<wbr>{'a' * 5}"


def codes_of_suspicions() -> set[str]:
    """Every code that the library writes down as a suspicion of a column."""
    places = [each for each in (ROOT / "medml" / "profile").rglob("*.py")]
    calls = [node for each in places for node in ast.walk(ast.parse(each.read_text(encoding="utf-8")))
             if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("caution", "note", "Suspicion")]
    return {call.args[0].value for call in calls if call.args and isinstance(call.args[0], ast.Constant)} | set(FIXES)


def test_every_suspicion_has_plain_words_for_its_chip():
    codes = codes_of_suspicions()
    assert len(codes) > 15
    assert codes - set(tables.REMARKS) == set()


def test_a_column_with_gaps_in_less_than_half_of_its_rows_is_not_called_mostly_missing(tmp_path):
    from medml.copilot.snapshot import snapshot
    from medml.copilot.told import as_text
    from medml.profile import scan

    (tmp_path / "t.csv").write_text("lactate,ward,died\n" + "".join(
        f"{'' if at % 50 < 23 else 1 + at % 7 / 10},{'ab'[at % 2]},{at % 3 % 2}\n" for at in range(200)))
    found = scan(tmp_path)
    column = found.tables[0].column("lactate")
    assert column.missing / 200 == 0.46
    assert "mostly missing" not in [tables.remark(each.code) for each in column.suspicions]
    text = as_text(snapshot(found, stage="scan"), "scan", "", 4000)
    assert "46 % missing" in text and "mostly missing" not in text


@pytest.mark.parametrize("n, shown", [(1, "1 row"), (0, "0 rows"), (1234, "1,234 rows")])
def test_counts_agree_with_their_noun(n, shown):
    assert words.count(n, "row") == shown


@pytest.mark.parametrize("n_bytes, shown", [(12, "12 B"), (1500, "2 kB"), (2_340_000, "2.3 MB"), (1.2e9, "1.2 GB")])
def test_sizes_in_words(n_bytes, shown):
    assert words.size(n_bytes) == shown


@pytest.mark.parametrize("seconds, shown", [(0.2, "under a second"), (12, "12 s"), (600, "10 min"), (9000, "2.5 h"),
                                             (80_000, "22 h"), (None, "–")])
def test_durations_in_words(seconds, shown):
    assert words.duration(seconds) == shown


def test_a_moment_is_said_as_seen_from_now():
    now = time.time()
    assert words.when(now - 5) == "just now"
    assert words.when(now - 130) == "2 minutes ago"
    assert words.when(datetime(2020, 5, 1, 12, tzinfo=UTC).isoformat()).startswith("1 May 2020")
    assert words.when(None) == "–"
    noon = datetime.now().replace(hour=12, minute=5, second=0, microsecond=0)
    assert words.when((noon - timedelta(1)).timestamp()) == "yesterday, 12:05"
    assert words.when((noon + timedelta(1)).timestamp()) == "tomorrow, 12:05"


def test_a_figure_has_its_interval_beside_it_with_as_many_decimals():
    shown = figures.figure("AUROC", Metric(value=0.9, low=0.8512, high=0.9388, n=303))
    assert ">0.900<" in shown
    assert "0.851 to 0.939" in shown
    assert "n = 303" in shown


@pytest.mark.parametrize("metric", [None, Metric(value=None, low=None, high=None, n=4)])
def test_a_figure_that_could_not_be_told_says_so(metric):
    assert "Could not tell" in figures.figure("AUROC", metric)


def test_a_zone_is_named_and_stands_on_its_side():
    penalty = Param("penalty", "Penalty", "How strong.", 3.0, 0, 10, kind="float", zones=(1, 5), more_is="cautious")
    assert 'aria-label="cautious; usual: 3 (1 to 5)"' in forms.track(penalty, 8)
    assert 'aria-label="usual; usual: 3 (1 to 5)"' in forms.track(penalty, 3)
    segments = forms.track(penalty, 8).split("</span>")
    assert "m-zone-cautious" in segments[2]  # more is cautious: the cautious end is on the right


def test_the_sentence_over_the_checks_counts_every_one_that_asks_for_something():
    def made(*verdicts):
        return [Check(id="L1", title="Split by patient", verdict=each, what="So it is.") for each in verdicts]
    assert checks.summary(made("pass", "warn", "could_not_tell", "info")) == \
        "4 checks were made: 1 should be looked at, 1 could not tell."
    assert checks.summary(made("pass", "info")) == "2 checks were made; none asks for anything."


@pytest.mark.parametrize("text", ["http://192.0.2.1/x", "HTTPS://evil.example", "see www.evil.example", "file://x",
                                  "jane@evil.example", "WWW.evil.example"])
def test_an_address_in_a_name_becomes_no_link(text):
    """GitHub Flavored Markdown 6.9 makes links of these, escaped or not; the joiner that prevents it has no width."""
    shown = re.sub(r"\\(.)", r"\1", plain.plain(text))
    assert not re.search(r"https?://|www\.|@\w", shown, re.IGNORECASE)
    assert shown.replace(plain.JOINER, "") == text


@pytest.mark.parametrize("name, unit, shown", [
    ("Alter (Jahre)", "Jahre", ""), ("crp_mg", "mg", ""), ("Weight [KG]", "kg", ""), ("Age", "g", "g"),
    ("Hb", "g/dl", "g/dl"), ("Hb", None, ""), ("Jahre bis heute", "Jahre", "Jahre")])
def test_a_unit_is_said_once(name, unit, shown):
    assert words.unit_beside(name, unit) == shown


def test_configure_counts_the_columns_that_cleanup_leaves(tmp_path):
    lines = ["seen,ward,age,sick"]
    lines += [f"2021-03-{row % 28 + 1:02},{'abc'[row % 3]},{row % 40},{'yn'[row % 2]}" for row in range(200)]
    (tmp_path / "ward.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    profile = scan(tmp_path)
    table, choice = profile.tables[0], propose_choice(profile, target="sick").model_copy(update={"leave_out": []})
    recipe = propose_recipe(table, choice, "0" * 64)
    assert left_by_cleanup(table, choice, recipe) == 1  # the date; Cleanup says "3 → 2 columns to learn from"
    off = recipe.model_copy(update={"steps": [each.model_copy(update={"on": False}) for each in recipe.steps]})
    assert left_by_cleanup(table, choice, off) == 0


def test_counts_of_two_models_side_by_side_are_written_as_everywhere():
    assert gallery._short(3751) == "3,751" and gallery._short("ward.csv") == "ward.csv" and gallery._short("") == "–"


def test_classes_that_may_not_be_named_are_not_said_to_be_none(tmp_path):
    """Of 4 classes the 8 rows of one hide another: the model is no model of two classes."""
    classes = ["well"] * 120 + ["ill"] * 60 + ["worse"] * 12 + ["worst"] * 8
    lines = ["crp,state", *(f"{at % 37},{each}" for at, each in enumerate(classes))]
    (tmp_path / "ward.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    profile = scan(tmp_path)
    said = task_sentence(profile.tables[0], propose_choice(profile, target="state"))
    assert "well, ill and rarer ones apart" in said and "worst" not in said


def test_classes_of_too_few_patients_to_name_are_not_called_yes(tmp_path):
    """7 and 6 patients: the scan names neither class, and neither is called “yes” in the file."""
    lines = ["crp,finding", *(f"{each},{'normal' if each % 2 else 'pneumonia'}" for each in range(13))]
    (tmp_path / "ward.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    profile = scan(tmp_path)
    said = task_sentence(profile.tables[0], propose_choice(profile, target="finding"))
    assert "to tell the two answers of “finding” apart" in said and "yes" not in said
