import pytest

from shop.inventory import Inventory, OutOfStockError


@pytest.fixture
def inventory() -> Inventory:
    stock = Inventory(reorder_level=5)
    stock.receive("mug", 12)
    stock.receive("lamp", 2)
    return stock


def test_units_of_an_unknown_product(inventory: Inventory) -> None:
    assert inventory.units("sofa") == 0


def test_deliveries_add_up(inventory: Inventory) -> None:
    inventory.receive("mug", 3)
    assert inventory.units("mug") == 15


def test_nothing_is_removed_when_stock_is_too_low(inventory: Inventory) -> None:
    with pytest.raises(OutOfStockError):
        inventory.remove("lamp", 3)
    assert inventory.units("lamp") == 2


def test_low_stock_is_reordered(inventory: Inventory) -> None:
    assert inventory.to_reorder() == ["lamp"]
