/** What was delivered to this instance and is not folded yet. */
export class InHand {
  private readonly deliveries = new Map<symbol, { since: number; position: number | null }>();
  private last = 0;

  /** Call `recorded` when it has its position, `folded` when it was folded, `gone` in any case. */
  take(now: number): { recorded(position: number): void; folded(): void; gone(): void } {
    const key = Symbol();
    const delivery = { since: now, position: null as number | null };
    this.deliveries.set(key, delivery);
    return {
      recorded: (position) => (delivery.position = position),
      folded: () => (this.last = Math.max(this.last, delivery.position ?? 0)),
      gone: () => this.deliveries.delete(key),
    };
  }

  /** When the oldest of them arrived, in milliseconds; null when there is none. */
  waitingSince(): number | null {
    const [oldest] = this.deliveries.values();
    return oldest?.since ?? null;
  }

  /** The greatest position folded with none below it still in hand; 0 before the first. */
  foldedUpTo(): number {
    const positions = [...this.deliveries.values()].map(({ position }) => position).filter((p) => p !== null);
    return Math.min(this.last, ...positions.map((position) => position - 1));
  }
}
