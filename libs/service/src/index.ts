import type { Express, Request, RequestHandler, Response, Router } from 'express';
import type pino from 'pino';
import type { z } from 'zod';
import type { CdsApiClient } from '@cds/api-client';
import type { LogLevel } from '@cds/config';
import type { MonitoringLine, MonitoringStatus, ServiceType, VersionInfo } from '@cds/wire';

export type Logger = pino.Logger;
export declare function createLogger(options: {
  service: string;
  level: LogLevel;
  destination?: pino.DestinationStream;
}): Logger;
export declare function buildInfo(): { version: string; commit: string; time: string };
export declare function versionInfo(): VersionInfo;

export interface RegistrationDeps {
  api: CdsApiClient;
  logger: Logger;
  identity: { name: string; type: ServiceType; url: string };
  token: string;
  config: Record<string, unknown>;
  monitoring: () => Promise<MonitoringStatus>;
  maxHeartbeatFailures: number;
  onTooManyFailures?: (error: Error) => void;
  intervalMs?: number;
  firstRetryMs?: number;
}
export interface Registration {
  start(): void;
  stop(): void;
  registerNow(): Promise<void>;
  isAllowed(xAuthHeader: string | undefined): boolean;
  readonly failuresInARow: number;
  readonly registered: boolean;
  firstRegistration(): Promise<void>;
  onHeartbeat(listener: () => void): () => void;
}
export declare function createRegistration(deps: RegistrationDeps): Registration;

export interface HttpAppDeps {
  logger: Logger;
  registration: Pick<Registration, 'isAllowed'>;
  monitoring: () => Promise<MonitoringStatus>;
  open?: Router;
  guarded: Router;
  bodyLimitBytes?: number;
}
export declare function createHttpApp(deps: HttpAppDeps): Express;
export declare function readJson<T>(req: Request, schema: z.ZodType<T>): T;
export declare function handle(
  fn: (req: Request, res: Response) => Promise<unknown>,
): RequestHandler;

export interface HttpServer {
  port: number;
  close(deadlineMs: number): Promise<void>;
}
export declare function listen(
  app: Express,
  options: { addr: string; port: number; logger: Logger },
): Promise<HttpServer>;

export interface MonitoringDeps {
  extra?: () => Promise<MonitoringLine[]>;
  registration?: Pick<Registration, 'failuresInARow' | 'registered'>;
  maxHeartbeatFailures: number;
}
export declare function createMonitoring(deps: MonitoringDeps): () => Promise<MonitoringStatus>;
export declare function runUntilSignal(options: {
  logger: Logger;
  stop: (deadlineMs: number) => Promise<void>;
  deadlineMs?: number;
}): Promise<never>;
export declare function formatGoDuration(ms: number): string;
