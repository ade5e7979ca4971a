"""What is on the shelves."""

from __future__ import annotations

from shop.models import Order


class OutOfStockError(Exception):
    """More was asked for than there is."""


class Inventory:
    """Units in stock, by SKU.

    Args:
        reorder_level: with fewer units than this a product is ordered again.
    """

    def __init__(self, reorder_level: int = 5) -> None:
        self.reorder_level = reorder_level
        self._units: dict[str, int] = {}

    def units(self, sku: str) -> int:
        """Units in stock; 0 for products that were never received."""
        return self._units.get(sku, 0)

    def receive(self, sku: str, quantity: int) -> None:
        """Put a delivery on the shelf."""
        if quantity <= 0:
            raise ValueError("a delivery has at least one unit")
        self._units[sku] = self.units(sku) + quantity

    def remove(self, sku: str, quantity: int) -> None:
        """Take units off the shelf; OutOfStockError if there are not that many."""
        if quantity > self.units(sku):
            raise OutOfStockError(f"{quantity} of {sku} wanted, {self.units(sku)} left")
        self._units[sku] -= quantity

    def to_reorder(self) -> list[str]:
        """SKUs that are running low, in alphabetical order."""
        return sorted(sku for sku, units in self._units.items() if units < self.reorder_level)

    def can_ship(self, order: Order) -> bool:
        """Whether every line of the order is in stock."""
        return all(self.units(line.product.sku) >= line.quantity for line in order.lines)
