interface Waiter {
  bytes: number;
  admit: () => void;
}

/**
 * How much may be on its way at once, in messages and in bytes; who does not fit waits in line.
 * A message larger than all the bytes goes alone.
 */
export class Window {
  readonly #slots: number;
  readonly #bytes: number;
  #usedSlots = 0;
  #usedBytes = 0;
  readonly #line = new Set<Waiter>();

  constructor(slots: number, bytes: number) {
    this.#slots = slots;
    this.#bytes = bytes;
  }

  get used(): number {
    return this.#usedSlots;
  }

  /** Null when there was no room within that time; otherwise what gives the place back (once, however often called). */
  async enter(bytes: number, withinMs: number): Promise<(() => void) | null> {
    if (this.#line.size > 0 || !this.#fits(bytes)) {
      const admitted = await this.#wait(bytes, withinMs);
      if (!admitted) return null;
    } else {
      this.#take(bytes);
    }
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#usedSlots -= 1;
      this.#usedBytes -= bytes;
      this.#admitNext();
    };
  }

  #wait(bytes: number, withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        bytes,
        admit: () => {
          clearTimeout(timer);
          resolve(true);
        },
      };
      const timer = setTimeout(() => {
        this.#line.delete(waiter);
        // Whoever stood behind a large message may fit.
        this.#admitNext();
        resolve(false);
      }, withinMs);
      this.#line.add(waiter);
    });
  }

  #admitNext(): void {
    for (const waiter of this.#line) {
      if (!this.#fits(waiter.bytes)) return;
      this.#line.delete(waiter);
      this.#take(waiter.bytes);
      waiter.admit();
    }
  }

  #fits(bytes: number): boolean {
    if (this.#usedSlots === 0) return true;
    return this.#usedSlots < this.#slots && this.#usedBytes + bytes <= this.#bytes;
  }

  #take(bytes: number): void {
    this.#usedSlots += 1;
    this.#usedBytes += bytes;
  }
}
