// switchyard: the command line. Exit status: 0 done, 1 the configuration or the machine does not
// allow it, 2 the command line itself is wrong.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "io/daemon/background.h"
#include "io/daemon/commands.h"

namespace {

constexpr int exit_usage = 2;

struct Arguments {
    std::string config_path;
    sy::daemon::ExplainOptions explain;
    int status = 0;
};

void add_config(CLI::App& command, Arguments& arguments) {
    command.add_option("--config,-c", arguments.config_path, "the configuration, switchyard.toml")
        ->required()
        ->type_name("FILE");
}

void add_message(CLI::App& command, Arguments& arguments, bool from_required) {
    command.fallthrough();
    sy::daemon::Question& message = arguments.explain.question;
    command.add_option("--to", message.to, "destination number")->required()->type_name("NUMBER");
    command.add_option("--from", message.from, "source number or sender name")
        ->required(from_required)
        ->type_name("SENDER");
    command.add_option("--text", message.text, "the message's text, UTF-8")->type_name("TEXT");
    command
        .add_option("--data-coding", message.data_coding,
                    "data_coding of the message (default: 0, or 8 where GSM 03.38 lacks a "
                    "character of the text)")
        ->check(CLI::Range(0, 255))
        ->type_name("0..255");
    command
        .add_option("--at", message.at,
                    "as of then, in UTC: 2026-01-31, \"2026-01-31 18:30\" (default: now)")
        ->type_name("TIME");
}

void add_explain(CLI::App& app, Arguments& arguments) {
    sy::daemon::ExplainOptions& options = arguments.explain;
    CLI::App* const explain =
        app.add_subcommand("explain", "say why one message goes where it goes");
    explain->add_option("--config,-c", arguments.config_path, "what these files say")
        ->type_name("FILE");
    explain
        ->add_option("--router", options.router,
                     "what the router that runs does: its admin address, instead of --config")
        ->type_name("HOST:PORT");
    explain->add_flag("--json", options.json, "for programs");
    explain->require_subcommand(1);

    CLI::App* const mt = explain->add_subcommand("mt", "a customer's message to a phone");
    mt->add_option("--customer", options.question.account, "the customer that submits it")
        ->required()
        ->type_name("NAME");
    add_message(*mt, arguments, false);
    mt->callback([&options] { options.kind = sy::daemon::Report::Kind::mt; });

    CLI::App* const mo = explain->add_subcommand("mo", "a phone's message to a customer");
    mo->add_option("--supplier", options.question.account, "the supplier that delivers it")
        ->required()
        ->type_name("NAME");
    add_message(*mo, arguments, true);
    mo->callback([&options] { options.kind = sy::daemon::Report::Kind::mo; });
    explain->callback([&arguments] {
        arguments.status = sy::daemon::explain(arguments.config_path, arguments.explain);
    });
}

int run_command_line(int argc, char** argv) {
    Arguments arguments;
    CLI::App app{"Switchyard, an SMPP router", "switchyard"};
    app.set_version_flag("--version", "switchyard " SY_VERSION);
    app.require_subcommand(1);

    CLI::App* const run =
        app.add_subcommand("run", "run the router in the foreground until SIGTERM");
    add_config(*run, arguments);
    run->callback([&arguments] { arguments.status = sy::daemon::run(arguments.config_path); });

    CLI::App* const check =
        app.add_subcommand("check", "validate the configuration, print every error");
    add_config(*check, arguments);
    check->callback([&arguments] { arguments.status = sy::daemon::check(arguments.config_path); });
    add_explain(app, arguments);

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& parse_error) {
        return app.exit(parse_error) == 0 ? 0 : exit_usage;
    }
    return arguments.status;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const int status = run_command_line(argc, argv);
        if (sy::daemon::Abandoned::any()) {
            // Its thread still computes: no destructor of a global may run under it.
            std::fflush(nullptr);
            std::_Exit(status);
        }
        return status;
    } catch (const std::exception& failure) {
        // Memory, or a library that throws what nobody expected: say so and leave nothing behind.
        std::fprintf(stderr, "switchyard: error: %s\n", failure.what());
        return 1;
    }
}
