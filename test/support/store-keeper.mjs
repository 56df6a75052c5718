import { startRedisServer } from './redis-server.ts';

const server = await startRedisServer();
process.on('disconnect', () => void server.kill().then(() => process.exit(0)));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
process.send?.(server.url);
