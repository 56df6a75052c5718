import type { ByteSource } from '../contract/byte-source.js';
import type { AttemptContext } from '../contract/provider.js';

/** Response headers, names in lower case. */
export type UpstreamHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH';
  /** Absolute; http or https. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly context: AttemptContext;
}

/** A whole answer, whatever its status. */
export interface WholeResponse {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  readonly body: Buffer;
}

/** An answer whose body is still to come. With a status outside 200–299 collect it by `Transport.collect`. */
export interface OpenResponse {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  readonly source: ByteSource;
}
