import type { LossWarning } from '../../contract/provider.js';
import type { GeminiModel } from './model.js';
import type { GeminiService } from './service.js';

/** Whom a request is for, and who hears what it loses. */
export interface GeminiTarget {
  readonly model: GeminiModel;
  readonly service: GeminiService;
  readonly warn: (warning: LossWarning) => void;
}

/** The same, for one part of it. */
export interface PartTarget extends GeminiTarget {
  /** The part's path in the canonical request, for warnings and errors. */
  readonly path: string;
}

/** The id of a call as it is sent. Recorded traffic shows that a service that knows ids takes those of any origin. */
export function callId(id: string, target: GeminiTarget): { readonly id?: string } {
  return id === '' || !target.service.hasCallIds ? {} : { id };
}
