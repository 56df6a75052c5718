// Preloaded into both subjects: on SIGUSR2 all garbage is collected, so that resident memory shows what is held.
process.on('SIGUSR2', () => globalThis.gc?.());
