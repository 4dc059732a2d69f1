// The declarations of `cosmonapse/express`, by hand. The handlers serve Express 4, 5 and node:http.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'

import { CosmonapseError } from './index.js'
import type { CallOptions, Dendrite, DispatchOptions, Values } from './index.js'

type Next = (error?: any) => void
/** A handler of Express, or of `http.createServer`. */
export type Handler<Req = any, Res = any> = (req: Req, res: Res, next?: Next) => void

/** Where the details of a failure go, such as `console`; null for silence. */
export type ErrorLogger = { error: (text: string, error?: unknown) => void } | null

/** Return a handler that sends a task and answers with its output. */
export function answer<Req = any, Res = any>(
  dendrite: Dendrite,
  makeTask: (req: Req, res: Res) => CallOptions | PromiseLike<CallOptions>,
): Handler<Req, Res>

/** Return a handler that sends a task and streams it as server-sent events. */
export function stream<Req = any, Res = any>(
  dendrite: Dendrite,
  makeTask: (req: Req, res: Res) => DispatchOptions | PromiseLike<DispatchOptions>,
  options?: { asText?: boolean; keepAliveMs?: number },
): Handler<Req, Res>

/** Return the error handler of an app; `app` for Express 4, whose async handlers it then guards. */
export function errors(options?: {
  app?: object
  logger?: ErrorLogger
}): (error: any, req: any, res: any, next: Next) => void

/** Return a handler of Express whose rejections go to `next`. */
export function wrap<Fn extends (...given: any[]) => unknown>(handler: Fn): Fn

/** Send the response for a reply, an output or an error. */
export function respond(
  res: ServerResponse<any>,
  outcome: unknown,
  options?: { logger?: ErrorLogger },
): void

/** Return an AbortSignal that is aborted when the client hangs up before its response is out. */
export function hangUp(res: ServerResponse<any>, other?: AbortSignal): AbortSignal

/**
 * Return the JSON object of a request, read by `express.json()`.
 * @throws {BadRequest} It is not a JSON object, or lacks a key.
 */
export function jsonBody(req: IncomingMessage & { body?: any }, ...required: string[]): Values

/** An HTTP request that cannot become a task: status 400. */
export class BadRequest extends CosmonapseError {
  constructor(message: string)
  readonly status: number
}

/** End a server and its Dendrite: responses under way may end within `drainMs`, 10,000. */
export function close(
  server: Server,
  dendrite: Dendrite,
  options?: { drainMs?: number },
): Promise<void>

/** Wait for SIGTERM or SIGINT, then `close` both. */
export function serve(
  server: Server,
  dendrite: Dendrite,
  options?: { drainMs?: number },
): Promise<'SIGINT' | 'SIGTERM'>
