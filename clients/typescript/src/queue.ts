/** What has come and is not read yet, for one reader. */
export class Queue<T> {
  readonly #items: T[] = [];
  #ended = false;
  #wake = () => {};

  get length(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#wake();
  }

  /** Nothing more comes; what is there can still be read. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** The next item, or undefined at the end. */
  async next(): Promise<T | undefined> {
    while (this.#items.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#items.shift();
  }
}
