"""Operations on finished pictures (RGBA8)."""
