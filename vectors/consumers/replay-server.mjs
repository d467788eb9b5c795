#!/usr/bin/env node
// Answers a client with recorded replies, octet for octet: for developers of clients, who need no server for it.
// Usage: node replay-server.mjs [--port N] [--folder VECTORS]     (Node 18 or later, nothing else)
//
// A request whose path begins with the ID of a vector, as /scep.sscep.getcacert/scep?operation=GetCACert, gets the reply of that vector,
// whatever else is in it. Any other gets the reply of the vector with the same method, target and body; 404 if there is none.
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const given = (name, usual) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? usual : process.argv[at + 1];
};
const folder = given("--folder", join(dirname(fileURLToPath(import.meta.url)), ".."));
const END = Buffer.from("\r\n\r\n");

const octets = (path) => Buffer.from(JSON.parse(readFileSync(path, "utf8")).octets, "base64");
const apart = (message) => {
  const at = message.indexOf(END);
  const [start, ...lines] = message.subarray(0, at).toString("latin1").split("\r\n");
  const fields = Object.fromEntries(lines.map((line) => [line.split(":")[0].toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]));
  return { start, fields, body: message.subarray(at + END.length) };
};
const keyOf = (start, body) => `${start.split(" ").slice(0, 2).join(" ")} ${body.toString("base64")}`;

const replies = new Map();
const byRequest = new Map();
for (const kind of ["acme", "est", "scep", "cmp"]) {
  for (const name of readdirSync(join(folder, kind)).filter((one) => one.endsWith(".reply.json"))) {
    const id = name.slice(0, -".reply.json".length);
    let reply = octets(join(folder, kind, name));
    let request = octets(join(folder, kind, `${id}.json`));
    if (kind === "cmp") {
      // PKIMessages without HTTP: RFC 9811 puts them into it.
      const head = (type) => Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${reply.length}\r\n\r\n`);
      byRequest.set(`cmp ${request.toString("base64")}`, id);
      reply = Buffer.concat([head("application/pkixcmp"), reply]);
    } else {
      const { start, body } = apart(request);
      byRequest.set(keyOf(start, body), id);
    }
    replies.set(id, reply);
  }
}

const missing = Buffer.from("HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 23\r\n\r\nno vector is like this\n");
const find = (start, body) => {
  const first = start.split(" ")[1].split(/[/?]/)[1] ?? "";
  const id = replies.has(first) ? first : (byRequest.get(keyOf(start, body)) ?? byRequest.get(`cmp ${body.toString("base64")}`));
  console.log(`${start}  ${id ?? "nothing"}`);
  return id === undefined ? missing : replies.get(id);
};

createServer((socket) => {
  let held = Buffer.alloc(0);
  socket.on("error", () => socket.destroy());
  socket.on("data", (data) => {
    held = Buffer.concat([held, data]);
    if (held.indexOf(END) < 0) return;
    const { start, fields, body } = apart(held);
    if (body.length < Number(fields["content-length"] ?? 0)) return;
    socket.end(find(start, body.subarray(0, Number(fields["content-length"] ?? 0))));
  });
}).listen(Number(given("--port", "0")), "127.0.0.1", function () {
  console.log(`http://127.0.0.1:${this.address().port}/  ${replies.size} replies`);
});
