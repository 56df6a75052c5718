import type { AttemptContext } from '../../contract/provider.js';

/** The operations of the wire, by the SDK's own paths. */
export type WirePath = '/chat/completions' | '/embeddings';

/** Where an operation is, and what goes with every request to it. */
export interface WireEndpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** How one operation is addressed, by the SDK; asked once. */
export type EndpointBuilder = (path: WirePath) => Promise<WireEndpoint>;

/** Knows how a server is addressed and authenticated; each kind has its own, made of the official SDK. */
export interface WireClient {
  /** Rejects only with GatewayError. */
  endpoint(path: WirePath, model: string, context: AttemptContext): Promise<WireEndpoint>;
}

/** The endpoints of a server whose credential never changes: each is built once, so that a call costs a look-up. */
export class KeptEndpoints implements WireClient {
  private readonly built = new Map<WirePath, Promise<WireEndpoint>>();

  constructor(private readonly build: EndpointBuilder) {}

  endpoint(path: WirePath): Promise<WireEndpoint> {
    let endpoint = this.built.get(path);
    if (endpoint === undefined) this.built.set(path, (endpoint = this.build(path)));
    return endpoint;
  }
}
