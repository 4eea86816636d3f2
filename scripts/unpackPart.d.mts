export function unpackPart(name: string): string | undefined;
