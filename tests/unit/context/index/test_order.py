from __future__ import annotations

import pytest

from lsp_server.context.index.order import Order


@pytest.mark.parametrize("order", [Order(), Order(("*.gen.py", "größe/"), 0, ()), Order(paths=("a\nb.py", "src"))])
def test_an_order_is_one_line_and_comes_back_whole(order: Order) -> None:
    assert "\n" not in order.to_json()
    assert Order.from_json(order.to_json()) == order
