// Loaded before the gateway (--import) where memory is measured: collects garbage when told to by a signal.
process.on('SIGUSR2', () => {
  globalThis.gc();
  globalThis.gc();
});
