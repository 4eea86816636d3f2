const TRADES = [
  ['Night nurse', 'Care for patients on the night shift of a hospital ward.', 'health'],
  ['TypeScript engineer', 'Build web services and libraries with Node.js.', 'software'],
  ['Court bailiff', 'Keep order in the court room and serve documents.', 'law'],
  ['Forklift driver', 'Move pallets in a warehouse and load lorries.', 'logistics'],
  ['Pastry cook', 'Bake cakes and bread before dawn.', 'food'],
  ['Paediatric nurse', 'Look after sick children and advise their parents.', 'health'],
] as const;
const CITIES = ['Bern', 'Zurich', 'Basel', 'Bern'];

/** 24 jobs, 6 in each of 4 places: attributes of every type that has controls. */
export const JOBS = CITIES.flatMap((city, place) =>
  TRADES.map(([title, text, field], trade) => ({
    id: `job-${place}-${trade}`,
    title: `${title} ${place + 1}`,
    text: `${text} The place of work is ${city}.`,
    attributes: {
      city,
      remote: trade === 1,
      pay: 50 + 10 * trade + place,
      skills: [field, place % 2 === 0 ? 'German' : 'French'],
      posted: `2024-0${place + 1}-15T${place === 2 ? '05:30' : '00:00'}:00Z`,
    },
  })),
);

/** Puts documents into an index over HTTP. */
export async function post(
  url: string,
  documents: object[],
  headers: Record<string, string> = {},
): Promise<void> {
  const response = await fetch(`${url}/documents`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(documents),
  });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
}
