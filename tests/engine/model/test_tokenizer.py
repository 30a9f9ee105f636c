"""The tokenizer gives open_clip's ids."""

import json
import random
from pathlib import Path

import pytest
from open_clip.tokenizer import SimpleTokenizer

from sonorama.engine.model.joint_space import FIRST_WORD, PADDING, UNKNOWN, token_rows
from sonorama.engine.model.tokenizer import END, START, encode, tokenize

ROOT = Path(__file__).parents[3]
ODD = (
    "", "  ", "!", "it's DON'T they'll\u2019s", "naïve café", "Wüste \ud800", "日本語の雨", "🌊🌋 fire!!!",
    "&amp;amp; &lt;b&gt;", "a" * 200, "x1y22 3.5km", "\tnew\nline", "ﬁre", "İstanbul", "schÃ¶n", "٣٤ ½ Ⅳ", "e\u0301",
)  # fmt: skip


@pytest.fixture(scope="module")
def reference() -> SimpleTokenizer:
    return SimpleTokenizer(context_length=77)


def noise(count: int) -> list[str]:
    dice = random.Random(3)
    ranges = ((32, 127), (32, 127), (128, 0x600), (0x20, 0x1FBFF))
    return ["".join(chr(dice.randrange(*dice.choice(ranges))) for _ in range(dice.randrange(30))) for _ in range(count)]


def test_ids_are_open_clip_s(reference: SimpleTokenizer) -> None:
    assert [reference.sot_token_id, reference.eot_token_id] == [START, END]
    captions = json.dumps(json.loads((ROOT / "training/data/captions.json").read_text())).split('"')
    for text in [*ODD, *captions, *(ROOT / "LICENSE").read_text().splitlines()[:200], *noise(500)]:
        assert encode(text) == reference.encode(text), text


def test_long_texts_are_cut_and_keep_their_end(reference: SimpleTokenizer) -> None:
    text = "wind over the sea " * 20
    assert tokenize(text, 20) == reference([text], 20)[0].tolist()
    assert len(tokenize("sea", 20)) == 3


def test_rows_of_known_words_and_all_others() -> None:
    sea, rain = encode("sea")[0], encode("rain")[0]
    vocabulary = sorted([sea, rain, START, END])
    rows = token_rows("rain zebra", vocabulary, 6)
    at = {token: FIRST_WORD + i for i, token in enumerate(vocabulary)}
    assert rows == [at[START], at[rain], UNKNOWN, at[END], PADDING, PADDING]
