// `smppload supplier`: one SMSC that prints what it gets.
#include <array>
#include <ctime>
#include <memory>
#include <poll.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/smppload/friendly.h"
#include "bench/smppload/options.h"
#include "bench/smppload/pdu_view.h"
#include "bench/smppload/run.h"
#include "bench/smppload/wire.h"
#include "core/smpp/encode.h"

namespace sy::load {
namespace {

using smpp::CommandId;

struct Bind {
    explicit Bind(int fd) : wire(fd) {}

    Wire wire;
    bool bound = false;
    bool delivers = false;
    uint32_t next_sequence = 1;
};

std::string date_now() {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::array<char, 16> out{};
    (void)std::strftime(out.data(), out.size(), "%y%m%d%H%M", &utc);
    return out.data();
}

class Supplier {
  public:
    Supplier(const SupplierOptions& options, smpp::CommandStatus status, Stat stat)
        : options_(options), status_(status), stat_(std::move(stat)) {}

    /// One wait and what came of it.
    void turn(int listener) {
        std::vector<pollfd> wanted = {{listener, POLLIN, 0}};
        for (const auto& bind : binds_) {
            wanted.push_back({bind->wire.fd(), POLLIN, 0});
        }
        if (poll(wanted.data(), wanted.size(), 500) <= 0) {
            return;
        }
        const size_t count = binds_.size();
        for (size_t i = 0; i < count; ++i) {
            if (wanted[i + 1].revents != 0) {
                read(*binds_[i]);
            }
        }
        if (wanted[0].revents != 0) {
            const int fd = accept(listener, nullptr, nullptr);
            if (fd >= 0) {
                binds_.push_back(std::make_unique<Bind>(fd));
            }
        }
        std::erase_if(binds_, [](const auto& bind) { return bind->wire.closed(); });
    }

  private:
    void say(const std::string& line) {
        fmt::print("{}  {}\n", options_.name, line);
        (void)std::fflush(stdout);
    }

    void read(Bind& bind) {
        smpp::Frame frame;
        while (bind.wire.receive(frame, 0)) {
            handle(bind, frame);
        }
        if (bind.wire.closed() && bind.bound) {
            say("unbound");
        }
    }

    void handle(Bind& bind, const smpp::Frame& frame) {
        const uint32_t sequence = frame.header.sequence_number;
        switch (frame.header.command_id) {
            case CommandId::bind_transceiver:
            case CommandId::bind_transmitter:
            case CommandId::bind_receiver:
                on_bind(bind, frame);
                break;
            case CommandId::submit_sm:
                on_submit(bind, frame);
                break;
            case CommandId::enquire_link:
            case CommandId::unbind:
                bind.wire.send_empty(smpp::response_to(frame.header.command_id), {}, sequence);
                break;
            case CommandId::deliver_sm_resp:
                if (frame.header.command_status != 0) {
                    say(fmt::format("deliver_sm was refused: {}",
                                    status_text(frame.header.command_status)));
                }
                break;
            default:
                if (!smpp::is_response(frame.header.command_id)) {
                    bind.wire.send_empty(CommandId::generic_nack,
                                         smpp::CommandStatus::esme_rinvcmdid, sequence);
                }
        }
    }

    void on_bind(Bind& bind, const smpp::Frame& frame) {
        Octets body = frame.body;
        std::string_view system_id;
        (void)take_c_string(body, system_id);
        bind.bound = true;
        bind.delivers = frame.header.command_id != CommandId::bind_transmitter;
        smpp::BindResp resp;
        resp.system_id = options_.name;
        std::array<uint8_t, 128> out;
        bind.wire.send(
            {out.data(), smpp::encode_bind_resp(out, smpp::response_to(frame.header.command_id),
                                                frame.header.sequence_number, resp)});
        say(fmt::format("bound by {}", system_id));
        if (!options_.mo_to.empty() && bind.delivers && !mo_sent_) {
            mo_sent_ = true;
            smpp::Sm mo;
            mo.source = {1, 1, "447700900999"};
            mo.destination = {1, 1, options_.mo_to};
            mo.short_message = as_octets(options_.mo_text);
            deliver(bind, mo);
            say(fmt::format("sent MO to {}: {}", options_.mo_to, options_.mo_text));
        }
    }

