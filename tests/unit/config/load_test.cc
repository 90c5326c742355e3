// What a good configuration becomes: every key, every column, every default.
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "core/base/limits.h"
#include "tests/unit/config/load_support.h"

namespace sy::config::test {
namespace {

using Strings = std::vector<std::string>;

// Every key that there is, none at its default.
constexpr const char* every_key = R"(
[runtime]
workers = [2, 5]
transport = "kernel"
idle = "spin"
connections_max = 1000
messages_max = 4096
drain = "5s"
cache = "compiled"
[smpp]
listen = ["127.0.0.1:2775", "[::1]:2776"]
system_id = "hub"
enquire_link = "20s"
session_init = "5s"
inactivity = "10m"
response = "1500ms"
[log]
path = "sy.log"
level = "debug"
json = true
[admin]
listen = "localhost:8080"
[routes]
mt = "tables/mt.csv"
mo = "/srv/mo.csv"
errors = ""
[[customer]]
name = "acme"
system_id = "acme-id"
password = "secret"
plan = "gold"
bind = ["receiver", "transmitter"]
binds = 7
window = 150
rate = 500
burst = 50
allow = ["10.0.0.0/8", "::1"]
numbers = ["447700900123", "+447700900124"]
alphabet = "latin1"
message_id = "hex"
country_code = "44"
national_prefix = "00"
strip_00 = false
short_code_digits = 6
mode = "forward"
receipt_tlvs = false
no_route_status = "RSUBMITFAIL"
bind_refused_status = "RINVPASWD"
receipt_queue = 77
receipt_age = "2h"
response = "9s"
[[supplier]]
name = "alpha"
host = ["192.0.2.1:2775", "[2001:db8::1]:2775"]
outbind_from = ["192.0.2.1", "[2001:db8::1]:99"]
system_id = "sy"
password = "pw"
system_type = "VMA"
interface_version = "5.0"
tlvs = false
bind = "pair"
binds = 3
window = 20
rate = 100
burst = 10
queue = 1024
message_id = "hex-decimal"
alphabet = "ascii"
country_code = "49"
national_prefix = "1"
strip_00 = false
short_code_digits = 5
ton = 2
npi = 8
number_prefix = "+"
short_code_ton = 6
short_code_npi = 1
acceptd_is_final = true
receipt_by_text = false
orphan_refuse = true
receipt_park = "1m"
refuse_status = "RMSGQFUL"
on_unknown = "resend"
pause = "3s"
breaker = 25
breaker_pause = "4s"
breaker_pause_max = "90s"
reconnect_min = "2s"
reconnect_max = "30s"
enquire_link = "15s"
)";

Files every_key_files() {
    return {{"etc/sy.toml", every_key},
            {"etc/tables/mt.csv", "plan,targets\ngold,alpha\n"},
            {"/srv/mo.csv", "number,targets\n447700900123,acme\n"}};
}

class EveryKey : public testing::Test {
  protected:
    void SetUp() override {
        const Files files = every_key_files();
        Loaded loaded = load_files(files, registry);
        ASSERT_EQ(loaded.complaints, Strings{});
        ASSERT_TRUE(loaded.config);
        config = std::move(*loaded.config);
    }
    Registry registry;
    Config config;
};

TEST_F(EveryKey, SetsTheSettings) {
    EXPECT_EQ(config.directory, "etc/");
    EXPECT_EQ(config.runtime.workers, (std::vector<uint32_t>{2, 5}));
    EXPECT_EQ(config.runtime.transport, TransportKind::kernel);
    EXPECT_EQ(config.runtime.idle, Idle::spin);
    EXPECT_EQ(config.runtime.connections_max, 1000u);
    EXPECT_EQ(config.runtime.messages_max, 4096u);
    EXPECT_EQ(config.runtime.drain_ns, 5 * second_ns);
    EXPECT_EQ(config.cache_path, "etc/compiled");
    ASSERT_EQ(config.listen.size(), 2u);
    EXPECT_EQ(to_string(config.listen[0]), "127.0.0.1:2775");
    EXPECT_EQ(to_string(config.listen[1]), "[::1]:2776");
    EXPECT_EQ(config.system_id, "hub");
    EXPECT_EQ(config.logging.path, "sy.log");
    EXPECT_EQ(config.logging.level, "debug");
    EXPECT_TRUE(config.logging.json);
    ASSERT_TRUE(config.admin_listen);
    EXPECT_EQ(to_string(*config.admin_listen), "127.0.0.1:8080");
    EXPECT_EQ(config.mt_file, "etc/tables/mt.csv");
    EXPECT_EQ(config.mo_file, "/srv/mo.csv");
    EXPECT_EQ(config.errors_file, "");
}

TEST_F(EveryKey, SetsTheCustomer) {
    ASSERT_EQ(config.customers.size(), 1u);
    const auto& [id, customer] = config.customers[0];
    EXPECT_EQ(id, registry.customer("acme"));
    EXPECT_EQ(customer.name, "acme");
    EXPECT_EQ(customer.system_id, "acme-id");
    EXPECT_EQ(customer.password, "secret");
    EXPECT_EQ(customer.plan, "gold");
    EXPECT_EQ(customer.plan_id, registry.plan("gold"));
    EXPECT_TRUE(customer.allow_transmitter);
    EXPECT_TRUE(customer.allow_receiver);
    EXPECT_FALSE(customer.allow_transceiver);
    EXPECT_EQ(customer.binds_max, 7);
    EXPECT_EQ(customer.window, 150);
    EXPECT_EQ(customer.rate_per_second, 500u);
    EXPECT_EQ(customer.burst, 50u);
    ASSERT_EQ(customer.allow.size(), 2u);
    EXPECT_EQ(customer.allow[0].prefix_bits, 96 + 8);
    EXPECT_EQ(customer.numbers, (Strings{"447700900123", "447700900124"}));
    EXPECT_EQ(customer.alphabet, route::Alphabet::latin1);
    EXPECT_EQ(customer.id_format, route::MessageIdFormat::hex);
    EXPECT_EQ(customer.number_plan.country_code, "44");
    EXPECT_EQ(customer.number_plan.national_prefix, "00");
    EXPECT_FALSE(customer.number_plan.strip_00);
    EXPECT_EQ(customer.number_plan.short_code_digits_max, 6);
    EXPECT_FALSE(customer.store_and_forward);
    EXPECT_FALSE(customer.receipt_tlvs);
    EXPECT_EQ(customer.no_route_status, smpp::CommandStatus::esme_rsubmitfail);
    EXPECT_EQ(customer.bind_refused_status, smpp::CommandStatus::esme_rinvpaswd);
    EXPECT_EQ(customer.receipt_queue_max, 77u);
    EXPECT_EQ(customer.receipt_age_max_ns, 7200 * second_ns);
    EXPECT_EQ(customer.timers.response_ns, 9 * second_ns);       // its own
    EXPECT_EQ(customer.timers.enquire_link_ns, 20 * second_ns);  // of [smpp]
    EXPECT_EQ(customer.timers.session_init_ns, 5 * second_ns);   // of [smpp]
    EXPECT_EQ(customer.timers.inactivity_ns, 600 * second_ns);   // of [smpp]
}

TEST_F(EveryKey, SetsTheSupplier) {
    ASSERT_EQ(config.suppliers.size(), 1u);
    const auto& [id, supplier] = config.suppliers[0];
    EXPECT_EQ(id, registry.supplier("alpha"));
    ASSERT_EQ(supplier.hosts.size(), 2u);
    EXPECT_EQ(to_string(supplier.hosts[0]), "192.0.2.1:2775");
    EXPECT_EQ(to_string(supplier.hosts[1]), "[2001:db8::1]:2775");
    ASSERT_EQ(supplier.outbind_from.size(), 2u);
    EXPECT_EQ(to_string(supplier.outbind_from[0]), "192.0.2.1:0");
    EXPECT_EQ(to_string(supplier.outbind_from[1]), "[2001:db8::1]:99");
    EXPECT_EQ(supplier.system_id, "sy");
    EXPECT_EQ(supplier.password, "pw");
    EXPECT_EQ(supplier.system_type, "VMA");
    EXPECT_EQ(supplier.interface_version, 0x50);
    EXPECT_EQ(supplier.tlvs, false);
    EXPECT_EQ(supplier.bind, route::BindMode::pair);
    EXPECT_EQ(supplier.binds, 3);
    EXPECT_EQ(supplier.window, 20);
    EXPECT_EQ(supplier.rate_per_second, 100u);
    EXPECT_EQ(supplier.burst, 10u);
    EXPECT_EQ(supplier.queue, 1024u);
    EXPECT_EQ(supplier.id_mode, route::MessageIdMode::hex_decimal);
    EXPECT_EQ(supplier.alphabet, route::Alphabet::ascii);
    EXPECT_EQ(supplier.number_plan.country_code, "49");
    EXPECT_EQ(supplier.number_plan.national_prefix, "1");
    EXPECT_FALSE(supplier.number_plan.strip_00);
    EXPECT_EQ(supplier.number_plan.short_code_digits_max, 5);
    EXPECT_EQ(supplier.number_form.ton, 2);
    EXPECT_EQ(supplier.number_form.npi, 8);
    EXPECT_EQ(supplier.number_form.prefix, "+");
    EXPECT_EQ(supplier.number_form.short_code_ton, 6);
    EXPECT_EQ(supplier.number_form.short_code_npi, 1);
    EXPECT_TRUE(supplier.acceptd_is_final);
    EXPECT_FALSE(supplier.receipt_by_text);
    EXPECT_TRUE(supplier.orphan_refuse);
    EXPECT_EQ(supplier.receipt_park_ns, 60 * second_ns);
    EXPECT_EQ(supplier.refuse_status, smpp::CommandStatus::esme_rmsgqful);
    EXPECT_EQ(supplier.on_unknown, route::OnUnknown::resend);
    EXPECT_EQ(supplier.pause_ns, 3 * second_ns);
    EXPECT_EQ(supplier.breaker, 25u);
    EXPECT_EQ(supplier.breaker_pause_ns, 4 * second_ns);
    EXPECT_EQ(supplier.breaker_pause_max_ns, 90 * second_ns);
    EXPECT_EQ(supplier.reconnect_min_ns, 2 * second_ns);
    EXPECT_EQ(supplier.reconnect_max_ns, 30 * second_ns);
    EXPECT_EQ(supplier.timers.enquire_link_ns, 15 * second_ns);
    EXPECT_EQ(supplier.timers.response_ns, 1500 * millisecond_ns);
}

TEST(Load, AccountsAloneTakeTheDefaults) {
    const Loaded loaded = load_files(good_files());
    EXPECT_EQ(loaded.complaints, Strings{});
    ASSERT_TRUE(loaded.config);
    ASSERT_EQ(loaded.config->listen.size(), 1u);
    EXPECT_EQ(to_string(loaded.config->listen[0]), "127.0.0.1:2775");
    EXPECT_FALSE(loaded.config->admin_listen);
    EXPECT_EQ(loaded.config->runtime.workers, std::vector<uint32_t>{0});
    const route::Customer& customer = loaded.config->customers.at(0).second;
    EXPECT_EQ(customer.plan, "default");
    EXPECT_TRUE(customer.allow_transceiver);
    EXPECT_EQ(customer.timers.inactivity_ns, 300 * second_ns);
    EXPECT_EQ(loaded.config->suppliers.at(0).second.tlvs, std::nullopt);
}

TEST(Load, ReadsEveryColumnOfTheMtTable) {
    Files files = good_files();
    files["etc/mt.csv"] =
        "note,select,targets,action,priority,data_coding,text,sender_type,sender,prefix,customer,"
        "plan\n"
        "\"a, b\",order,alpha:70 | beta,route,-5,0x08,\"say \"\"hi\"\"\",alpha,^[A-Z],+44,acme,"
        "default\n";
    Registry registry;
    const Loaded loaded = load_files(files, registry);
    EXPECT_EQ(loaded.complaints, Strings{});
    ASSERT_TRUE(loaded.config);
    ASSERT_EQ(loaded.config->mt->rules.size(), 1u);
    const route::MtRule& rule = loaded.config->mt->rules[0];
    EXPECT_EQ(rule.line, 2u);
    EXPECT_EQ(rule.plan, "default");
    EXPECT_EQ(rule.customer, registry.customer("acme"));
    EXPECT_EQ(rule.prefix, "44");
    EXPECT_EQ(rule.sender, "^[A-Z]");
    EXPECT_EQ(rule.text, "say \"hi\"");
    EXPECT_EQ(rule.sender_type, route::SenderType::alpha);
    EXPECT_EQ(rule.data_coding, 8);
    EXPECT_EQ(rule.priority, -5);
    EXPECT_EQ(rule.action, route::Action::route);
    EXPECT_EQ(rule.select, route::Select::order);
    EXPECT_EQ(rule.note, "a, b");
    ASSERT_EQ(rule.targets.size(), 1u);
    ASSERT_EQ(rule.targets[0].size(), 2u);
    EXPECT_EQ(rule.targets[0][0].id, registry.supplier("alpha"));
    EXPECT_EQ(rule.targets[0][0].weight, 70u);
    EXPECT_EQ(rule.targets[0][1].id, registry.supplier("beta"));
    EXPECT_EQ(rule.targets[0][1].weight, 1u);
}

TEST(Load, KeepsThePlacesOfExpressions) {
    Files files = good_files();
    files["etc/mt.csv"] = "sender,text,targets\n,,alpha\n^A,\"x\ny\",alpha\n,abc,beta\n";
    files["etc/mo.csv"] = "text,targets\nabc,acme\n";
    const Loaded loaded = load_files(files);
    ASSERT_TRUE(loaded.config);
    const auto& cells = loaded.config->mt->expressions;
    ASSERT_EQ(cells.size(), 3u);
    EXPECT_EQ(cells[0].row_line, 3u);
    EXPECT_EQ(cells[0].column, ExpressionCell::Column::sender);
    EXPECT_EQ(cells[0].cell_column, 1u);
    EXPECT_EQ(cells[1].row_line, 3u);
    EXPECT_EQ(cells[1].column, ExpressionCell::Column::text);
    EXPECT_EQ(cells[1].cell_column, 4u);
    EXPECT_EQ(cells[2].row_line, 5u);  // the quoted cell spans two lines
    EXPECT_EQ(cells[2].cell_column, 2u);
    EXPECT_EQ(loaded.config->mo_expressions.size(), 1u);
}

TEST(Load, ReadsScreeningRows) {
    Files files = good_files();
    files["etc/mt.csv"] =
        "plan,prefix,action,targets\n*,,drop,\n*,4,reject:0x400,\n,5,reject:RINVSRCADR,\n,,,"
        "alpha\n";
    const Loaded loaded = load_files(files);
    EXPECT_EQ(loaded.complaints, Strings{});
    ASSERT_TRUE(loaded.config);
    const auto& rules = loaded.config->mt->rules;
    ASSERT_EQ(rules.size(), 4u);
    EXPECT_EQ(rules[0].plan, "*");
    EXPECT_EQ(rules[0].action, route::Action::drop);
    EXPECT_EQ(rules[1].action, route::Action::reject);
    EXPECT_EQ(static_cast<uint32_t>(rules[1].reject_status), 0x400u);
    EXPECT_EQ(rules[2].plan, "default");
    EXPECT_EQ(rules[2].reject_status, smpp::CommandStatus::esme_rinvsrcadr);
}

TEST(Load, ReadsTheMoAndErrorTables) {
    Files files = good_files();
    files["etc/mo.csv"] =
        "number,supplier,source,keyword,text,priority,targets,select,note\n"
        "4477*,alpha,+44,stop,^x,3,acme:2,order,n\n,,,,,,acme,,\n";
    files["etc/errors.csv"] = "supplier,status,class\nbeta,RTHROTTLED,pause\n,0x45,final\n";
    Registry registry;
    const Loaded loaded = load_files(files, registry);
    EXPECT_EQ(loaded.complaints, Strings{});
    ASSERT_TRUE(loaded.config);
    ASSERT_EQ(loaded.config->mo_rules.size(), 2u);
    const route::MoRule& rule = loaded.config->mo_rules[0];
    EXPECT_EQ(rule.number, "4477");
    EXPECT_TRUE(rule.number_is_prefix);
    EXPECT_EQ(rule.supplier, registry.supplier("alpha"));
    EXPECT_EQ(rule.source, "44");
    EXPECT_EQ(rule.keyword, "stop");
    EXPECT_EQ(rule.text, "^x");
    EXPECT_EQ(rule.priority, 3);
    EXPECT_EQ(rule.targets.at(0).at(0).id, registry.customer("acme"));
    EXPECT_EQ(rule.targets.at(0).at(0).weight, 2u);
    EXPECT_EQ(rule.select, route::Select::order);
    EXPECT_TRUE(loaded.config->mo_rules[1].number_is_prefix);
    EXPECT_EQ(loaded.config->mo_rules[1].number, "");
    ASSERT_EQ(loaded.config->error_rules.size(), 2u);
    EXPECT_EQ(loaded.config->error_rules[0].supplier, registry.supplier("beta"));
    EXPECT_EQ(loaded.config->error_rules[0].error_class, route::ErrorClass::pause);
    EXPECT_FALSE(loaded.config->error_rules[1].supplier.valid());
    EXPECT_EQ(loaded.config->error_rules[1].status, smpp::CommandStatus::esme_rsubmitfail);
}

TEST(Load, TellsTheErrorsOfAllFilesAtOnce) {
    Files files = good_files();
    files["etc/sy.toml"] += "[log]\njson = 1\nlevl = \"info\"\n";
    files["etc/mt.csv"] = "prefix,targets\nx,gamma\n,\n";
    files["etc/mo.csv"] = "number,targets\ny,acme\n";
    files["etc/errors.csv"] = "status,class\nRSYSERR,never\n";
    const Loaded loaded = load_files(files);
    EXPECT_FALSE(loaded.config);
    EXPECT_EQ(
        loaded.complaints,
        (Strings{"etc/sy.toml:14:8: error: json is 1, expected true or false",
                 "etc/sy.toml:15:1: error: unknown key 'levl' in [log], did you mean 'level'?",
                 "etc/mt.csv:2:1: error: 'x' is not the beginning of a number, expected 1 to "
                 "15 digits",
                 "etc/mt.csv:2:3: error: unknown supplier 'gamma', expected one of alpha, beta",
                 "etc/mt.csv:3:2: error: targets are missing, expected supplier names as in "
                 "alpha:70 | beta:30 > gamma",
                 "etc/mo.csv:2:1: error: 'y' is not a number, expected 1 to 15 digits, with * "
                 "behind the beginning of a number",
                 "etc/errors.csv:2:9: error: class is 'never', expected next, pause or final"}));
}

TEST(Load, ShowsAHundredErrorsOfAFileAndCountsTheRest) {
    Files files = good_files();
    std::string& table = files["etc/mt.csv"] = "prefix,targets\n";
    for (int i = 0; i < 1000; ++i) {
        table += "x,alpha\n";
    }
    const Loaded loaded = load_files(files);
    ASSERT_EQ(loaded.complaints.size(), 101u);
    EXPECT_EQ(loaded.complaints.back(), "etc/mt.csv: error: 900 more errors, not shown");
}

TEST(Load, LeavesTheRegistryAloneWhenThereAreErrors) {
    Registry registry;
    Files files = good_files();
    files["etc/mt.csv"] = "targets\ngamma\n";
    EXPECT_FALSE(load_files(files, registry).config);
    EXPECT_TRUE(registry.customers().empty());
    EXPECT_TRUE(registry.suppliers().empty());
    EXPECT_TRUE(registry.plans().empty());
}

// A hundred thousand parts run over the stack inside toml++ 3.3.
TEST(Load, SurvivesAKeyOfManyParts) {
    Files files = good_files();
    std::string key = "a";
    for (int i = 0; i < 100'000; ++i) {
        key += ".a";
    }
    files["etc/sy.toml"] = key + " = 1\n";
    EXPECT_EQ(load_files(files).complaints.at(0),
              "etc/sy.toml:1:32: error: not valid here: a key of more than 16 parts, expected at "
              "most two");
}

TEST(Registry, KeepsIdsAcrossLoadsAndAfterANameIsGone) {
    Registry registry;
    ASSERT_TRUE(load_files(good_files(), registry).config);
    const SupplierId beta = registry.supplier("beta");
    Files files = good_files();
    const std::string only_beta =
        std::string(accounts).replace(std::string(accounts).find("alpha"), 5, "gamma");
    files["etc/sy.toml"] = only_beta;
    files["etc/mt.csv"] = "targets\ngamma\n";
    const Loaded second = load_files(files, registry);
    ASSERT_TRUE(second.config);
    EXPECT_EQ(second.config->suppliers.at(1).first, beta);
    EXPECT_EQ(registry.suppliers(), (Strings{"alpha", "beta", "gamma"}));
}

TEST(Registry, HandsOutNoMoreIdsThanTheLimit) {
    Registry registry;
    for (uint32_t i = 0; i < limits::suppliers_max; ++i) {
        ASSERT_EQ(registry.supplier(std::to_string(i)).value, i);
    }
    EXPECT_FALSE(registry.supplier("one more").valid());
    EXPECT_EQ(registry.supplier("7").value, 7);
}

TEST(Example, LoadsWithoutAnyComplaint) {
    const std::string directory = SY_SOURCE_ROOT "/scripts/example/";
    const ReadFile read_file = [](const std::string& path) -> Result<std::string> {
        std::ifstream file(path, std::ios::binary);
        std::ostringstream text;
        if (!(text << file.rdbuf())) {
            return fail("cannot open it");
        }
        return text.str();
    };
    Registry registry;
    std::vector<Diagnostic> diagnostics;
    const auto config = load(directory + "switchyard.toml", read_file, registry, diagnostics);
    for (const Diagnostic& diagnostic : diagnostics) {
        ADD_FAILURE() << to_string(diagnostic);
    }
    ASSERT_TRUE(config);
    EXPECT_EQ(config->customers.size(), 1u);
    EXPECT_EQ(config->suppliers.size(), 2u);
    EXPECT_FALSE(config->mt->expressions.empty());
    EXPECT_FALSE(config->mo_rules.empty());
    EXPECT_FALSE(config->error_rules.empty());
}

}  // namespace
}  // namespace sy::config::test
