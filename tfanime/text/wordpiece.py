"""The tokeniser of uncased BERT as a TensorFlow graph with the interface of a TF-Hub preprocessor.

Follows the released `tokenization.py` of Devlin et al. 2019 step by step. TF-Text's own
`BertTokenizer` differs from it in three points: it puts a space where a control character was,
folds case (a German sharp s becomes "ss") and measures the longest word in bytes.

Reference:
    [Devlin et al., 2019](https://arxiv.org/abs/1810.04805)
"""

from __future__ import annotations

import os

import tensorflow as tf
import tensorflow_text as tf_text

CLS, SEP, PAD, UNKNOWN = "[CLS]", "[SEP]", "[PAD]", "[UNK]"
LONGEST_WORD = 100  # characters; a longer word is unknown
# Punctuation, which includes all of ASCII that is no letter, digit or space, and CJK ideographs:
# each a token of its own.
_ALONE = (
    r"[!-/:-@\[-`{-~]|\p{P}|[\x{4E00}-\x{9FFF}]|[\x{3400}-\x{4DBF}]|[\x{20000}-\x{2A6DF}]|"
    r"[\x{2A700}-\x{2B73F}]|[\x{2B740}-\x{2B81F}]|[\x{2B820}-\x{2CEAF}]|[\x{F900}-\x{FAFF}]|"
    r"[\x{2F800}-\x{2FA1F}]"
)
LENGTH = 256  # tokens of a text, [CLS] and [SEP] included, unless asked for otherwise


class Preprocessor(tf.Module):
    """Texts `(B,)` to `{"input_word_ids", "input_mask", "input_type_ids"}`, int32 `(B, T)`.

    T is that of the longest text, at most `length`. As TF-Hub's preprocessors it also has
    `tokenize` and `bert_pack_inputs`, for another length.

    Args:
        vocabulary: file with one token a line; the line's number is its id.
        length: most tokens of a text, [CLS] and [SEP] included.
    """

    def __init__(self, vocabulary: str | os.PathLike, length: int = LENGTH):
        super().__init__(name="bert_preprocessor")
        with open(vocabulary, encoding="utf-8") as file:
            ids = {line.rstrip("\n"): i for i, line in enumerate(file)}
        missing = [token for token in (CLS, SEP, PAD, UNKNOWN) if token not in ids]
        if missing:
            raise ValueError(
                f"A BERT vocabulary holds {CLS}, {SEP}, {PAD} and {UNKNOWN}, one token a line. "
                f"Received: {os.fspath(vocabulary)!r} without {', '.join(missing)}."
            )
        self._first, self._last, self._pad = ids[CLS], ids[SEP], ids[PAD]
        self.length = length
        self.vocabulary = tf.saved_model.Asset(os.fspath(vocabulary))
        self.table = tf.lookup.StaticVocabularyTable(
            tf.lookup.TextFileInitializer(
                self.vocabulary,
                tf.string,
                tf.lookup.TextFileIndex.WHOLE_LINE,
                tf.int64,
                tf.lookup.TextFileIndex.LINE_NUMBER,
            ),
            num_oov_buckets=1,
        )
        self._pieces = tf_text.WordpieceTokenizer(
            self.table,
            unknown_token=UNKNOWN,
            token_out_type=tf.int32,
            max_bytes_per_word=4 * LONGEST_WORD,
        )

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="text")])
    def __call__(self, text):
        return self._pack(self._tokenize(text), self.length, padded=False)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="text")])
    def tokenize(self, text):
        """Ids of the word pieces: ragged int32 `(B, words, pieces)`."""
        return self._tokenize(text)

    @tf.function(
        input_signature=[
            [tf.RaggedTensorSpec((None, None, None), tf.int32)],
            tf.TensorSpec((), tf.int32, name="seq_length"),
        ]
    )
    def bert_pack_inputs(self, inputs, seq_length):
        """As `__call__`, from `[tokenize(text)]`, cut and padded to `seq_length`."""
        return self._pack(inputs[0], seq_length, padded=True)

    def _tokenize(self, text):
        text = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="ignore")
        text = tf.strings.regex_replace(text, r"[\t\n\r\p{Zs}\p{Zl}\p{Zp}]", " ")
        text = tf.strings.regex_replace(text, r"[\p{Cc}\p{Cf}\x{FFFD}]", "")
        text = tf_text.normalize_utf8(tf.strings.lower(text, encoding="utf-8"), "NFD")
        text = tf.strings.regex_replace(text, r"\p{Mn}", "")
        words = tf_text.regex_split(text, rf"\s+|{_ALONE}", _ALONE)

        def known_length(flat):
            long = tf.strings.length(flat, unit="UTF8_CHAR") > LONGEST_WORD
            return tf.where(long, UNKNOWN, flat)

        return self._pieces.tokenize(tf.ragged.map_flat_values(known_length, words))

    def _pack(self, pieces, length, padded: bool):
        rows = pieces.merge_dims(-2, -1)[:, : length - 2]
        count = rows.bounding_shape(axis=0, out_type=tf.int64)
        edge = tf.ones(tf.stack([count, 1]), tf.int32)
        rows = tf.concat([edge * self._first, rows, edge * self._last], axis=1)
        width = tf.cast(length, tf.int64) if padded else rows.bounding_shape(axis=1)
        shape = tf.stack([count, width])
        ids = rows.to_tensor(self._pad, shape=shape)
        mask = tf.sequence_mask(rows.row_lengths(), width, tf.int32)
        return {
            "input_word_ids": ids,
            "input_mask": mask,
            "input_type_ids": tf.zeros_like(ids),
        }


def save(preprocessor: Preprocessor, folder: str | os.PathLike) -> None:
    """Writes it as a SavedModel whose serving signature takes `text`."""
    signature = preprocessor.__call__.get_concrete_function()
    tf.saved_model.save(preprocessor, os.fspath(folder), {"serving_default": signature})
