// A peer made of node-smpp, driven by JSON lines: commands on standard input, events on standard
// output. It decides nothing: every PDU that arrives is reported as the library decoded it, every
// PDU that leaves is encoded by the library from the fields that the driver named.
'use strict';

const readline = require('readline');
const smpp = require('smpp');

// A vendor TLV by the name that Net::SMPP gives it, so that both peers can send and report it.
smpp.addTLV('operator_id', {id: 0x1402, type: smpp.types.tlv.buffer});

function report(event) {
  process.stdout.write(JSON.stringify(event) + '\n');
}

// The library turns octets into text and dates while it decodes. The driver wants its reading and
// the octets: keep them aside on the way through the library's own filters.
for (const name of ['message', 'time']) {
  const decode = smpp.filters[name].decode;
  smpp.filters[name].decode = function(value, skip_udh) {
    const decoded = decode.call(this, value, skip_udh);
    if (Buffer.isBuffer(value)) {
      return {octets: value.toString('hex'), decoded};
    }
    return name === 'time' && value ? {wire: value, decoded} : decoded;
  };
}

function plain(value) {
  if (Buffer.isBuffer(value)) {
    return {octets: value.toString('hex')};
  }
  if (value instanceof Date) {
    return value.getTime();
  }
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  }
  return value;
}

function report_pdu(conn, pdu) {
  const fields = {};
  for (const key of Object.keys(pdu)) {
    if (typeof pdu[key] !== 'function') {
      fields[key] = plain(pdu[key]);
    }
  }
  report({event: 'pdu', conn, pdu: fields});
}

// {octets: hex} becomes a Buffer, {value, octets} the value when the library has a type for it.
function field(value) {
  if (value && typeof value === 'object' && 'octets' in value) {
    const typed = 'value' in value && value.value !== null;
    return typed ? value.value : Buffer.from(value.octets, 'hex');
  }
  return value;
}

const sessions = new Map();
const servers = new Map();
let conn_last = 0;

function adopt(session, conn) {
  sessions.set(conn, session);
  session.on('pdu', (pdu) => report_pdu(conn, pdu));
  session.on('error', (error) => report({event: 'error', conn, text: String(error)}));
  session.on('close', () => {
    sessions.delete(conn);
    report({event: 'closed', conn});
  });
}

const commands = {
  listen({port}) {
    const server = smpp.createServer((session) => {
      const conn = ++conn_last;
      adopt(session, conn);
      report({event: 'accepted', conn, port, from: session.socket.remoteAddress});
    });
    server.on('error', (error) => report({event: 'error', port, text: String(error)}));
    server.listen(port, '0.0.0.0', () => report({event: 'listening', port}));
    servers.set(port, server);
  },
  unlisten({port}) {
    servers.get(port).close();
    servers.delete(port);
    report({event: 'unlistened', port});
  },
  connect({host, port}) {
    const conn = ++conn_last;
    const session = smpp.connect({host, port});
    adopt(session, conn);
    session.on('connect', () => report({event: 'connected', conn}));
  },
  send({conn, pdu}) {
    const {command, ...fields} = pdu;
    const ready = Object.fromEntries(Object.entries(fields).map(([k, v]) => [k, field(v)]));
    if (!sessions.get(conn).send(new smpp.PDU(command, ready))) {
      report({event: 'error', conn, text: 'the socket is closed'});
    }
  },
  close({conn}) {
    const session = sessions.get(conn);
    if (session) {
      session.destroy();
    }
  },
};

const lines = readline.createInterface({input: process.stdin});
lines.on('line', (line) => {
  const command = JSON.parse(line);
  try {
    commands[command.do](command);
  } catch (error) {
    report({event: 'error', conn: command.conn, text: String(error)});
  }
});
lines.on('close', () => process.exit(0));
report({event: 'ready', library: 'node-smpp ' + require('smpp/package.json').version});