    void on_submit(Bind& bind, const smpp::Frame& frame) {
        const uint32_t sequence = frame.header.sequence_number;
        SmView sm;
        if (!view_sm(frame.body, sm)) {
            bind.wire.send_empty(CommandId::submit_sm_resp, smpp::CommandStatus::esme_rinvcmdlen,
                                 sequence);
            return;
        }
        if (status_ != smpp::CommandStatus::esme_rok) {
            bind.wire.send_empty(CommandId::submit_sm_resp, status_, sequence);
            say(fmt::format("refused with {}: from {} to {}: {}", options_.status, sm.source,
                            sm.destination, as_chars(sm.short_message)));
            return;
        }
        const std::string id = std::to_string(next_id_++);
        bind.wire.send_sm_resp(CommandId::submit_sm_resp, sequence, id);
        say(fmt::format("message {} from {} to {}: {}", id, sm.source, sm.destination,
                        as_chars(sm.short_message)));
        if (options_.receipts && (sm.registered_delivery & 1) != 0) {
            send_receipt(bind, sm, id);
        }
    }

    void send_receipt(Bind& origin, const SmView& sm, const std::string& id) {
        Bind* bind = &origin;
        for (size_t i = 0; i < binds_.size() && !bind->delivers; ++i) {
            bind = binds_[i].get();
        }
        const std::string date = date_now();
        const std::string text = fmt::format(
            "id:{} sub:001 dlvrd:{} submit date:{} done date:{} stat:{} err:000 text:{}", id,
            stat_.message_state == 2 ? "001" : "000", date, date, stat_.word,
            as_chars(sm.short_message).substr(0, 20));
        std::array<uint8_t, 64> tlvs;
        ByteWriter out(tlvs);
        out.integer(tlv_receipted_message_id);
        out.integer(static_cast<uint16_t>(id.size() + 1));
        out.c_string(id);
        out.tlv(tlv_message_state, {&stat_.message_state, 1});
        smpp::Sm receipt;
        receipt.source = {1, 1, sm.destination};
        receipt.destination = {1, 1, sm.source};
        receipt.esm_class = smpp::esm_class_delivery_receipt;
        receipt.short_message = as_octets(text);
        receipt.tlvs = {tlvs.data(), out.written()};
        deliver(*bind, receipt);
        say(fmt::format("receipt {} {}", id, stat_.word));
    }

    void deliver(Bind& bind, const smpp::Sm& sm) {
        std::array<uint8_t, 1024> out;
        bind.wire.send(
            {out.data(), smpp::encode_sm(out, CommandId::deliver_sm, bind.next_sequence++, sm)});
    }

    static std::string status_text(uint32_t status) {
        const auto name = smpp::status_name(static_cast<smpp::CommandStatus>(status));
        return name.empty() ? fmt::format("0x{:x}", status) : std::string(name);
    }

    const SupplierOptions& options_;
    smpp::CommandStatus status_;
    Stat stat_;
    std::vector<std::unique_ptr<Bind>> binds_;
    uint64_t next_id_ = 1001;
    bool mo_sent_ = false;
};

}  // namespace

CLI::App* add_supplier_command(CLI::App& app, SupplierOptions& options) {
    CLI::App* command = app.add_subcommand("supplier", "play one supplier, print what it gets");
    command->configurable(false);
    command->add_option("--listen", options.listen, "address and port");
    command->add_option("--name", options.name, "printed in front of every line");
    command->add_flag("--receipts", options.receipts, "send the receipts that are asked for");
    command->add_option("--stat", options.stat, "state in the receipts");
    command->add_option("--status", options.status, "answer every submit_sm with this");
    command->add_option("--mo-to", options.mo_to, "send one MO message to this number");
    command->add_option("--mo-text", options.mo_text, "its text");
    return command;
}

int run_supplier(const SupplierOptions& options) {
    const auto at = parse_endpoint(options.listen);
    const auto status = smpp::parse_status(options.status);
    const auto stats = parse_stat_mix(options.stat);
    if (!at || !status || !stats) {
        fmt::print(stderr, "smppload: error: {}\n",
                   !at       ? "--listen: " + at.error().text
                   : !status ? "--status: '" + options.status + "' is no status name"
                             : "--stat: " + stats.error().text);
        return 2;
    }
    const auto listener = listen_on(*at);
    if (!listener) {
        fmt::print(stderr, "smppload: error: {}\n", listener.error().text);
        return 2;
    }
    fmt::print("{}  waiting for the router at {} (Ctrl-C ends)\n", options.name, options.listen);
    (void)std::fflush(stdout);
    Supplier supplier(options, *status, stats->front());
    while (!stop_was_asked()) {
        supplier.turn(*listener);
    }
    return 0;
}

}  // namespace sy::load
