import { Dispatcher, getGlobalDispatcher, setGlobalDispatcher } from 'undici';

/** Where calls of the runtime's own fetch to an origin go. */
type Route = () => Dispatcher;

const routes = new Map<string, Route>();
let isInstalled = false;

/** Sends what has a route along it, and everything else where it went before. */
class RoutingDispatcher extends Dispatcher {
  constructor(private readonly others: Dispatcher) {
    super();
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const route = routes.get(String(options.origin));
    return (route === undefined ? this.others : route()).dispatch(options, handler);
  }
}

/**
 * Makes the runtime's own fetch take a route to one origin: the only door for an SDK that accepts no client. Without
 * it such calls would know neither the forward proxy nor additional certificate authorities. Returns what undoes it.
 */
export function routeBuiltInFetch(origin: string, route: Route): () => void {
  if (!isInstalled) setGlobalDispatcher(new RoutingDispatcher(getGlobalDispatcher()));
  isInstalled = true;
  routes.set(origin, route);
  return () => {
    if (routes.get(origin) === route) routes.delete(origin);
  };
}
