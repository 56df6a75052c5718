import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { Recording } from './recording.ts';

/** Headers that describe the recorded connection, not the answer. */
const HOP_HEADERS = /^(connection|content-length|content-encoding|transfer-encoding|keep-alive|date|alt-svc)$/i;

/** Where tokens are given to providers that ask for one first; such requests are not counted. */
export const TOKEN_PATH = '/token';

/** Every provider at once: it answers whatever comes with the recording it was handed last. */
export class ReplayUpstream {
  private readonly server: Server;
  private current: { readonly recording: Recording; readonly writeBytes: number | undefined } | undefined;
  /** Requests served since the last `serve`. */
  requests = 0;

  constructor() {
    this.server = createServer((request, response) => {
      const isToken = request.url === TOKEN_PATH;
      request.resume().on('end', () => void (isToken ? answerToken(response) : this.answer(response)));
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The recording for all requests from now on; `writeBytes` cuts it into writes of that size. */
  serve(recording: Recording, writeBytes?: number): void {
    this.requests = 0;
    this.current = { recording, writeBytes };
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    const closed = once(this.server, 'close');
    this.server.close();
    await closed;
  }

  private async answer(response: ServerResponse): Promise<void> {
    this.requests += 1;
    if (this.current === undefined) {
      response.writeHead(500).end();
      return;
    }
    const { recording, writeBytes } = this.current;
    const headers = Object.entries(recording.headers).filter(([name]) => !HOP_HEADERS.test(name));
    response.writeHead(recording.status, Object.fromEntries(headers));
    response.socket?.setNoDelay(true);
    const { bytes } = recording;
    const step = writeBytes ?? Math.max(bytes.length, 1);
    for (let from = 0; from < bytes.length && !response.destroyed; from += step) {
      // Each write reaches the socket on its own, so that it can arrive on its own.
      await new Promise((resolve) => response.write(bytes.subarray(from, from + step), resolve));
    }
    response.end();
  }
}

function answerToken(response: ServerResponse): void {
  const token = { access_token: 'replay-token', token_type: 'Bearer', expires_in: 3_600 };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(token));
}
