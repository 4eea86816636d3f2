/** What can stand in a `WaitingLine`, which keeps these two fields. */
export interface Linked<T> {
  ahead: T | undefined;
  behind: T | undefined;
}

/** First in, first out; any member can leave in constant time. */
export class WaitingLine<T extends Linked<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #length = 0;

  get first(): T | undefined {
    return this.#first;
  }

  get length(): number {
    return this.#length;
  }

  push(member: T): void {
    member.ahead = this.#last;
    if (this.#last === undefined) this.#first = member;
    else this.#last.behind = member;
    this.#last = member;
    this.#length++;
  }

  /** Takes out a member, which must stand in this line. */
  remove(member: T): void {
    const { ahead, behind } = member;
    if (ahead === undefined) this.#first = behind;
    else ahead.behind = behind;
    if (behind === undefined) this.#last = ahead;
    else behind.ahead = ahead;
    member.ahead = undefined;
    member.behind = undefined;
    this.#length--;
  }
}
