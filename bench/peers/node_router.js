// node-smpp as a minimal router: customers bind to one port, each submit_sm goes to the supplier and its
// answer back. No rules, no windows, no receipts: the least that a router must do with this library.
//
// Usage: node node_router.js LISTEN_PORT SUPPLIER_PORT BINDS     both on 127.0.0.1; prints "ready" when bound
'use strict';

const smpp = require('smpp');

const [listen_port, supplier_port, binds] = process.argv.slice(2).map(Number);

// A router does not read the text: octets stay octets, which costs the library least.
smpp.filters.message.decode = (value) => value;
smpp.filters.message.encode = (value) => value;

const FIELDS = ['service_type', 'source_addr_ton', 'source_addr_npi', 'source_addr', 'dest_addr_ton',
  'dest_addr_npi', 'destination_addr', 'esm_class', 'protocol_id', 'priority_flag',
  'schedule_delivery_time', 'validity_period', 'registered_delivery', 'replace_if_present_flag',
  'data_coding', 'sm_default_msg_id', 'short_message'];
const suppliers = [];
let customers = 0;

function serve(session) {
  const supplier = suppliers[customers++ % suppliers.length];
  session.on('bind_transceiver', (pdu) => session.send(pdu.response({system_id: 'node'})));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close();
  });
  session.on('submit_sm', (pdu) => {
    const fields = {};
    for (const name of FIELDS) {
      fields[name] = pdu[name];
    }
    supplier.submit_sm(fields, (answer) => {
      session.send(pdu.response({command_status: answer.command_status, message_id: answer.message_id}));
    });
  });
  session.on('error', (error) => process.stderr.write(`customer: ${error}\n`));
}

function bind_one() {
  const session = smpp.connect({host: '127.0.0.1', port: supplier_port}, () => {
    session.bind_transceiver({system_id: 'sy', password: 'secret'}, (answer) => {
      if (answer.command_status !== 0) {
        process.stderr.write(`supplier refused the bind: ${answer.command_status}\n`);
        process.exit(1);
      }
      suppliers.push(session);
      if (suppliers.length === binds) {
        process.stdout.write('ready\n');
      }
    });
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close();
  });
  session.on('error', (error) => process.stderr.write(`supplier: ${error}\n`));
}

smpp.createServer({}, serve).listen(listen_port, '127.0.0.1', () => {
  for (let i = 0; i < binds; ++i) {
    bind_one();
  }
});
process.on('SIGTERM', () => process.exit(0));
