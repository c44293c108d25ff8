// What the `nats` CLI sends for the commands of docs/recipes.md, through a client that shares no
// code with ours: no Debian has the CLI itself. A command or an option that is not here fails.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, createInbox, nkeyAuthenticator } from "@nats-io/transport-node";

const patience = 60_000;
const chunkSize = 128 * 1024;

function fail(text) {
  console.error(`nats: ${text}`);
  process.exit(1);
}

/** A size, and a time in nanoseconds, as the CLI takes them. */
const bytesOf = (text) => (/^(-1|\d+)$/.test(text) ? Number(text) : fail(`${text} is no size`));
const hoursOf = (text) => (/^\d+h$/.test(text) ? parseInt(text, 10) * 3600e9 : fail(`${text} is no time`));

const settings = {
  "--max-bytes": (text) => ({ max_bytes: bytesOf(text) }),
  "--max-age": (text) => ({ max_age: hoursOf(text) }),
};

/** {words, options} of a command line; a flag is "yes". */
function parse(given) {
  const [words, options] = [[], {}];
  for (let i = 0; i < given.length; i++)
    if (["-f", "--force"].includes(given[i])) options.force = "yes";
    else if (given[i].startsWith("--")) options[given[i]] = given[++i] ?? fail(`${given[i - 1]} needs a value`);
    else words.push(given[i]);
  return { words, options };
}

const { words, options } = parse(process.argv.slice(2));

/** The keys of a context file that ./run writes. */
function contextOptions(file) {
  if (file === undefined) return { servers: ["nats://127.0.0.1:4222"] };
  const { url, nkey, inbox_prefix: inboxPrefix, user, password, ...others } = JSON.parse(readFileSync(file, "utf8"));
  delete others.description;
  if (Object.keys(others).length > 0) fail(`${file}: ${Object.keys(others)}`);
  const authenticator = nkey && nkeyAuthenticator(Buffer.from(readFileSync(nkey, "utf8").trim()));
  return { servers: url.split(","), inboxPrefix, authenticator, user, pass: password };
}

const nats = await connect({ ...contextOptions(options["--context"]), timeout: patience });
delete options["--context"];

/** The reply to a request of JetStream's API; an error ends the program. */
async function api(subject, request = "") {
  const payload = typeof request === "string" ? request : JSON.stringify(request);
  const reply = (await nats.request(subject, payload, { timeout: patience })).json();
  return reply.error ? fail(`${subject}: ${reply.error.description}`) : reply;
}

/** Takes the options `known`, of which the others leave nothing. */
function only(...known) {
  const others = Object.keys(options).filter((each) => ![...known, "force"].includes(each));
  if (others.length > 0) fail(`unknown option ${others}`);
}

const asks = () => options.force ?? fail("would ask first: -f");

/** A snapshot arrives in chunks, each of which is acknowledged; an empty one is the last. */
async function backup(stream, folder) {
  const inbox = createInbox(nats.options.inboxPrefix);
  const chunks = [];
  const whole = new Promise((done, broken) => {
    nats.subscribe(inbox, {
      callback: (error, message) => {
        if (error) return broken(error);
        if (message.data.length === 0) return done(message.headers?.description);
        chunks.push(message.data.slice());
        return message.respond();
      },
    });
  });
  const request = { deliver_subject: inbox, no_consumers: true, chunk_size: chunkSize, jsck: false };
  const { config, state } = await api(`$JS.API.STREAM.SNAPSHOT.${stream}`, request);
  const broken = await whole;
  if (broken) fail(`${stream}: ${broken}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "stream.tar.s2"), Buffer.concat(chunks));
  writeFileSync(join(folder, "backup.json"), JSON.stringify({ config, state }));
}

async function restore(folder) {
  const { config, state } = JSON.parse(readFileSync(join(folder, "backup.json"), "utf8"));
  const data = readFileSync(join(folder, "stream.tar.s2"));
  const { deliver_subject: to } = await api(`$JS.API.STREAM.RESTORE.${config.name}`, { config, state });
  for (let at = 0; at < data.length; at += chunkSize)
    await nats.request(to, data.subarray(at, at + chunkSize), { timeout: patience });
  await api(to);
}

async function edit(stream) {
  only(...Object.keys(settings));
  asks();
  const { config } = await api(`$JS.API.STREAM.INFO.${stream}`);
  for (const [name, value] of Object.entries(options))
    if (name !== "force") Object.assign(config, settings[name](value));
  await api(`$JS.API.STREAM.UPDATE.${stream}`, config);
}

const commands = {
  "stream backup": (stream, folder) => only() ?? backup(stream, folder),
  "stream restore": (folder) => only() ?? restore(folder),
  "stream edit": edit,
  "stream purge": async (stream) => {
    only("--keep");
    asks();
    const keep = options["--keep"] && { keep: bytesOf(options["--keep"]) };
    await api(`$JS.API.STREAM.PURGE.${stream}`, keep ?? "");
  },
};

const command = words.slice(0, 2).join(" ");
await (commands[command] ?? fail(`${command} is not tested`))(...words.slice(2));
await nats.close();
