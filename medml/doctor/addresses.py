"""Which other addresses an administrator allowed, and where the language model is."""

from __future__ import annotations

import os
from collections.abc import Iterator

from medml.doctor import Finding, found, look
from medml.doctor.scene import Scene


def listed(variable: str) -> list[str]:
    """The addresses in an environment variable, separated by commas."""
    return [each.strip() for each in os.environ.get(variable, "").split(",") if each.strip()]


@look("Nothing leaves")
def allowed(scene: Scene) -> Iterator[Finding]:
    """MEDML_ALLOW_HOSTS opens the tripwire, MEDML_HOSTS gives the app more names."""
    for variable, setting, none, some in (
            ("MEDML_ALLOW_HOSTS", "Addresses that may be reached", "None but this machine.",
             "An administrator allowed"),
            ("MEDML_HOSTS", "More names of this app", "None: it answers as 127.0.0.1 and localhost.",
             "An administrator added")):
        there = listed(variable)
        if there:
            yield found("amber", setting, f"{some} {', '.join(there)}.", "See that each is a machine of your own house;"
                        f" else take it out of {variable} and start MedML again.", how=f"{variable} of this process.")
        else:
            yield found("green", setting, none, how=f"{variable} of this process.")


@look("Nothing leaves")
def language_model(scene: Scene) -> Iterator[Finding]:
    """Ollama on this machine or where an administrator listed it, without proxies and without cloud models."""
    from medml.copilot import Settings, Unavailable, is_here, models
    from medml.copilot.chat import address

    setting, how = "Language model of the co-pilot", "MEDML_OLLAMA_HOST, and the server's own list of models."
    try:
        place = address(Settings())
    except Unavailable as refused:
        yield found("red", setting, refused.why, "Take MEDML_OLLAMA_HOST out, or have the address listed in "
                    "MEDML_ALLOW_HOSTS by your administrator.", how=how)
        return
    where = "on this machine" if is_here(Settings()) else f"at {place}, which an administrator listed"
    try:
        usable = models(Settings(connect=0.5))
    except Unavailable:
        yield found("green", setting, f"None answers {where}; the built-in adviser does.", how=how)
        return
    yield found("green" if is_here(Settings()) else "amber", setting, f"Ollama {where} offers {len(usable)} usable "
                f"model{'' if len(usable) == 1 else 's'}; those of a cloud are never used.",
                "" if is_here(Settings()) else "What the co-pilot is asked leaves this machine for that one.", how=how)
