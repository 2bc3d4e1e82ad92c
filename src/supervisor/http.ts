/**
 * Node's HTTP module, without what an import statement adds to it: that one reads every export,
 * and one of them loads the whole fetch implementation, 10 MB of memory for nothing.
 */
export const { Agent, createServer, get, request } = process.getBuiltinModule("node:http");
