/** Which listener a request came in by. */
export type Plane = 'data' | 'admin' | 'metrics';
