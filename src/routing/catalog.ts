import type { ModelConfig, TollgateConfig } from '../config/config.schema.js';
import type { Caller } from '../contract/caller.js';
import type { Operation } from '../contract/dialect.js';
import type { Deployment, Model } from '../contract/plan.js';
import type { Provider } from '../contract/provider.js';

/** One name by which callers can ask for a model. */
export interface CatalogEntry {
  /** The name itself: a configured model's, or an alias. */
  readonly name: string;
  /** The configured name of the model; equal to `name` unless this entry is an alias. */
  readonly model: string;
  readonly operation: Operation;
  /** All aliases of the model. */
  readonly aliases: readonly string[];
  /** When this process first knew the name, in Unix seconds. */
  readonly createdSeconds: number;
}

/** What compiling needs beside the configuration. */
export interface CatalogSources {
  /** The provider of a configured name; undefined = it could not be created. */
  readonly providerOf: (name: string) => Provider | undefined;
  readonly nowSeconds: number;
  /** The catalog it replaces; names keep their `createdSeconds`. Absent = the first one. */
  readonly previous?: Catalog;
}

interface CatalogModel {
  readonly model: Model;
  readonly names: readonly string[];
}

/** The models of one configuration, compiled once: names, deployments and who may use them. */
export class Catalog {
  private constructor(
    private readonly byName: ReadonlyMap<string, CatalogModel>,
    private readonly organisations: ReadonlyMap<string, ReadonlySet<string>>,
    private readonly entries: ReadonlyMap<string, CatalogEntry>,
  ) {}

  /** Deployments whose provider does not exist are left out; a model may so end up with none. */
  static compile(config: TollgateConfig, sources: CatalogSources): Catalog {
    const byName = new Map<string, CatalogModel>();
    const entries: CatalogEntry[] = [];
    for (const [name, settings] of Object.entries(config.models)) {
      const names = [name, ...settings.aliases];
      const entry: CatalogModel = { model: compileModel(name, settings, sources.providerOf), names };
      for (const each of names) {
        const createdSeconds = sources.previous?.entries.get(each)?.createdSeconds ?? sources.nowSeconds;
        byName.set(each, entry);
        const { operation, aliases } = settings;
        entries.push({ name: each, model: name, operation, aliases, createdSeconds });
      }
    }
    entries.sort(chatFirstThenByName);
    const organisations = new Map<string, ReadonlySet<string>>();
    for (const [name, { models }] of Object.entries(config.organisations)) {
      if (models !== undefined) organisations.set(name, new Set(models));
    }
    return new Catalog(byName, organisations, new Map(entries.map((entry) => [entry.name, entry])));
  }

  /** The model of a name or alias, if the caller may use it; undefined = unknown or not allowed. */
  find(name: string, caller: Caller): Model | undefined {
    const found = this.byName.get(name);
    return found !== undefined && this.isAllowed(found, caller) ? found.model : undefined;
  }

  /** The names the caller may use: chat first, then by name. */
  list(caller: Caller): readonly CatalogEntry[] {
    return [...this.entries.values()].filter(({ name }) => {
      const found = this.byName.get(name);
      return found !== undefined && this.isAllowed(found, caller);
    });
  }

  /** Every deployment of every model. */
  deployments(): readonly Deployment[] {
    return [...new Set(this.byName.values())].flatMap(({ model }) => model.deployments);
  }

  /** An allow-list admits a model by any of its names; the organisation's list bounds the caller's. */
  private isAllowed({ names }: CatalogModel, caller: Caller): boolean {
    const { models } = caller;
    if (models !== undefined && !names.some((name) => models.has(name))) return false;
    const bound = this.organisations.get(caller.organisation);
    return bound === undefined || names.some((name) => bound.has(name));
  }
}

function compileModel(name: string, settings: ModelConfig, providerOf: CatalogSources['providerOf']): Model {
  const { operation, strict, defaultOutputTokens, timeouts, maxAttempts } = settings;
  const deployments = settings.deployments.flatMap(({ provider: providerName, model, weight, priority, labels }) => {
    const provider = providerOf(providerName);
    if (provider === undefined) return [];
    const id = `${name}/${providerName}/${model}`;
    return [{ id, provider, upstreamModel: model, weight, priority, labels } satisfies Deployment];
  });
  return { name, operation, strict, deployments, defaultOutputTokens, timeouts, maxAttempts };
}

function chatFirstThenByName(left: CatalogEntry, right: CatalogEntry): number {
  if (left.operation !== right.operation) return left.operation === 'chat' ? -1 : 1;
  return left.name < right.name ? -1 : Number(left.name > right.name);
}
