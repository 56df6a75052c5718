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
  const shutdown = new Shutdown(application, listeners);
  const leave = (reason: string, code: number): void => {
    void shutdown.start(reason).then(() => process.exit(code));
  };
  process.on('SIGTERM', () => leave('SIGTERM', 0));
  process.on('SIGINT', () => leave('SIGINT', 0));
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (cause: unknown) => {
      logger.fatal({ err: cause, event }, 'a defect of ours: draining and leaving');
      leave(event, 1);
    });
  }

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
