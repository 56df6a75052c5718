import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import { commandOf, runCommand } from './command-line.js';
import { ConfigStore } from './config/config.store.js';
import { LOGGER, NestPinoLogger } from './config/logging.js';
import { serveOpenApi } from './gateway/openapi.js';
import { RequestLifecycle } from './gateway/request/request-lifecycle.js';
import { Readiness } from './health/readiness.js';
import { Listeners } from './listeners.js';
import { Shutdown } from './shutdown.js';

/** Tells a newcomer how to make the first request. Only in quick-start mode, once, on the console alone. */
function greet(key: string, port: number): void {
  process.stdout.write(
    `\nTollgate runs without a configuration file: the built-in sandbox answers, nothing leaves this machine.\n\n` +
      `  key    ${key}\n  try    curl http://localhost:${port}/v1/chat/completions -H "authorization: Bearer ${key}" \\\n` +
      `           -H "content-type: application/json" -d '{"model":"sandbox","messages":[{"role":"user","content":"Hello"}]}'\n\n`,
  );
}

/**
 * Ends the process when a signal or a defect of ours demands it. A second signal hurries; a second defect does not, for
 * then one that comes again and again would cut every stream. After any defect the exit code is 1.
 */
function leaveWhenTold(shutdown: Shutdown, logger: Logger): void {
  let exitCode = 0;
  const fail = (cause: unknown, event: string): void => {
    exitCode = 1;
    logger.fatal({ err: cause, event }, 'a defect of ours: draining and leaving');
  };
  const leave = (reason: string): void => {
    if (shutdown.hasBegun) return;
    void shutdown
      .start(reason)
      .catch((cause: unknown) => fail(cause, 'shutdown'))
      .finally(() => process.exit(exitCode));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => (shutdown.hasBegun ? shutdown.hurry() : leave(signal)));
  }
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (cause: unknown) => {
      fail(cause, event);
      leave(event);
    });
  }
}

async function start(): Promise<void> {
  const application = await NestFactory.create<NestExpressApplication>(AppModule, {
    bodyParser: false,
    logger: false,
    abortOnError: false,
  });
  const logger = application.get<Logger>(LOGGER);
  application.useLogger(application.get(NestPinoLogger));
  const config = application.get(ConfigStore);
  const { server } = config.current.config;
  application.disable('x-powered-by');
  application.disable('etag');
  application.set('trust proxy', server.trustProxy.length > 0 ? [...server.trustProxy] : false);
  application.use(application.get(RequestLifecycle).middleware);
  if (server.docs) serveOpenApi(application);
  await application.init();

  const handler = application.getHttpAdapter().getInstance();
  const listeners = new Listeners(handler, server);
  config.subscribe((next) => listeners.follow(next.config.server));
  leaveWhenTold(new Shutdown(application, listeners), logger);

  const ports = await listeners.open();
  application.get(Readiness).setReady();
  const { host } = server;
  const address = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  const listening = Object.fromEntries(
    Object.entries(ports).map(([plane, port]) => [plane, `http://${address}:${port}`]),
  );
  const { user, system } = process.cpuUsage();
  const cost = { ready_ms: Math.round(performance.now()), ready_cpu_ms: Math.round((user + system) / 1000) };
  logger.info({ listening, config: config.current.source, ...cost }, 'ready');
  if (config.quickStartKey !== undefined) greet(config.quickStartKey, ports.data);
}

const command = commandOf(process.argv.slice(2));
if (command === 'start') {
  try {
    await start();
  } catch (error) {
    process.stderr.write(`Tollgate does not start: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
} else {
  process.exit(await runCommand(command));
}
