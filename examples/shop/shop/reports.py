"""Figures for the people who run the shop."""

from __future__ import annotations

from collections import Counter
from datetime import date

from shop.models import Customer, Order
from shop.pricing import total


def revenue(orders: list[Order]) -> int:
    """What all orders together brought in."""
    return sum(total(order) for order in orders)


def units_sold(orders: list[Order]) -> int:
    """How many things were sold in all orders together."""
    units = 0
    for order in orders:
        units += order.units
    return units


def average_rating(ratings: list[int]) -> float:
    """Mean of the ratings; 0.0 as long as there are none."""
    if not ratings:
        return 0.0
    return sum(ratings) / len(ratings)


def bestsellers(orders: list[Order], limit: int = 3) -> list[str]:
    """Titles of the products that sold most often, the best one first."""
    sold: Counter[str] = Counter()
    for order in orders:
        for line in order.lines:
            sold[line.product.title] += line.quantity
    return [title for title, _ in sold.most_common(limit)]


def age_on(customer: Customer, day: date) -> int | None:
    """The customer's age in years on a day; None if the birthday is not known."""
    if customer.birthday is None:
        return None
    had_birthday = (day.month, day.day) >= (customer.birthday.month, customer.birthday.day)
    return day.year - customer.birthday.year - (not had_birthday)
