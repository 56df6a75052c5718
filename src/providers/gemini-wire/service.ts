/** In what the services that speak this wire differ. */
export interface GeminiService {
  /**
   * Issuer of the thought signatures the service makes and accepts. Each service has its own: nothing says that one
   * decrypts what another signed, and a signature that is not accepted fails the whole request.
   */
  readonly issuer: string;
  /** True = tool calls and their results are sent with ids; where they are not, order and name tell them apart. */
  readonly hasCallIds: boolean;
  /** True = a service tier is a field of the body; false = the service takes it elsewhere. */
  readonly hasTierField: boolean;
  /** What error texts may hold that callers must not see, such as the key and the host. */
  readonly secrets: readonly string[];
}
