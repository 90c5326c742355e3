// Every kind of bad input, and the very words that people see for it.
#include <algorithm>
#include <ostream>

#include <gtest/gtest.h>

#include "tests/unit/config/load_support.h"

namespace sy::config::test {
namespace {

enum class How { appended, replaced, missing };

struct BadInput {
    const char* name;
    const char* file;  // the one of good_files() that is bad
    How how;
    std::string text;
    std::vector<std::string> complaints;  // all of them, in order
};

void PrintTo(const BadInput& input, std::ostream* out) {
    *out << input.name;
}

class BadInputTest : public testing::TestWithParam<BadInput> {};

TEST_P(BadInputTest, IsComplainedAboutInTheseWords) {
    const BadInput& input = GetParam();
    Files files = good_files();
    if (input.how == How::missing) {
        files.erase(input.file);
    } else if (input.how == How::replaced) {
        files[input.file] = input.text;
    } else {
        files[input.file] += input.text;
    }
    const Loaded loaded = load_files(files);
    EXPECT_EQ(loaded.complaints, input.complaints);
    const bool any_error =
        std::any_of(input.complaints.begin(), input.complaints.end(),
                    [](const auto& text) { return text.find(": error: ") != std::string::npos; });
    EXPECT_EQ(loaded.config.has_value(), !any_error);
}

std::string name_of(const testing::TestParamInfo<BadInput>& info) {
    return info.param.name;
}

using enum How;
const BadInput bad_inputs[] = {
    {"toml_syntax",
     "etc/sy.toml",
     appended,
     "[runtime\n",
     {"etc/sy.toml:13:9: error: not valid TOML: Error while parsing table header: expected ']', "
      "saw '\\n'"}},
    {"toml_duplicate_key",
     "etc/sy.toml",
     appended,
     "[log]\njson = true\njson = false\n",
     {"etc/sy.toml:15:8: error: not valid TOML: Error while parsing key-value pair: cannot "
      "redefine existing boolean 'json'"}},
    {"toml_not_utf8",
     "etc/sy.toml",
     appended,
     "[log]\npath = \"\377\"\n",
     {"etc/sy.toml:14:8: error: not valid TOML: Encountered invalid utf-8 sequence"}},
    {"no_accounts",
     "etc/sy.toml",
     replaced,
     "",
     {"etc/sy.toml: warning: there is no [[customer]]: nobody can bind",
      "etc/sy.toml: warning: there is no [[supplier]]: no message can leave",
      "etc/mt.csv:2:2: error: unknown supplier 'alpha'",
      "etc/mo.csv:2:14: error: unknown customer 'acme'"}},
    {"customer_is_no_list",
     "etc/sy.toml",
     replaced,
     "[customer]\nname = \"acme\"\n[[supplier]]\nname = \"alpha\"\nhost = "
     "\"127.0.0.1:1\"\nsystem_id = \"sy\"\n",
     {"etc/sy.toml:1:1: error: customer is not a list of tables, expected [[customer]]",
      "etc/mo.csv:2:14: error: unknown customer 'acme'"}},
    {"section_is_no_table",
     "etc/sy.toml",
     replaced,
     "smpp = 5\n",
     {"etc/sy.toml: warning: there is no [[customer]]: nobody can bind",
      "etc/sy.toml: warning: there is no [[supplier]]: no message can leave",
      "etc/sy.toml:1:8: error: smpp is not a table, expected [smpp]",
      "etc/mt.csv:2:2: error: unknown supplier 'alpha'",
      "etc/mo.csv:2:14: error: unknown customer 'acme'"}},
    {"unknown_table_near",
     "etc/sy.toml",
     appended,
     "[rutes]\n",
     {"etc/sy.toml:13:2: error: unknown key 'rutes' in the file, did you mean 'routes'?"}},
    {"unknown_table_far",
     "etc/sy.toml",
     appended,
     "[zzzzzz]\n",
     {"etc/sy.toml:13:2: error: unknown key 'zzzzzz' in the file, expected one of runtime, dpdk, "
      "smpp, routes, quality, store, records, admin, log, customer, supplier"}},
    {"unknown_key_near",
     "etc/sy.toml",
     appended,
     "[smpp]\nenquirelink = \"30s\"\n",
     {"etc/sy.toml:14:1: error: unknown key 'enquirelink' in [smpp], did you mean "
      "'enquire_link'?"}},
    {"unknown_key_far",
     "etc/sy.toml",
     appended,
     "[admin]\nport = 8080\n",
     {"etc/sy.toml:14:1: error: unknown key 'port' in [admin], expected listen"}},
    {"unknown_customer_key",
     "etc/sy.toml",
     appended,
     "[[customer]]\nname = \"globex\"\nsystem_id = \"globex\"\npassword = \"x\"\n  windw = 5\n",
     {"etc/sy.toml:17:3: error: unknown key 'windw' in [[customer]], did you mean 'window'?"}},
    {"store",
     "etc/sy.toml",
     appended,
     "[store]\npath = 7\nsync = \"always\"\ninterval = \"0s\"\nage = \"1s\"\nsize_max = \"1MiB\"\n"
     "memorie = 64\n",
     {"etc/sy.toml:14:8: error: path is 7, expected a string of 0 to 4096 octets without control "
      "characters",
      "etc/sy.toml:15:8: error: sync is 'always', expected one of \"commit\", \"interval\"",
      "etc/sy.toml:16:12: error: interval is '0s', expected a duration with its unit from \"1ms\" "
      "to "
      "\"1m\"",
      "etc/sy.toml:17:7: error: age is '1s', expected a duration with its unit from \"1m\" to "
      "\"60d\"",
      "etc/sy.toml:18:12: error: size_max is '1MiB', expected a size from \"64MiB\" to "
      "\"1048576GiB\"",
      "etc/sy.toml:19:1: error: unknown key 'memorie' in [store], did you mean 'memory'?"}},
    {"routes_missing",
     "etc/sy.toml",
     appended,
     "[routes]\nnetworks = \"n.csv\"\nported = \"p.csv\"\nprices = \"x.csv\"\n",
     {"etc/sy.toml:14:12: error: networks table 'etc/n.csv' cannot be read: No such file or "
      "directory, expected the file, or networks = \"\" under [routes] for none",
      "etc/sy.toml:15:10: error: ported table 'etc/p.csv' cannot be read: No such file or "
      "directory, expected the file, or ported = \"\" under [routes] for none",
      "etc/sy.toml:16:10: error: prices table 'etc/x.csv' cannot be read: No such file or "
      "directory, expected the file, or prices = \"\" under [routes] for none"}},
    {"unknown_transport",
     "etc/sy.toml",
     appended,
     "[runtime]\ntransport = \"udp\"\n",
     {"etc/sy.toml:14:13: error: transport is 'udp', expected one of \"kernel\", \"dpdk\""}},
    {"string_for_number",
     "etc/sy.toml",
     appended,
     "[[customer]]\nname = \"globex\"\nsystem_id = \"globex\"\npassword = \"x\"\nwindow = \"5\"\n",
     {"etc/sy.toml:17:10: error: window is '5', expected a whole number from 1 to 4096"}},
    {"number_out_of_range",
     "etc/sy.toml",
     appended,
     "[[customer]]\nname = \"globex\"\nsystem_id = \"globex\"\npassword = \"x\"\nwindow = 0\nbinds "
     "= 1001\n",
     {"etc/sy.toml:17:10: error: window is 0, expected a whole number from 1 to 4096",
      "etc/sy.toml:18:9: error: binds is 1001, expected a whole number from 1 to 1000"}},
    {"number_for_string",
     "etc/sy.toml",
     appended,
     "[smpp]\nsystem_id = 5\n",
     {"etc/sy.toml:14:13: error: system_id is 5, expected a string of 1 to 15 octets without "
      "control characters"}},
    {"string_too_long",
     "etc/sy.toml",
     appended,
     "[smpp]\nsystem_id = \"sixteen octets!!\"\n",
     {"etc/sy.toml:14:13: error: system_id is 'sixteen octets!!', expected a string of 1 to 15 "
      "octets without control characters"}},
    {"password_is_not_shown",
     "etc/sy.toml",
     appended,
     "[[customer]]\nname = \"g\"\nsystem_id = \"g\"\npassword = "
     "\"sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss\"\n",
     {"etc/sy.toml:16:12: error: password is a string of 65 octets, expected a string of 0 to 64 "
      "octets without control characters"}},
    {"string_with_control_character",
     "etc/sy.toml",
     appended,
     "[[customer]]\nname = \"globex\"\nsystem_id = \"globex\"\npassword = \"x\"\n[log]\npath = "
     "\"a\\u0000b\"\n",
     {"etc/sy.toml:18:8: error: path is 'a?b', expected a string of 0 to 4096 octets without "
      "control characters"}},
    {"string_for_boolean",
     "etc/sy.toml",
     appended,
     "[log]\njson = \"yes\"\n",
     {"etc/sy.toml:14:8: error: json is 'yes', expected true or false"}},
    {"duration_without_unit",
     "etc/sy.toml",
     appended,
     "[smpp]\nenquire_link = \"30\"\n",
     {"etc/sy.toml:14:16: error: enquire_link is '30', expected a duration with its unit from "
      "\"10ms\" to \"1d\""}},
    {"duration_as_number",
     "etc/sy.toml",
     appended,
     "[smpp]\nresponse = 30\n",
     {"etc/sy.toml:14:12: error: response is 30, expected a duration with its unit from \"10ms\" "
      "to \"1d\""}},
    {"duration_with_unknown_unit",
     "etc/sy.toml",
     appended,
     "[smpp]\nresponse = \"30sec\"\n",
     {"etc/sy.toml:14:12: error: response is '30sec', expected a duration with its unit from "
      "\"10ms\" to \"1d\""}},
    {"duration_out_of_range",
     "etc/sy.toml",
     appended,
     "[smpp]\nresponse = \"48h\"\n",
     {"etc/sy.toml:14:12: error: response is '48h', expected a duration with its unit from "
      "\"10ms\" to \"1d\""}},
    {"duration_overflow",
     "etc/sy.toml",
     appended,
     "[smpp]\nresponse = \"99999999999999999d\"\n",
     {"etc/sy.toml:14:12: error: response is '99999999999999999d', expected a duration with its "
      "unit from \"10ms\" to \"1d\""}},
    {"choice",
     "etc/sy.toml",
     appended,
     "[runtime]\nidle = \"lazy\"\n",
     {"etc/sy.toml:14:8: error: idle is 'lazy', expected one of \"adaptive\", \"spin\""}},
    {"log_level",
     "etc/sy.toml",
     appended,
     "[log]\nlevel = \"verbose\"\n",
     {"etc/sy.toml:14:9: error: level is 'verbose', expected one of \"trace\", \"debug\", "
      "\"info\", \"warning\", \"error\""}},
    {"status_name",
     "etc/sy.toml",
     appended,
     "[[supplier]]\nname = \"gamma\"\nhost = \"127.0.0.1:1\"\nsystem_id = \"sy\"\nrefuse_status = "
     "\"RNOSUCH\"\n",
     {"etc/sy.toml:17:17: error: refuse_status is 'RNOSUCH', expected the name of an error status "
      "like \"RSYSERR\" or its number like \"0x08\""}},
    {"status_that_means_success",
     "etc/sy.toml",
     appended,
     "[[customer]]\nname = \"globex\"\nsystem_id = \"globex\"\npassword = \"x\"\nno_route_status = "
     "\"ROK\"\n",
     {"etc/sy.toml:17:19: error: no_route_status is 'ROK', expected the name of an error status "
      "like \"RSYSERR\" or its number like \"0x08\""}},
    {"workers_twice",
     "etc/sy.toml",
     appended,
     "[runtime]\nworkers = [1, 2, 1]\n",
     {"etc/sy.toml:14:18: error: workers holds CPU 1 twice, expected one worker a CPU"}},
    {"workers_empty",
     "etc/sy.toml",
     appended,
     "[runtime]\nworkers = []\n",
     {"etc/sy.toml:14:11: error: workers is an empty array, expected 1 to 64 CPUs"}},
    {"workers_bad",
     "etc/sy.toml",
     appended,
     "[runtime]\nworkers = [-1, \"2\"]\n",
     {"etc/sy.toml:14:12: error: workers holds -1, expected whole numbers from 0 to 4095",
      "etc/sy.toml:14:16: error: workers holds '2', expected whole numbers from 0 to 4095"}},
    {"workers_number",
     "etc/sy.toml",
     appended,
     "[runtime]\nworkers = 4\n",
     {"etc/sy.toml:14:11: error: workers is 4, expected a list of whole numbers from 0 to 4095"}},
    {"listen_bad",
     "etc/sy.toml",
     appended,
     "[smpp]\nlisten = [\"localhost:2775\", \"smpp.example:2775\", 5]\n",
     {"etc/sy.toml:14:29: error: listen: 'smpp.example:2775' is not an address and port, expected "
      "127.0.0.1:2775 or [::1]:2775",
      "etc/sy.toml:14:50: error: listen holds 5, expected strings"}},
    {"listen_twice",
     "etc/sy.toml",
     appended,
     "[smpp]\nlisten = [\"127.0.0.1:2775\", \"localhost:2775\"]\n",
     {"etc/sy.toml:14:29: error: address '127.0.0.1:2775' is taken by line 14, expected another"}},
    {"listen_empty",
     "etc/sy.toml",
     appended,
     "[smpp]\nlisten = []\n",
     {"etc/sy.toml:14:10: error: listen is an empty array, expected at least one address and port "
      "like \"127.0.0.1:2775\""}},
    {"listen_table",
     "etc/sy.toml",
     appended,
     "[smpp]\nlisten = {}\n",
     {"etc/sy.toml:14:10: error: listen is a table, expected a list of strings"}},
    {"admin_listen",
     "etc/sy.toml",
     appended,
     "[admin]\nlisten = \"8080\"\n",
     {"etc/sy.toml:14:10: error: listen: '8080' is not an address and port, expected "
      "127.0.0.1:2775 or [::1]:2775"}},
    {"customer_needs_keys",
     "etc/sy.toml",
     appended,
     "[[customer]]\nplan = \"default\"\n",
     {"etc/sy.toml:13:1: error: [[customer]] needs the key name",
      "etc/sy.toml:13:1: error: [[customer]] needs the key system_id",
      "etc/sy.toml:13:1: error: [[customer]] needs the key password"}},
    {"supplier_needs_keys",
     "etc/sy.toml",
     appended,
     "[[supplier]]\npassword = \"x\"\n",
     {"etc/sy.toml:13:1: error: [[supplier]] needs the key name",
      "etc/sy.toml:13:1: error: [[supplier]] needs the key host",
      "etc/sy.toml:13:1: error: [[supplier]] needs the key system_id"}},
    {"account_names",
     "etc/sy.toml",
     appended,
     "[[customer]]\nname = \"a b\"\nsystem_id = \"\"\npassword = \"x\"\nplan = \"*\"\n",
     {"etc/sy.toml:14:8: error: name is 'a b', expected 1 to 64 letters, digits, '.', '_' or '-'",
      "etc/sy.toml:15:13: error: system_id is '', expected a string of 1 to 64 octets without "
      "control characters",
      "etc/sy.toml:17:8: error: plan is '*', expected 1 to 64 letters, digits, '.', '_' or '-'"}},
    {"customer_name_twice",
     "etc/sy.toml",
     appended,
     "[[customer]]\nname = \"acme\"\nsystem_id = \"other\"\npassword = \"x\"\n",
     {"etc/sy.toml:14:8: error: customer name 'acme' is taken by line 2, expected another"}},
    {"system_id_twice",
     "etc/sy.toml",
     appended,
     "[[customer]]\nname = \"other\"\nsystem_id = \"acme\"\npassword = \"x\"\n",
     {"etc/sy.toml:15:13: error: system_id 'acme' is taken by line 3, expected another"}},
    {"supplier_twice",
     "etc/sy.toml",
     appended,
     "[[supplier]]\nname = \"beta\"\nhost = \"127.0.0.1:1\"\nsystem_id = \"sy\"\n",
     {"etc/sy.toml:14:8: error: supplier name 'beta' is taken by line 10, expected another"}},
    {"number_of_two_customers",
     "etc/sy.toml",
     appended,
     "[[customer]]\nname = \"globex\"\nsystem_id = \"globex\"\npassword = \"x\"\nnumbers = "
     "[\"447700900999\"]\n[[customer]]\nname = \"initech\"\nsystem_id = \"initech\"\npassword = "
     "\"x\"\nnumbers = [\"447700900111\", \"+447700900999\"]\n",
     {"etc/sy.toml:22:28: error: number '447700900999' is taken by line 17, expected another"}},
    {"number_not_digits",
     "etc/sy.toml",
     appended,
     "[[customer]]\nname = \"globex\"\nsystem_id = \"globex\"\npassword = \"x\"\nnumbers = "
     "[\"4477-009\"]\n",
     {"etc/sy.toml:17:12: error: numbers holds '4477-009', expected 1 to 15 digits"}},
    {"customer_bind",
     "etc/sy.toml",
     appended,
     "[[customer]]\nname = \"globex\"\nsystem_id = \"globex\"\npassword = \"x\"\nbind = "
     "[\"pair\"]\n",
     {"etc/sy.toml:17:9: error: bind holds 'pair', expected \"transmitter\", \"receiver\" or "
      "\"transceiver\""}},
    {"customer_bind_empty",
     "etc/sy.toml",
     appended,
     "[[customer]]\nname = \"globex\"\nsystem_id = \"globex\"\npassword = \"x\"\nbind = []\n",
     {"etc/sy.toml:17:8: error: bind is an empty array, expected \"transmitter\", \"receiver\", "
      "\"transceiver\" or several of them"}},
    {"allow",
     "etc/sy.toml",
     appended,
     "[[customer]]\nname = \"globex\"\nsystem_id = \"globex\"\npassword = \"x\"\nallow = "
     "[\"10.0.0.0/33\"]\n",
     {"etc/sy.toml:17:10: error: allow: '10.0.0.0/33' is not an address block, expected "
      "10.0.0.0/8"}},
    {"country_code",
     "etc/sy.toml",
     appended,
     "[[customer]]\nname = \"globex\"\nsystem_id = \"globex\"\npassword = \"x\"\ncountry_code = "
     "\"+4x\"\n",
     {"etc/sy.toml:17:16: error: country_code is '+4x', expected a string of at most 3 digits"}},
    {"burst_without_rate",
     "etc/sy.toml",
     appended,
     "[[customer]]\nname = \"globex\"\nsystem_id = \"globex\"\npassword = \"x\"\nburst = 10\n",
     {"etc/sy.toml:17:9: warning: burst has no effect without a rate"}},
    {"plan_without_rows",
     "etc/sy.toml",
     appended,
     "[[customer]]\nname = \"globex\"\nsystem_id = \"globex\"\npassword = \"x\"\nplan = \"gold\"\n",
     {"etc/sy.toml:17:8: warning: plan 'gold' of customer 'globex' has no row in the mt table: "
      "every message will have no route"}},
    {"host_name",
     "etc/sy.toml",
     appended,
     "[[supplier]]\nname = \"gamma\"\nhost = \"smsc.example:2775\"\nsystem_id = \"sy\"\n",
     {"etc/sy.toml:15:8: error: host is 'smsc.example:2775', expected a numeric address and port "
      "like 127.0.0.1:2775 or [::1]:2775 (names are not resolved)"}},
    {"host_without_port",
     "etc/sy.toml",
     appended,
     "[[supplier]]\nname = \"gamma\"\nhost = [\"127.0.0.1\", \"127.0.0.1:0\"]\nsystem_id = "
     "\"sy\"\n",
     {"etc/sy.toml:15:9: error: host is '127.0.0.1', expected a numeric address and port like "
      "127.0.0.1:2775 or [::1]:2775 (names are not resolved)",
      "etc/sy.toml:15:22: error: host is '127.0.0.1:0', expected a numeric address and port like "
      "127.0.0.1:2775 or [::1]:2775 (names are not resolved)"}},
    {"host_empty",
     "etc/sy.toml",
     appended,
     "[[supplier]]\nname = \"gamma\"\nhost = []\nsystem_id = \"sy\"\n",
     {"etc/sy.toml:15:8: error: host is an empty array, expected at least one address and port"}},
    {"outbind_from",
     "etc/sy.toml",
     appended,
     "[[supplier]]\nname = \"gamma\"\nhost = \"127.0.0.1:1\"\nsystem_id = \"sy\"\noutbind_from = "
     "[\"10.0.0.1\", \"2001:db8::1\", \"smsc\"]\n",
     {"etc/sy.toml:17:44: error: outbind_from is 'smsc', expected a numeric address, with or "
      "without a port"}},
    {"supplier_bind",
     "etc/sy.toml",
     appended,
     "[[supplier]]\nname = \"gamma\"\nhost = \"127.0.0.1:1\"\nsystem_id = \"sy\"\nbind = "
     "\"both\"\n",
     {"etc/sy.toml:17:8: error: bind is 'both', expected one of \"transmitter\", \"receiver\", "
      "\"transceiver\", \"pair\""}},
    {"supplier_message_id",
     "etc/sy.toml",
     appended,
     "[[supplier]]\nname = \"gamma\"\nhost = \"127.0.0.1:1\"\nsystem_id = \"sy\"\nmessage_id = "
     "\"hex\"\n",
     {"etc/sy.toml:17:14: error: message_id is 'hex', expected one of \"as-is\", \"hex-decimal\", "
      "\"decimal-hex\""}},
    {"supplier_queue",
     "etc/sy.toml",
     appended,
     "[[supplier]]\nname = \"gamma\"\nhost = \"127.0.0.1:1\"\nsystem_id = \"sy\"\nqueue = 1000\n",
     {"etc/sy.toml:17:9: error: queue is 1000, expected a power of two from 2 to 1048576"}},
    {"supplier_ton",
     "etc/sy.toml",
     appended,
     "[[supplier]]\nname = \"gamma\"\nhost = \"127.0.0.1:1\"\nsystem_id = \"sy\"\nton = 7\n",
     {"etc/sy.toml:17:7: error: ton is 7, expected a whole number from 0 to 6"}},
    {"supplier_number_prefix",
     "etc/sy.toml",
     appended,
     "[[supplier]]\nname = \"gamma\"\nhost = \"127.0.0.1:1\"\nsystem_id = \"sy\"\nnumber_prefix = "
     "\"tel:\"\n",
     {"etc/sy.toml:17:17: error: number_prefix is 'tel:', expected \"\", \"+\", \"00\" or up to 5 "
      "digits"}},
    {"supplier_interface_version",
     "etc/sy.toml",
     appended,
     "[[supplier]]\nname = \"gamma\"\nhost = \"127.0.0.1:1\"\nsystem_id = "
     "\"sy\"\ninterface_version = \"3.5\"\n",
     {"etc/sy.toml:17:21: error: interface_version is '3.5', expected one of \"3.3\", \"3.4\", "
      "\"5.0\""}},
    {"supplier_reconnect",
     "etc/sy.toml",
     appended,
     "[[supplier]]\nname = \"gamma\"\nhost = \"127.0.0.1:1\"\nsystem_id = \"sy\"\nreconnect_min = "
     "\"10m\"\n",
     {"etc/sy.toml:17:17: error: reconnect_min is '10m', expected no more than reconnect_max, "
      "which is '1m'"}},
    {"supplier_breaker",
     "etc/sy.toml",
     appended,
     "[[supplier]]\nname = \"gamma\"\nhost = \"127.0.0.1:1\"\nsystem_id = \"sy\"\nbreaker = -1\n"
     "breaker_pause = \"2m\"\n",
     {"etc/sy.toml:17:11: error: breaker is -1, expected a whole number from 0 to 10000",
      "etc/sy.toml:18:17: error: breaker_pause is '2m', expected no more than breaker_pause_max, "
      "which is '1m'"}},
    {"named_table_missing",
     "etc/sy.toml",
     appended,
     "[routes]\nmt = \"tables/mt.csv\"\nerrors = \"/srv/e.csv\"\n",
     {"etc/sy.toml:14:6: error: mt table 'etc/tables/mt.csv' cannot be read: No such file or "
      "directory, expected the file, or mt = \"\" under [routes] for none",
      "etc/sy.toml:15:10: error: errors table '/srv/e.csv' cannot be read: No such file or "
      "directory, expected the file, or errors = \"\" under [routes] for none"}},
    {"default_mt_missing",
     "etc/mt.csv",
     missing,
     "",
     {"etc/sy.toml: error: mt table 'etc/mt.csv' cannot be read: No such file or directory, "
      "expected the file, or mt = \"\" under [routes] for none"}},
    {"default_mo_missing",
     "etc/mo.csv",
     missing,
     "",
     {"etc/sy.toml: warning: mo table 'etc/mo.csv' cannot be read: No such file or directory, "
      "expected the file, or mo = \"\" under [routes] for none"}},
    {"root_missing",
     "etc/sy.toml",
     missing,
     "",
     {"etc/sy.toml: error: cannot be read: No such file or directory"}},
    {"csv_empty",
     "etc/mt.csv",
     replaced,
     "",
     {"etc/mt.csv:1:1: error: no header row, expected column names out of plan, customer, prefix, "
      "sender, sender_type, text, data_coding, priority, action, targets, select, note, network, "
      "when, max_cost, sender_to"}},
    {"csv_only_comments",
     "etc/mt.csv",
     replaced,
     "# nothing\n\n  \n",
     {"etc/mt.csv:1:1: error: no header row, expected column names out of plan, customer, prefix, "
      "sender, sender_type, text, data_coding, priority, action, targets, select, note, network, "
      "when, max_cost, sender_to"}},
    {"csv_header_alone",
     "etc/mt.csv",
     replaced,
     "prefix,targets\n",
     {"etc/sy.toml:1:1: warning: plan 'default' of customer 'acme' has no row in the mt table: "
      "every message will have no route"}},
    {"csv_unknown_column",
     "etc/mt.csv",
     replaced,
     "prefx,targets\n,alpha\n",
     {"etc/mt.csv:1:1: error: unknown column 'prefx', did you mean 'prefix'?"}},
    {"csv_unknown_column_far",
     "etc/errors.csv",
     replaced,
     "status,class,zzzzzz\nRSYSERR,next,\n",
     {"etc/errors.csv:1:14: error: unknown column 'zzzzzz', expected one of supplier, status, "
      "class"}},
    {"csv_column_twice",
     "etc/mt.csv",
     replaced,
     "prefix,targets,prefix\n",
     {"etc/mt.csv:1:16: error: column 'prefix' is named twice"}},
    {"csv_header_quote",
     "etc/mt.csv",
     replaced,
     "pre\"fix,targets\n,alpha\n",
     {"etc/mt.csv:1:4: error: a quote inside a cell that is not quoted, expected the whole cell in "
      "quotes and this quote doubled"}},
    {"csv_too_few_cells",
     "etc/mt.csv",
     replaced,
     "prefix,targets\n44\n",
     {"etc/mt.csv:2:1: error: the row has 1 cells, expected 2 as in the header"}},
    {"csv_too_many_cells",
     "etc/mt.csv",
     replaced,
     "prefix,targets\n44,alpha,,\n",
     {"etc/mt.csv:2:10: error: the row has 4 cells, expected 2 as in the header"}},
    {"csv_quote_inside",
     "etc/mt.csv",
     replaced,
     "prefix,targets,note\n,alpha,say \"hi\"\n",
     {"etc/mt.csv:2:12: error: a quote inside a cell that is not quoted, expected the whole cell "
      "in quotes and this quote doubled"}},
    {"csv_quote_open",
     "etc/mt.csv",
     replaced,
     "prefix,targets,note\n# one\n,alpha,\"open\n,beta,\n",
     {"etc/mt.csv:3:8: error: this quote is never closed, expected a quote at the end of the "
      "cell"}},
    {"csv_text_after_quote",
     "etc/mt.csv",
     replaced,
     "prefix,targets,note\n,alpha,\"a\" b\n",
     {"etc/mt.csv:2:12: error: text after the closing quote, expected a comma or the end of the "
      "row"}},
    {"csv_not_utf8",
     "etc/mt.csv",
     replaced,
     "prefix,targets,note\n,alpha,caf\351\n",
     {"etc/mt.csv:2:11: error: octet 0xE9 is not UTF-8, expected a file in UTF-8"}},
    {"csv_control_character",
     "etc/mt.csv",
     replaced,
     "prefix,targets,note\n,alpha,a\001b\n",
     {"etc/mt.csv:2:9: error: control character 0x01, expected text"}},
    {"csv_position_counts_characters",
     "etc/mt.csv",
     replaced,
     "note,prefix,targets\r\n\"\303\251\342\202\254\r\n\"\"x\"\"\",4x,alpha\r\n",
     {"etc/mt.csv:3:8: error: '4x' is not the beginning of a number, expected 1 to 15 digits"}},
    {"mt_unknown_supplier",
     "etc/mt.csv",
     replaced,
     "targets\nalpha:70 | bata:30 > gamma\n",
     {"etc/mt.csv:2:12: error: unknown supplier 'bata', did you mean 'beta'?",
      "etc/mt.csv:2:22: error: unknown supplier 'gamma', expected one of alpha, beta"}},
    {"mt_unknown_customer",
     "etc/mt.csv",
     replaced,
     "customer,targets\nacmee,alpha\n",
     {"etc/mt.csv:2:1: error: unknown customer 'acmee', did you mean 'acme'?"}},
    {"mt_targets_missing",
     "etc/mt.csv",
     replaced,
     "prefix,targets\n44,\n",
     {"etc/mt.csv:2:4: error: targets are missing, expected supplier names as in alpha:70 | "
      "beta:30 > gamma"}},
    {"mt_targets_column_missing",
     "etc/mt.csv",
     replaced,
     "prefix\n44\n",
     {"etc/mt.csv:2:1: error: targets are missing, expected supplier names as in alpha:70 | "
      "beta:30 > gamma"}},
    {"mt_target_hole",
     "etc/mt.csv",
     replaced,
     "prefix,targets\n44,alpha | > beta\n",
     {"etc/mt.csv:2:11: error: a target is missing in 'alpha | > beta', expected supplier names as "
      "in alpha:70 | beta:30 > gamma"}},
    {"mt_target_twice",
     "etc/mt.csv",
     replaced,
     "prefix,targets\n44,alpha:1 > beta | alpha\n",
     {"etc/mt.csv:2:21: error: target 'alpha' is listed twice, expected each supplier once in a "
      "row"}},
    {"mt_weights",
     "etc/mt.csv",
     replaced,
     "targets\nalpha:x | beta:2000000\n",
     {"etc/mt.csv:2:7: error: weight is 'x', expected a whole number from 0 to 1000000",
      "etc/mt.csv:2:16: error: weight is '2000000', expected a whole number from 0 to 1000000"}},
    {"mt_weights_zero",
     "etc/mt.csv",
     replaced,
     "targets\nalpha:0 > beta:0\n",
     {"etc/mt.csv:2:1: error: all weights of 'alpha:0' are 0, expected at least one above 0",
      "etc/mt.csv:2:11: error: all weights of 'beta:0' are 0, expected at least one above 0"}},
    {"mt_too_many_targets",
     "etc/mt.csv",
     replaced,
     "targets\nalpha | beta | beta | beta | beta | beta | beta | beta | beta > beta | beta | beta "
     "| "
     "beta | beta | beta | beta | beta\n",
     {"etc/mt.csv:2:1: error: the row has 17 targets, expected at most 16",
      "etc/mt.csv:2:16: error: target 'beta' is listed twice, expected each supplier once in a row",
      "etc/mt.csv:2:23: error: target 'beta' is listed twice, expected each supplier once in a row",
      "etc/mt.csv:2:30: error: target 'beta' is listed twice, expected each supplier once in a row",
      "etc/mt.csv:2:37: error: target 'beta' is listed twice, expected each supplier once in a row",
      "etc/mt.csv:2:44: error: target 'beta' is listed twice, expected each supplier once in a row",
      "etc/mt.csv:2:51: error: target 'beta' is listed twice, expected each supplier once in a row",
      "etc/mt.csv:2:58: error: target 'beta' is listed twice, expected each supplier once in a row",
      "etc/mt.csv:2:65: error: target 'beta' is listed twice, expected each supplier once in a row",
      "etc/mt.csv:2:72: error: target 'beta' is listed twice, expected each supplier once in a row",
      "etc/mt.csv:2:79: error: target 'beta' is listed twice, expected each supplier once in a row",
      "etc/mt.csv:2:86: error: target 'beta' is listed twice, expected each supplier once in a row",
      "etc/mt.csv:2:93: error: target 'beta' is listed twice, expected each supplier once in a row",
      "etc/mt.csv:2:100: error: target 'beta' is listed twice, expected each supplier once in a "
      "row",
      "etc/mt.csv:2:107: error: target 'beta' is listed twice, expected each supplier once in a "
      "row",
      "etc/mt.csv:2:114: error: target 'beta' is listed twice, expected each supplier once in a "
      "row"}},
    {"mt_prefix",
     "etc/mt.csv",
     replaced,
     "prefix,targets\n44*,alpha\n+4477,beta\n1234567890123456,beta\n",
     {"etc/mt.csv:2:1: error: '44*' is not the beginning of a number, expected 1 to 15 digits",
      "etc/mt.csv:4:1: error: '1234567890123456' is not the beginning of a number, expected 1 to "
      "15 digits"}},
    {"mt_plan",
     "etc/mt.csv",
     replaced,
     "plan,targets\ngold plan,alpha\n",
     {"etc/mt.csv:2:1: error: 'gold plan' is not a plan, expected 1 to 64 letters, digits, '.', "
      "'_' or '-', or * for screening"}},
    {"mt_sender_type",
     "etc/mt.csv",
     replaced,
     "sender_type,targets\nnumeric,alpha\n",
     {"etc/mt.csv:2:1: error: sender_type is 'numeric', expected alpha, short or long"}},
    {"mt_data_coding",
     "etc/mt.csv",
     replaced,
     "data_coding,targets\n256,alpha\n0x08,beta\nucs2,beta\n",
     {"etc/mt.csv:2:1: error: data_coding is '256', expected 0 to 255 or 0x00 to 0xFF",
      "etc/mt.csv:4:1: error: data_coding is 'ucs2', expected 0 to 255 or 0x00 to 0xFF"}},
    {"mt_priority",
     "etc/mt.csv",
     replaced,
     "priority,targets\n1.5,alpha\n",
     {"etc/mt.csv:2:1: error: priority is '1.5', expected a whole number from -1000000 to "
      "1000000"}},
    {"mt_select",
     "etc/mt.csv",
     replaced,
     "select,targets\ncost,alpha\nbest,beta\n",
     {"etc/mt.csv:2:1: error: select 'cost' needs prices of suppliers, expected prices = "
      "\"prices.csv\" under [routes]",
      "etc/mt.csv:3:1: error: select is 'best', expected weight, order, cost or quality"}},
    {"mt_action",
     "etc/mt.csv",
     replaced,
     "prefix,action,targets\n,block,\n,reject:,\n,reject:RNOSUCH,\n,reject:ROK,\n",
     {"etc/mt.csv:2:2: error: action is 'block', expected route, reject:STATUS or drop",
      "etc/mt.csv:3:9: error: '' is not a status, expected a name like RINVDSTADR or a number like "
      "0x45",
      "etc/mt.csv:4:9: error: 'RNOSUCH' is not a status, expected a name like RINVDSTADR or a "
      "number like 0x45",
      "etc/mt.csv:5:9: error: status 'ROK' means success, expected an error"}},
    {"mt_drop_with_targets",
     "etc/mt.csv",
     replaced,
     "action,targets\ndrop,alpha\n",
     {"etc/mt.csv:2:6: error: targets 'alpha' in a row with action 'drop', expected none"}},
    {"mt_screening_that_routes",
     "etc/mt.csv",
     replaced,
     "plan,targets\n*,alpha\ndefault,beta\n",
     {"etc/mt.csv:2:1: error: plan * screens and does not route, expected action reject:STATUS or "
      "drop"}},
    {"mt_customer_of_other_plan",
     "etc/mt.csv",
     replaced,
     "plan,customer,targets\ngold,acme,alpha\n,,beta\n",
     {"etc/mt.csv:2:1: warning: plan 'gold' is no customer's: none of its rows is ever looked at, "
      "expected default",
      "etc/mt.csv:2:6: warning: the row never holds: customer 'acme' routes by plan 'default', not "
      "'gold'"}},
    {"mt_row_never_wins",
     "etc/mt.csv",
     replaced,
     "prefix,priority,targets\n44,5,alpha\n44,5,beta\n44,9,beta\n44,1,beta\n",
     {"etc/mt.csv:2:1: warning: the row never wins: line 5 has the same conditions and the lower "
      "priority 1",
      "etc/mt.csv:3:1: warning: the row never wins: line 2 has the same conditions and priority "
      "and stands before it",
      "etc/mt.csv:4:1: warning: the row never wins: line 2 has the same conditions and the lower "
      "priority 5"}},
    {"mo_answers_and_copies",
     "etc/mo.csv",
     replaced,
     "targets,copy_to,reply,cost,when\nacme,acme | acne,Hi {name},-1,\nacme,acme | "
     "acme,{1,1.5,Mo\n",
     {"etc/mo.csv:2:13: error: unknown customer 'acne', did you mean 'acme'?",
      "etc/mo.csv:2:21: error: reply: '{name}' stands for nothing, expected {keyword}, {args}, {1} "
      "to {9}, {sender} or {number}",
      "etc/mo.csv:2:28: error: cost is '-1', expected an amount like 0.0345 with at most 9 "
      "decimals, from 0 to 100000",
      "etc/mo.csv:3:13: error: customer 'acme' is listed twice, expected each once",
      "etc/mo.csv:3:18: error: reply: '{' without '}', expected {{ for the character",
      "etc/mo.csv:3:25: error: a window of 'Mo' has neither days nor times, expected some, as in "
      "Mon-Fri 08:00-18:00 Europe/London; Sat 09:00-12:00"}},
    {"mo_unknown_names",
     "etc/mo.csv",
     replaced,
     "number,supplier,targets\n447700900123,alhpa,acne\n",
     {"etc/mo.csv:2:14: error: unknown supplier 'alhpa', did you mean 'alpha'?",
      "etc/mo.csv:2:20: error: unknown customer 'acne', did you mean 'acme'?"}},
    {"mo_number",
     "etc/mo.csv",
     replaced,
     "number,targets\n44*77,acme\n,acme\n*,acme\n",
     {"etc/mo.csv:2:1: error: '44*77' is not a number, expected 1 to 15 digits, with * behind the "
      "beginning of a number"}},
    {"mo_keyword",
     "etc/mo.csv",
     replaced,
     "keyword,targets\nHELP ME,acme\n",
     {"etc/mo.csv:2:1: error: keyword is 'HELP ME', expected one word of at most 60 octets"}},
    {"mo_targets_missing",
     "etc/mo.csv",
     replaced,
     "keyword,targets\nHELP,\n",
     {"etc/mo.csv:2:6: error: targets are missing, expected customer names as in acme:70 | "
      "globex:30 > initech"}},
    {"mo_source",
     "etc/mo.csv",
     replaced,
     "source,targets\nvodafone,acme\n",
     {"etc/mo.csv:2:1: error: 'vodafone' is not the beginning of a number, expected 1 to 15 "
      "digits"}},
    {"errors_bad",
     "etc/errors.csv",
     replaced,
     "supplier,status,class\ngamma,RSYSERR,next\n,RNOSUCH,next\n,RSYSERR,retry\n,ROK,final\n",
     {"etc/errors.csv:2:1: error: unknown supplier 'gamma', expected one of alpha, beta",
      "etc/errors.csv:3:2: error: 'RNOSUCH' is not a status, expected a name like RINVDSTADR or a "
      "number like 0x45",
      "etc/errors.csv:4:10: error: class is 'retry', expected next, pause or final",
      "etc/errors.csv:5:2: error: status 'ROK' means success, expected an error"}},
    {"errors_twice",
     "etc/errors.csv",
     replaced,
     "supplier,status,class\nalpha,RSYSERR,next\nalpha,0x08,final\n",
     {"etc/errors.csv:3:1: warning: the row does nothing: line 2 has the same supplier and "
      "status"}},
    {"errors_columns_missing",
     "etc/errors.csv",
     replaced,
     "supplier\nalpha\n",
     {"etc/errors.csv:2:1: error: '' is not a status, expected a name like RINVDSTADR or a number "
      "like 0x45",
      "etc/errors.csv:2:1: error: class is '', expected next, pause or final"}},
};

INSTANTIATE_TEST_SUITE_P(Files, BadInputTest, testing::ValuesIn(bad_inputs), name_of);

}  // namespace
}  // namespace sy::config::test
