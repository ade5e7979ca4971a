/** The shopping cart in the browser. Prices are whole cents. */

export interface CartItem {
  sku: string;
  title: string;
  unitPrice: number;
  quantity: number;
}

export class Cart {
  private items: CartItem[] = [];

  /** Adds an item, or raises the quantity of one that is in the cart already. */
  add(item: CartItem): void {
    const known = this.items.find((other) => other.sku === item.sku);
    if (known) {
      known.quantity += item.quantity;
    } else {
      this.items.push({ ...item });
    }
  }

  /** Takes a product out of the cart. */
  remove(sku: string): void {
    this.items = this.items.filter((item) => item.sku !== sku);
  }

  /** Price of everything in the cart. */
  total(): number {
    return this.items.reduce((sum, item) => sum + item.unitPrice * item.quantity, 0);
  }

  isEmpty(): boolean {
    return this.items.length === 0;
  }
}

export function formatPrice(cents: number): string {
  return `${(cents / 100).toFixed(2)} €`;
}
