import type { AttemptContext } from '../../contract/provider.js';

/** The operations of the wire, by the SDK's own paths. */
export type WirePath = '/chat/completions' | '/embeddings';

/** Where an operation is, and what goes with every request to it. */
export interface WireEndpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Knows how a server is addressed and authenticated; each kind has its own, made of the official SDK. */
export interface WireClient {
  /** Rejects only with GatewayError. */
  endpoint(path: WirePath, model: string, context: AttemptContext): Promise<WireEndpoint>;
}
