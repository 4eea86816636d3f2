/** Tells how far a stage is: so many of its units are done, out of a total. */
export type Report = (unit: string, done: number, total: number, note?: string) => void;
