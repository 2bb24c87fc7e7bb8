// The API: no dependencies, so that it runs wherever node does.
import { createServer } from "node:http";

const port = Number(process.env.PORT);

const routes = {
  "/health": () => ({ ok: true }),
  "/api/time": () => ({ time: new Date().toISOString(), run: process.env.WORKER_RUN }),
};

const server = createServer((request, response) => {
  const route = routes[request.url];
  response.writeHead(route ? 200 : 404, { "content-type": "application/json" });
  response.end(JSON.stringify(route ? route() : { error: "no such route" }));
});

server.listen(port, "127.0.0.1", () => console.log(`api: listening on ${port}`));

process.on("SIGTERM", () => {
  console.log("api: closing");
  server.close();
  server.closeAllConnections();
});
