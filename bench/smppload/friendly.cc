#include "bench/smppload/friendly.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/smppload/pdu_view.h"
#include "bench/smppload/wire.h"
#include "core/smpp/encode.h"
#include "core/smpp/status.h"

namespace sy::load {
namespace {

using smpp::CommandId;

void print_now(const std::string& line) {
    fmt::print("{}\n", line);
    (void)std::fflush(stdout);
}

int complain(const std::string& text) {
    fmt::print(stderr, "smppload: error: {}\n", text);
    return 2;
}

smpp::Address address_of(std::string_view text) {
    const bool digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
    if (!digits) {
        return {5, 0, text};  // alphanumeric
    }
    return text.size() > 8 ? smpp::Address{1, 1, text} : smpp::Address{3, 0, text};
}

std::string name_of(uint32_t status) {
    const auto name = smpp::status_name(static_cast<smpp::CommandStatus>(status));
    return name.empty() ? fmt::format("status 0x{:x}", status) : fmt::format("ESME_{}", name);
}

/// What a receipt says, in one line.
std::string tell_receipt(const SmView& sm) {
    const std::string_view text = as_chars(sm.short_message);
    return fmt::format("receipt    id {}, {}", receipt_word(text, "id:"),
                       receipt_word(text, "stat:"));
}

// One bind as a customer.
class Customer {
  public:
    explicit Customer(const SendOptions& options) : options_(options) {}

    int go() {
        auto to = parse_endpoint(options_.router);
        if (!to) {
            return complain("--router: " + to.error().text);
        }
        if (auto connected = wire_.connect(*to); !connected) {
            return complain(connected.error().text + "; is the router running?");
        }
        deadline_ = now_ns() + static_cast<Nanos>(options_.wait_s * 1e9);
        if (int failed = bind(); failed != 0) {
            return failed;
        }
        const int result = submit();
        wire_.send_empty(CommandId::unbind, smpp::CommandStatus::esme_rok, 3);
        (void)await(CommandId::unbind_resp);
        return result;
    }

  private:
    int bind() {
        smpp::Bind bind;
        bind.system_id = options_.system_id;
        bind.password = options_.password;
        bind.interface_version = 0x34;
        std::array<uint8_t, 256> out;
        wire_.send({out.data(), smpp::encode_bind(out, CommandId::bind_transceiver, 1, bind)});
        if (!await(CommandId::bind_transceiver_resp)) {
            return complain("no answer to the bind: " + wire_.why());
        }
        if (got_.header.command_status != 0) {
            return complain(
                fmt::format("the bind was refused with {}: check --system-id and "
                            "--password against [[customer]] in switchyard.toml",
                            name_of(got_.header.command_status)));
        }
        print_now(fmt::format("bound      as {} at {}", options_.system_id, options_.router));
        return 0;
    }

    int submit() {
        smpp::Sm sm;
        sm.source = address_of(options_.from);
        sm.destination = address_of(options_.to);
        sm.registered_delivery = options_.receipt ? 1u : 0u;
        sm.short_message = as_octets(options_.text);
        std::array<uint8_t, 512> out;
        wire_.send({out.data(), smpp::encode_sm(out, CommandId::submit_sm, 2, sm)});
        print_now(
            fmt::format("submitted  from {} to {}: {}", options_.from, options_.to, options_.text));
        if (!await(CommandId::submit_sm_resp)) {
            fmt::print("no answer within {} s: {}\n", options_.wait_s, wire_.why());
            return 1;
        }
        if (got_.header.command_status != 0) {
            print_now("refused    " + name_of(got_.header.command_status));
            return 1;
        }
        Octets body = got_.body;
        std::string_view id;
        (void)take_c_string(body, id);
        id_ = id;
        print_now(fmt::format("accepted   ESME_ROK, message id {}", id));
        return options_.receipt ? receipt() : 0;
    }

    int receipt() {
        while (receipt_id_ != id_) {
            if (!await(CommandId::deliver_sm)) {
                fmt::print("no receipt within {} s: {}\n", options_.wait_s, wire_.why());
                return 1;
            }
        }
        return 0;
    }

    /// The next PDU with this id into got_; answers what comes in between.
    bool await(CommandId id) {
        while (wire_.receive(got_, deadline_)) {
            const auto sequence = got_.header.sequence_number;
            if (got_.header.command_id == CommandId::enquire_link) {
                wire_.send_empty(CommandId::enquire_link_resp, {}, sequence);
            } else if (got_.header.command_id == CommandId::deliver_sm) {
                wire_.send_sm_resp(CommandId::deliver_sm_resp, sequence, "");
                SmView sm;
                if (view_sm(got_.body, sm)) {
                    print_now(tell_receipt(sm));
                    receipt_id_ = receipt_word(as_chars(sm.short_message), "id:");
                }
            }
            if (got_.header.command_id == id) {
                return true;
            }
        }
        return false;
    }

    const SendOptions& options_;
    Wire wire_;
    smpp::Frame got_;
    Nanos deadline_ = 0;
    std::string id_;
    std::string receipt_id_;
};

}  // namespace

CLI::App* add_send_command(CLI::App& app, SendOptions& options) {
    CLI::App* command = app.add_subcommand("send", "submit one message as a customer");
    command->configurable(false);
    command->add_option("--to", options.to, "destination number")->required();
    command->add_option("--from", options.from, "sender");
    command->add_option("--text", options.text, "up to 160 characters")
        ->check([](const std::string& text) {
            return text.size() <= 160 ? std::string() : std::string("longer than 160 characters");
        });
    command->add_flag("--receipt", options.receipt, "ask for the receipt and wait for it");
    command->add_option("--router", options.router, "where the router listens");
    command->add_option("--system-id", options.system_id, "of the customer");
    command->add_option("--password", options.password, "of the customer");
    command->add_option("--wait", options.wait_s, "seconds, for everything together");
    return command;
}

int send_message(const SendOptions& options) {
    if (options.to.size() > 20 || options.from.size() > 20) {
        return complain("--to and --from have at most 20 characters");
    }
    return Customer(options).go();
}

}  // namespace sy::load
