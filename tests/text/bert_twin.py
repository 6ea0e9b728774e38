"""A tiny BERT that the tests make, and independent versions of what tfanime computes with one.

`basic_tokens` and `token_ids` follow the published algorithm with Python's own string functions;
`forward` is the encoder in NumPy, float64.
"""

from __future__ import annotations

import json
import math
import unicodedata

import numpy as np

_TOKENS = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] a b c d e f g h i j k l m n o p q r s t u v w x y z ##a ##b "
    "##c ##d ##e ##f ##g ##h ##i ##j ##k ##l ##m ##n ##o ##p ##q ##r ##s ##t ##u ##v ##w ##y ##z "
    "##x the moon red sword ##man ##men lone ##ly hair blue ##ss strass strasse . , ! ? - ' \" ( ) "
    "[ ] $ ^ ` 0 1 2 3 ##0 ##1 東 京 月 の ピ ##カ ##ハ ß ##ß ᄒ ##ᅡ ##ᆫ ı σ ##ς ##σ ##α 。 「 」 ¿"
)
VOCABULARY = list(dict.fromkeys(_TOKENS.split()))
HEADS, WIDTH, LAYERS, INNER, PLACES = 2, 8, 2, 12, 40

TEXTS = [
    "the lonely swordsman",
    "",
    "   ",
    "Red MOON, red hair!",
    "Café naïve ÅNGSTRÖM résumé",
    "東京の月 moon月red",
    "ピカハ 「東京」。",
    "STRASSE Straße",
    "한 ΣΑΣ İı",
    "a\u200bb c\x00d \ufffde\tf\r\ng\x07h i\u2028j\u00a0k\u3000l",
    "$^` [CLS] [UNK] isn't (a-b) ¿q?",
    "m" * 100 + " " + "m" * 101 + " " + "東" * 3,
    "é" * 99 + " " + "é" * 101,
    "the moon " * 200,
    "xyz§¤ 😀 moon",
    "e\u0301a",
]


def make_checkpoint(folder, seed=0, **config):
    """Files as PyTorch's libraries write them, with random weights; returns the weights."""
    from safetensors.numpy import save_file

    weights = random_weights(np.random.default_rng(seed))
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "model.safetensors")
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    shape = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": WIDTH,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": PLACES,
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
    }
    (folder / "config.json").write_text(json.dumps({**shape, **config}), encoding="utf-8")
    return weights


def random_weights(rng):
    """Every array of the format; of a size that gives attention and gates something to do."""

    def array(*shape):
        return rng.normal(0, 0.6, shape).astype(np.float32)

    weights = {
        "embeddings.word_embeddings.weight": array(len(VOCABULARY), WIDTH),
        "embeddings.position_embeddings.weight": array(PLACES, WIDTH),
        "embeddings.token_type_embeddings.weight": array(2, WIDTH),
        "embeddings.position_ids": np.arange(PLACES)[None],
    }
    sizes = {"pooler.dense": (WIDTH, WIDTH)}
    norms = ["embeddings.LayerNorm"]
    for i in range(LAYERS):
        name = f"encoder.layer.{i}."
        for part in ("query", "key", "value"):
            sizes[f"{name}attention.self.{part}"] = (WIDTH, WIDTH)
        sizes[f"{name}attention.output.dense"] = (WIDTH, WIDTH)
        sizes[f"{name}intermediate.dense"] = (INNER, WIDTH)
        sizes[f"{name}output.dense"] = (WIDTH, INNER)
        norms += [f"{name}attention.output.LayerNorm", f"{name}output.LayerNorm"]
    for name, shape in sizes.items():
        weights |= {f"{name}.weight": array(*shape), f"{name}.bias": array(shape[0])}
    for name in norms:
        weights |= {f"{name}.weight": 1 + array(WIDTH), f"{name}.bias": array(WIDTH)}
    return weights


def basic_tokens(text: str) -> list[str]:
    """Devlin et al.'s `BasicTokenizer` for uncased models."""
    spaced = []
    for char in text:
        category = unicodedata.category(char)
        if char in " \t\n\r" or category == "Zs":
            spaced.append(" ")
        elif ord(char) in (0, 0xFFFD) or category in ("Cc", "Cf"):
            continue
        else:
            spaced.append(f" {char} " if _ideograph(ord(char)) else char)
    tokens = []
    for word in "".join(spaced).split():
        plain = unicodedata.normalize("NFD", word.lower())
        current = ""
        for char in plain:
            if unicodedata.category(char) == "Mn":
                continue
            if _punctuation(char):
                tokens += [current, char]
                current = ""
            else:
                current += char
        tokens.append(current)
    return [token for token in tokens if token]


def word_pieces(word: str, known) -> list[str]:
    """Devlin et al.'s `WordpieceTokenizer`: the longest known piece, again and again."""
    if len(word) > 100:
        return ["[UNK]"]
    pieces, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in known:
                pieces.append(piece)
                start = end
                break
        else:
            return ["[UNK]"]
    return pieces


def token_ids(text: str, vocabulary, length: int) -> list[int]:
    known = {token: i for i, token in enumerate(vocabulary)}
    pieces = [p for word in basic_tokens(text) for p in word_pieces(word, known)]
    return [known[p] for p in ("[CLS]", *pieces[: length - 2], "[SEP]")]


def _ideograph(code: int) -> bool:
    ranges = (
        (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F),
        (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
    )  # fmt: skip
    return any(low <= code <= high for low, high in ranges)


def _punctuation(char: str) -> bool:
    code = ord(char)
    symbols = 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126
    return symbols or unicodedata.category(char).startswith("P")


def forward(weights, ids, mask, layers=LAYERS, heads=HEADS, epsilon=1e-12):
    """`(sequence (B, T, D), pooled (B, D))` of token ids and mask `(B, T)`, in float64."""
    w = {name: np.asarray(x, np.float64) for name, x in weights.items()}

    def dense(name, x):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(name, x):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)
        return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]

    gauss = np.vectorize(lambda v: 0.5 * (1 + math.erf(v / math.sqrt(2))))
    width = w["embeddings.word_embeddings.weight"].shape[1]
    x = w["embeddings.word_embeddings.weight"][ids]
    x = x + w["embeddings.position_embeddings.weight"][: ids.shape[1]]
    x = norm("embeddings.LayerNorm", x + w["embeddings.token_type_embeddings.weight"][0])
    for i in range(layers):
        name = f"encoder.layer.{i}."
        q, k, v = (dense(f"{name}attention.self.{p}", x) for p in ("query", "key", "value"))
        found = np.zeros_like(x)
        size = width // heads
        for h in range(heads):
            part = slice(h * size, (h + 1) * size)
            scores = np.einsum("bid,bjd->bij", q[..., part], k[..., part]) / math.sqrt(size)
            scores = np.where(mask[:, None, :] > 0, scores, -np.inf)
            share = np.exp(scores - scores.max(-1, keepdims=True))
            share /= share.sum(-1, keepdims=True)
            found[..., part] = np.einsum("bij,bjd->bid", share, v[..., part])
        x = norm(
            f"{name}attention.output.LayerNorm", x + dense(f"{name}attention.output.dense", found)
        )
        inner = dense(f"{name}intermediate.dense", x)
        found = dense(f"{name}output.dense", inner * gauss(inner))
        x = norm(f"{name}output.LayerNorm", x + found)
    return x, np.tanh(dense("pooler.dense", x[:, 0]))
