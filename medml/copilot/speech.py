"""A spoken question as text, by a Whisper model from a folder on this machine; never downloaded, nothing kept.

A folder under home()/pretrained whose config.json says "whisper" holds a model as transformers saves it (config.json,
generation_config.json, model.safetensors, the tokenizer's and the feature extractor's JSON). Weights are read as
safetensors alone and no code of the folder is run. Sound goes in by a pipe and text comes out: neither is written.
"""

from __future__ import annotations

import base64
import binascii
import functools
import io
import json
import os
import wave
from pathlib import Path
from typing import Any

import numpy as np

from medml import home
from medml.errors import UserError

RATE = 16_000  # samples a second, as Whisper was trained on (Radford et al. 2022)
LONGEST = 30.0  # seconds: what the model hears at once
MOST_TOKENS = 128  # of a question


def model_folder() -> Path | None:
    """The folder of a Whisper model that a person put under home()/pretrained; None where there is none."""
    for each in sorted((home.home() / "pretrained").glob("*/config.json")):
        try:
            kind = json.loads(each.read_text(encoding="utf-8")).get("model_type")
        except (OSError, ValueError, AttributeError):
            continue  # not a model's description
        if kind == "whisper" and (each.parent / "model.safetensors").is_file():
            return each.parent
    return None


def how_to_add() -> str:
    """A sentence for those who have none."""
    return (f"To speak instead of typing, put a Whisper model as a folder of its own into {home.home() / 'pretrained'} "
            "(config.json, model.safetensors and the other files it comes with): a microphone then appears here.")


def written_down(sound: bytes) -> str:
    """What was said, as text ("" where nothing was understood).

    sound   a WAV file of 16-bit samples, 16,000 a second, one channel or more, at most 30 s
    raises  UserError where there is no model, it cannot be used, or the recording is too long or no such file
    """
    folder = model_folder()
    if folder is None:
        raise UserError(what="There is no model on this machine that understands speech.", fix=how_to_add(),
                        code="no_speech")
    samples = _samples(sound)
    processor, model = _loaded(str(folder), (folder / "model.safetensors").stat().st_mtime_ns)
    heard = processor(samples, sampling_rate=RATE, return_tensors="pt", return_attention_mask=True)
    only_english = not getattr(model.generation_config, "is_multilingual", False)
    import torch

    with torch.inference_mode():
        said = model.generate(**heard, max_new_tokens=MOST_TOKENS, **({} if only_english else {"task": "transcribe"}))
    return processor.batch_decode(said, skip_special_tokens=True)[0].strip()


def written_down_of(about: dict[str, Any]) -> dict[str, np.ndarray]:
    """The same through the pipe of a child: {"sound": base64} -> {"text": one string}."""
    try:
        sound = base64.b64decode(about["sound"], validate=True)
    except binascii.Error as broken:
        raise ValueError("the sound must be base64") from broken
    return {"text": np.array(written_down(sound))}


def _samples(sound: bytes) -> np.ndarray:
    """(n,) float32 in [-1, 1], the channels' mean."""
    try:
        with wave.open(io.BytesIO(sound)) as recording:
            shape = recording.getsampwidth(), recording.getframerate()
            channels, n = recording.getnchannels(), recording.getnframes()
            if shape != (2, RATE):
                raise wave.Error("16-bit samples, 16,000 a second")
            if n > LONGEST * RATE:
                raise UserError(what=f"This is longer than {LONGEST:.0f} seconds.", code="too_long",
                                fix="Ask in one or two sentences.")
            values = np.frombuffer(recording.readframes(n), dtype="<i2")
    except (wave.Error, EOFError, ValueError) as broken:
        raise UserError(what="This recording cannot be read.", fix="Record it again, or type your question.",
                        code="no_sound") from broken
    values = values[:len(values) // channels * channels].reshape(-1, channels)
    return values.mean(axis=1, dtype=np.float32) / 32768


@functools.lru_cache(maxsize=1)
def _loaded(folder: str, changed: int) -> tuple[Any, Any]:
    """(processor, model) of a folder; read again when its weights were replaced."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    from medml.vision.shim import torchvision

    torchvision()  # transformers imports it
    from safetensors import SafetensorError

    try:
        from transformers import WhisperForConditionalGeneration, WhisperProcessor
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        processor = WhisperProcessor.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model = WhisperForConditionalGeneration.from_pretrained(folder, local_files_only=True, use_safetensors=True,
                                                                trust_remote_code=False)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as broken:
        raise UserError(what=f"The speech model in {folder} cannot be used.", code="bad_speech_model",
                        fix="Put the whole folder there again; until then, type your question.") from broken
    return processor, model.eval()
