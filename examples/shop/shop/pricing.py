"""Prices, discounts and shipping."""

from __future__ import annotations

from shop.models import Order, OrderLine

COUPONS = {"WELCOME10": 10, "SUMMER25": 25}

FREE_SHIPPING_FROM = 50_00


def subtotal(order: Order) -> int:
    """Price of all lines of the order, before discount and shipping."""
    return sum(line.quantity * line.product.unit_price for line in order.lines)


def cheapest_line(order: Order) -> OrderLine:
    """The line with the lowest unit price."""
    return min(order.lines, key=lambda line: line.product.unit_price)


def apply_discount(price: int, percent: int) -> int:
    """The price after a discount of so many percent."""
    if not 0 <= percent <= 100:
        raise ValueError(f"not a percentage: {percent}")
    return price - price * percent // 100


def shipping_cost(weight_grams: int, express: bool = False) -> int:
    if weight_grams <= 0:
        raise ValueError("the weight must be positive")
    if weight_grams <= 1000:
        cents = 4_90
    elif weight_grams <= 5000:
        cents = 8_90
    else:
        cents = 8_90 + (weight_grams - 5000) // 1000 * 1_50
    return cents * 2 if express else cents


def total(order: Order) -> int:
    """What the customer pays: lines less coupon, and shipping unless the order is large enough."""
    percent = COUPONS.get(order.coupon or "", 0)
    price = apply_discount(subtotal(order), percent)
    if price >= FREE_SHIPPING_FROM:
        return price
    return price + shipping_cost(sum(line.quantity * line.product.weight_grams for line in order.lines))
