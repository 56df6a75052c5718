import type { GatewayError } from './errors.js';

/** Receives the bytes of an upstream body, pushed as they arrive. After `end` or `error` nothing follows. */
export interface ByteSink {
  /** Returns false to ask the source to pause; the source delivers again after `resume()`. */
  data(chunk: Buffer): boolean;
  end(): void;
  error(error: GatewayError): void;
}

/** An upstream body that has not been read yet. It must be started or destroyed, exactly once each at most. */
export interface ByteSource {
  start(sink: ByteSink): void;
  resume(): void;
  /** Closes the upstream connection at once; the sink hears nothing more. Harmless when repeated or after the end. */
  destroy(): void;
}
