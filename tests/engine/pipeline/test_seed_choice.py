"""Which seed the picture travels to."""

import numpy as np

from sonorama.engine.pipeline.seed_choice import ALIKE, next_seed

RNG = np.random.default_rng(5)
CODES = RNG.standard_normal((200, 16)).astype(np.float32)
CODES /= np.linalg.norm(CODES, axis=1, keepdims=True)


def test_the_same_question_has_the_same_answer() -> None:
    asked = [next_seed(CODES, 7, 7, number, CODES[3], False) for number in range(20)]
    assert asked == [next_seed(CODES, 7, 7, number, CODES[3], False) for number in range(20)]
    assert len(set(asked)) > 8, "and it travels"
    assert asked != [next_seed(CODES, 8, 7, number, CODES[3], False) for number in range(20)]


def fit(chosen: list[int], code: np.ndarray) -> float:
    return float(np.mean(CODES[chosen] @ code))


def test_a_change_goes_where_the_picture_fits_the_sound() -> None:
    sound, numbers = CODES[50], range(40)
    changed = [next_seed(CODES, 7, 7, number, sound, True) for number in numbers]
    phrase = [next_seed(CODES, 7, 7, number, sound, False) for number in numbers]
    silent = [next_seed(CODES, 7, 7, number, None, False) for number in numbers]
    assert fit(changed, sound) > fit(phrase, sound) > fit(silent, sound)
    assert fit(silent, CODES[7]) > fit(changed, CODES[7]), "without a sound it stays near what was chosen"


def test_it_never_stays_or_goes_to_what_looks_alike() -> None:
    twins = np.repeat(CODES[:50], 4, axis=0)
    for number in range(50):
        seed = next_seed(twins, 100, 100, number, None, False)
        assert twins[seed] @ twins[100] < ALIKE


def test_where_all_look_alike_it_still_goes_on() -> None:
    alike = np.repeat(CODES[:1], 30, axis=0)
    assert all(next_seed(alike, 3, 3, number, CODES[0], True) != 3 for number in range(20))


def test_a_seed_without_a_code_and_a_world_without_codes() -> None:
    assert 0 <= next_seed(CODES, 2**31 - 1, 2**31 - 1, 0, None, False) < len(CODES)
    away = [next_seed(None, 2**31 - 1, 4, number, CODES[0], True) for number in range(5)]
    assert len(set(away)) == 5
    assert all(0 <= seed < 2**31 for seed in away)
