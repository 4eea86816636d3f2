import { connect, type Socket } from 'node:net';

/** A connection to a server. */
export async function connection(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}

/** Everything that comes over a connection until the server closes it. */
export async function untilClosed(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => {}); // a reset closes, too
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

/** Sends bytes as they are and reads until the server closes the connection. */
export async function exchange(url: string, bytes: string): Promise<string> {
  const socket = await connection(url);
  const answer = untilClosed(socket);
  socket.write(bytes);
  return answer;
}

/** Status and JSON body of an answer as it came over the wire. */
export function parseAnswer(text: string): { status: number; head: string; body: unknown } {
  const end = text.indexOf('\r\n\r\n');
  const head = text.slice(0, end);
  return { status: Number(head.split(' ')[1]), head, body: JSON.parse(text.slice(end + 4)) };
}
