// Serves the example site, and connects it to one of the services in SERVICES, or to none.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import net from "node:net";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const SITE = fileURLToPath(new URL("../../docs/examples/site", import.meta.url));
const TYPES = { ".html": "text/html", ".css": "text/css", ".js": "text/javascript" };
export const SERVICES = JSON.parse(process.env.SERVICES);

// A TCP proxy to one of the services (`to`) or to none; it can lose the answers with a receipt.
export const proxy = { to: null, losesAnswers: false, lost: "" };
export const RECEIPT = /"id":"([^"]+)".*"receipt_token"/s;
const open = new Set();
const service = net.createServer((client) => {
  open.add(client.on("error", () => {}).on("close", () => open.delete(client)));
  if (proxy.to === null) return client.destroy();
  const { hostname, port } = new URL(SERVICES[proxy.to]);
  const clinic = net.connect(port, hostname).on("error", () => client.destroy());
  client.pipe(clinic).on("close", () => client.destroy());
  client.on("close", () => clinic.destroy());
  clinic.on("data", (bytes) => {
    if (proxy.losesAnswers) proxy.lost += bytes;
    if (RECEIPT.test(proxy.lost) && proxy.losesAnswers) client.destroy();
    else client.write(bytes);
  });
});

export function connectTo(to) {
  proxy.to = to;
  for (const client of open) client.destroy();
}

const site = createServer(async (request, answer) => {
  const { pathname } = new URL(request.url, "http://site");
  const type = TYPES[extname(pathname)];
  if (!type) return answer.writeHead(404).end();
  answer.setHeader("Content-Type", type);
  answer.end(pathname === "/config.js"
    ? `export const SERVICE = "http://127.0.0.1:${service.address().port}";`
    : await readFile(SITE + pathname));
});
const listening = (server) => new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
await Promise.all([listening(service), listening(site)]);
export const at = (path) => `http://127.0.0.1:${site.address().port}/${path}`;

export function stop() {
  connectTo(null);
  site.close();
  service.close();
}
