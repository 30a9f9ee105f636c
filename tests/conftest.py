import pytest


@pytest.hookimpl(trylast=True)  # after -m and -k have thrown tests out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips what needs a CUDA device, with the reason, where there is none."""
    needy = [item for item in items if item.get_closest_marker("gpu")]
    if not needy:
        return
    import torch  # only here: it costs seconds

    if torch.cuda.is_available():
        return
    for item in needy:
        item.add_marker(pytest.mark.skip(reason="no CUDA device"))
