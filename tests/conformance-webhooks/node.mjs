// Signs and verifies with the reference library for Node: one request as JSON on standard input, one answer on standard output.
import { Webhook } from "standardwebhooks";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { command, secret, headers, body } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
const webhook = new Webhook(secret);
if (command === "sign") {
  const at = new Date(Number(headers["webhook-timestamp"]) * 1000);
  process.stdout.write(JSON.stringify({ signature: webhook.sign(headers["webhook-id"], at, body) }));
} else {
  let why = null;
  try {
    webhook.verify(body, headers);
  } catch (error) {
    why = String(error.message);
  }
  process.stdout.write(JSON.stringify({ taken: why === null, why }));
}
