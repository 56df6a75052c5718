// Loaded before the gateway (--import): throws from within its process when told to by a signal, as a defect anywhere
// in it would. With TOLLGATE_TEST_FAULT=close its servers cannot be closed.
import { Server } from 'node:http';

process.on('SIGUSR2', () => {
  throw new TypeError('injected exception');
});
process.on('SIGWINCH', () => {
  void Promise.reject(new TypeError('injected rejection'));
});
if (process.env.TOLLGATE_TEST_FAULT === 'close') {
  Server.prototype.closeAllConnections = () => {
    throw new TypeError('injected failure to close');
  };
}
