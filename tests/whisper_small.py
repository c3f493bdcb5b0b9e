"""A Whisper model of 20 kB that was taught two words in two seconds: a low tone is "low", a high one is "high".

The real classes of transformers, written as a folder as a person would put one on a machine.
"""

from __future__ import annotations

import io
import json
import wave
from pathlib import Path

import numpy as np

from medml.copilot.speech import RATE

WORDS = {"low": 440.0, "high": 1760.0}  # Hz
MARKS = ("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>",
         "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>")


def tone(hertz: float, seconds: float = 1.0, loudness: float = 0.3) -> np.ndarray:
    """(n,) float32 in [-1, 1]."""
    return (loudness * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def wav(samples: np.ndarray, *, rate: int = RATE, channels: int = 1) -> bytes:
    """A recording as a browser's microphone gives it."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat((samples * 32767).astype("<i2"), channels).tobytes())
    return out.getvalue()


def teach(folder: Path) -> Path:
    """Make the model in that folder."""
    from medml.vision.shim import torchvision

    torchvision()
    import torch
    from transformers import (
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )

    letters = {chr(code): place for place, code in enumerate(range(ord("a"), ord("z") + 1))}
    vocabulary = letters | {mark: len(letters) + place for place, mark in enumerate(MARKS)}
    ear = WhisperFeatureExtractor(chunk_length=2)
    WhisperProcessor(ear, WhisperTokenizer(vocab=vocabulary, merges=[])).save_pretrained(folder)
    end, begin = vocabulary["<|endoftext|>"], vocabulary["<|startoftranscript|>"]
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(WhisperConfig(
        vocab_size=len(vocabulary), d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, max_source_positions=100, dropout=0.0,
        decoder_start_token_id=begin, eos_token_id=end, pad_token_id=end, bos_token_id=end,
        begin_suppress_tokens=None))
    heard = ear([tone(hertz) for hertz in WORDS.values()], sampling_rate=RATE, return_tensors="pt").input_features
    said = [[begin, vocabulary["<|en|>"], vocabulary["<|transcribe|>"], vocabulary["<|notimestamps|>"],
             *(vocabulary[letter] for letter in word), end] for word in WORDS]
    longest = max(map(len, said))
    given = torch.tensor([each + [end] * (longest - len(each)) for each in said])  # (word, place)
    wanted = torch.tensor([each + [-100] * (longest - len(each)) for each in said])
    steps = torch.optim.AdamW(model.parameters(), lr=1e-2)
    model.train()
    for _ in range(150):
        model(input_features=heard, decoder_input_ids=given[:, :-1], labels=wanted[:, 1:]).loss.backward()
        steps.step()
        steps.zero_grad()
    model.save_pretrained(folder)
    about = {"eos_token_id": end, "bos_token_id": end, "pad_token_id": end, "decoder_start_token_id": begin,
             "is_multilingual": True, "lang_to_id": {"<|en|>": vocabulary["<|en|>"]},
             "task_to_id": {"transcribe": vocabulary["<|transcribe|>"], "translate": vocabulary["<|translate|>"]},
             "no_timestamps_token_id": vocabulary["<|notimestamps|>"], "max_length": 40,
             "prev_sot_token_id": vocabulary["<|startofprev|>"]}
    (folder / "generation_config.json").write_text(json.dumps(about))
    return folder
