import type { Request } from 'express';
import { caller, record } from '../../test/support/routing-builders.ts';
import { openContext } from '../contract/request-context.js';
import type { CatalogEntry } from '../routing/catalog.js';
import type { RoutingService } from '../routing/routing.service.js';
import { ModelsController } from './models.controller.js';
import { LiveRequest } from './request/live-request.js';

const CALLER = caller();

function entry(name: string, overrides: Partial<CatalogEntry> = {}): CatalogEntry {
  return { name, model: name, operation: 'chat', aliases: [], createdSeconds: 7, ...overrides };
}

function setUp({ isStranger = false } = {}) {
  const models = jest.fn(() => [entry('gpt'), entry('team/gpt:latest', { model: 'gpt' }), entry('embed')]);
  const controller = new ModelsController({ models } as unknown as RoutingService);
  const request = {} as Request;
  const live = new LiveRequest('req_1', 'data', record(), () => undefined);
  if (!isStranger) live.caller = CALLER;
  openContext(request, live);
  return { controller, models, request };
}

const wire = (id: string) => ({ id, object: 'model', created: 7, owned_by: 'tollgate' });

describe('the models of a caller', () => {
  it('are listed in the order of the catalog, aliases as models of their own', () => {
    const { controller, models, request } = setUp();
    expect(controller.list(request)).toEqual({
      object: 'list',
      data: [wire('gpt'), wire('team/gpt:latest'), wire('embed')],
    });
    expect(models).toHaveBeenCalledWith(CALLER);
  });

  it.each([
    ['as one segment', 'gpt', 'gpt'],
    ['as the segments of the rest of a path', ['team', 'gpt:latest'], 'team/gpt:latest'],
  ])('are described by name, given %s', (_name, id, expected) => {
    const { controller, request } = setUp();
    expect(controller.get(request, id)).toEqual(wire(expected));
  });

  it('do not include what the caller may not use', () => {
    const { controller, request } = setUp();
    const name = 'x'.repeat(200);
    expect(() => controller.get(request, name)).toThrow(
      expect.objectContaining({
        code: 'model_not_found',
        status: 404,
        param: 'model',
        message: `The model \`${'x'.repeat(128)}\` does not exist or you do not have access to it.`,
      }),
    );
  });

  it('are for callers only', () => {
    const { controller, models, request } = setUp({ isStranger: true });
    for (const ask of [() => controller.list(request), () => controller.get(request, 'gpt')]) {
      expect(ask).toThrow(expect.objectContaining({ code: 'authentication_required', status: 401 }));
    }
    expect(models).not.toHaveBeenCalled();
  });
});
