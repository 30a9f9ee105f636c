"""Operations on finished pictures (RGBA8): scaling, blending, output controls, flash guard, test pattern."""
