"""What the shop sells, and what customers buy. All amounts of money are whole cents."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Product:
    """Something on the shelf."""

    sku: str
    title: str
    unit_price: int
    weight_grams: int = 0


@dataclass
class OrderLine:
    """One product in an order."""

    product: Product
    quantity: int = 1


@dataclass
class Customer:
    """Somebody who buys."""

    name: str
    email: str
    birthday: date | None = None
    loyalty_points: int = 0


@dataclass
class Order:
    """What a customer buys at one go."""

    number: str
    customer: Customer
    lines: list[OrderLine] = field(default_factory=list)
    coupon: str | None = None

    @property
    def units(self) -> int:
        """How many things have to be packed."""
        return sum(line.quantity for line in self.lines)
