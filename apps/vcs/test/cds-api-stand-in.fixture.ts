import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';

/** The part of the CDS API that `vcs` calls. */
export interface CdsApiStandIn {
  url: string;
  hash: string;
  token: string;
  version: string;
  registrations: Record<string, unknown>[];
  /** Answers registrations with 503, as an API in maintenance. */
  maintenance: boolean;
  close(): Promise<void>;
}

export async function startCdsApiStandIn(port = 0): Promise<CdsApiStandIn> {
  const app = express();
  app.use(express.json());
  app.post('/services/register', (req, res) => {
    if (standIn.maintenance) return void res.status(503).json({ id: 1, message: 'maintenance' });
    if (req.body.token !== standIn.token)
      return void res
        .status(401)
        .json({ id: 10, message: 'not authenticated', data: null, uuid: 'u' });
    standIn.registrations.push(req.body);
    res.json({
      ...{ ...req.body, id: 2, hash: standIn.hash, token: '', group_id: 1 },
      up_to_date: req.body.version === standIn.version,
    });
  });
  app.get('/mon/version', (_, res) => void res.json({ version: standIn.version }));
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const standIn: CdsApiStandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hash: '6c9862f2-2dbd-44c7-ab70-751beab7c8bf',
    token: 'the-shared-infra-token',
    version: '0.41.0',
    registrations: [],
    maintenance: false,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return standIn;
}
