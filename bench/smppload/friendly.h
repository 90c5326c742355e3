// Two helpers for people who meet the router for the first time: send one message, play one
// supplier that prints what it gets. Small, blocking, no speed wanted.
#pragma once

#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace sy::load {

struct SendOptions {
    std::string router = "127.0.0.1:2775";
    std::string system_id = "acme";
    std::string password = "secret";
    std::string from = "acme";
    std::string to;
    std::string text = "hello";
    bool receipt = false;
    double wait_s = 10;
};

struct SupplierOptions {
    std::string listen = "127.0.0.1:2776";
    std::string name = "alpha";
    bool receipts = false;
    std::string stat = "DELIVRD";
    std::string status = "ROK";
    std::string mo_to;  // send one MO message to this number as soon as somebody is bound
    std::string mo_text = "hello from a phone";
};

CLI::App* add_send_command(CLI::App& app, SendOptions& options);
CLI::App* add_supplier_command(CLI::App& app, SupplierOptions& options);

/// Binds, submits, prints the answer (and the receipt). 0: accepted (and the receipt came).
int send_message(const SendOptions& options);
/// Runs until SIGINT or SIGTERM.
int run_supplier(const SupplierOptions& options);

}  // namespace sy::load
