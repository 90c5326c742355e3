#include "bench/smppload/write_config.h"

#include <filesystem>

#include <fmt/format.h>

#include "bench/smppload/dpdk_device.h"
#include "bench/smppload/report.h"
#include "bench/smppload/traffic.h"

namespace sy::load {
namespace {

std::string dpdk_toml(const Options& options) {
    const DpdkEnd end = router_end(options);
    std::string eal;
    for (const std::string& argument : end.eal) {
        eal += fmt::format("{}\"{}\"", eal.empty() ? "" : ", ", argument);
    }
    std::string address = to_string(Endpoint{end.address.address, 0});  // with ":0", in brackets
    address.resize(address.rfind(':'));
    std::erase_if(address, [](char c) { return c == '[' || c == ']'; });
    const int bits = end.address.prefix_bits - (is_ipv4({end.address.address, 0}) ? 96 : 0);
    return fmt::format(
        "[dpdk]\neal = [{}]\n\n[[dpdk.port]]\ndevice = \"{}\"\n"
        "address = [\"{}/{}\"]\nmtu = {}\n\n",
        eal, end.device, address, bits, options.dpdk.mtu);
}

std::string toml(const Options& options) {
    const bool over_dpdk = options.dpdk.kind != DpdkKind::none;
    std::string workers;
    for (const uint32_t cpu : options.workers) {
        workers += fmt::format("{}{}", workers.empty() ? "" : ", ", cpu);
    }
    std::string out = fmt::format(
        "# Written by smppload --write-config. Its own options are in smppload.ini beside this.\n"
        "[runtime]\nworkers = [{}]\n{}\n[smpp]\nlisten = [\"{}\"]\nsystem_id = \"switchyard\"\n\n"
        "[routes]\nmt = \"mt.csv\"\nmo = \"\"\nerrors = \"\"\n\n",
        workers, over_dpdk ? "transport = \"dpdk\"\n" : "", to_string(options.router));
    if (over_dpdk) {
        out += dpdk_toml(options);
    }
    if (!options.admin.empty()) {
        out += fmt::format("[admin]\nlisten = \"{}\"\n\n", options.admin);
    }
    const uint32_t binds = options.binds * (options.bind_mode == CustomerBind::tx_rx ? 2 : 1);
    for (uint32_t c = 0; c < options.customers; ++c) {
        out += fmt::format(
            "[[customer]]\nname = \"{}\"\nsystem_id = \"{}\"\npassword = \"{}\"\n"
            "plan = \"default\"\nbinds = {}\nwindow = {}\nnumbers = [\"{}\"]\n\n",
            customer_name(c), options.system_ids[c], options.passwords[c], binds, options.window,
            customer_number(c));
    }
    static constexpr const char* id_forms[] = {"as-is", "hex-decimal", "decimal-hex"};
    for (uint32_t s = 0; s < options.suppliers; ++s) {
        Endpoint at = options.listen;
        at.port = static_cast<uint16_t>(at.port + s);
        out += fmt::format(
            "[[supplier]]\nname = \"{}\"\nhost = \"{}\"\nsystem_id = \"sy\"\n"
            "password = \"secret\"\nbind = \"transceiver\"\nbinds = {}\n"
            "window = {}\nmessage_id = \"{}\"\n\n",
            supplier_name(s), to_string(at), options.supplier_binds, options.supplier_window,
            id_forms[static_cast<size_t>(options.receipt_id)]);
    }
    return out;
}

std::string target(const Options& options, uint8_t supplier) {
    if (!options.fallback) {
        return supplier_name(supplier);
    }
    return fmt::format("{} > {}", supplier_name(supplier),
                       supplier_name((supplier + 1u) % options.suppliers));
}

std::string mt_csv(const Options& options, const RouteTable& table) {
    std::string out = "plan,prefix,sender,text,priority,targets\n";
    for (const PrefixRow& row : table.rows) {
        if (row.expression >= 0) {
            const Expression& expression = table.expressions[static_cast<size_t>(row.expression)];
            out += fmt::format("default,{},{},{},5,{}\n", row.prefix,
                               expression.on_sender ? expression.pattern : "",
                               expression.on_sender ? "" : expression.pattern,
                               target(options, row.expression_supplier));
        }
        out += fmt::format("default,{},,,10,{}\n", row.prefix, target(options, row.supplier));
    }
    return out;
}

}  // namespace

Result<void> write_config(const Options& options) {
    auto table = make_route_table(options);
    if (!table) {
        return std::unexpected(std::move(table).error());
    }
    const std::filesystem::path directory = options.write_config;
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) {
        return fail(fmt::format("cannot make {}: {}", directory.string(), error.message()));
    }
    SY_TRY(write_file(directory / "switchyard.toml", toml(options)));
    SY_TRY(write_file(directory / "mt.csv", mt_csv(options, *table)));
    SY_TRY(write_file(directory / "smppload.ini", options.options_text));
    return {};
}

}  // namespace sy::load
