"""The microphone in a real browser: where it cannot be used, the screen says what to do, and leads nowhere else."""

from __future__ import annotations

import pytest

from tests.e2e.served import served

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """With a folder that looks like a speech model: nothing is written down here."""
    home = tmp_path_factory.mktemp("served") / "home"
    folder = home / "pretrained" / "whisper-small"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "whisper"}')
    (folder / "model.safetensors").write_bytes(b"")
    with served(home) as running:
        yield running


def recorded(screen) -> str:
    """What stands in the microphone's place after a press on it, as it is drawn."""
    screen.get_by_role("button", name="Co-pilot", exact=True).click()
    screen.get_by_role("button", name="Record").click()
    words = screen.get_by_test_id("stAudioInputWaveSurfer").locator("xpath=preceding-sibling::div/span")
    words.wait_for()
    assert words.evaluate("each => getComputedStyle(each).fontSize") == "0px", "Streamlit's own words are not drawn"
    return words.evaluate("each => getComputedStyle(each, '::after').content")


def test_a_machine_without_a_microphone_is_said_in_words_of_ours(screen):
    """As is a recording that the server did not take: Streamlit has one sentence for both, “try again”."""
    assert recorded(screen).strip('"') == ("MedML got no recording. See that there is a microphone, record 30 seconds "
                                           "at most, or type.")


def test_a_browser_that_keeps_the_microphone_to_itself_leads_to_no_page_of_others(screen):
    """Streamlit's own words lead to a page of its makers, on the internet."""
    screen.evaluate("""() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(
                           new DOMException("Permission denied", "NotAllowedError")); }""")
    assert "Allow it beside the address and reload, or type." in recorded(screen)
    own = screen.evaluate("location.origin")
    assert set(screen.locator("a:visible").evaluate_all("all => all.map(each => each.origin)")) == {own}
