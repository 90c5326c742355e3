#include "core/smpp/status.h"

#include <charconv>

namespace sy::smpp {

namespace {

struct Name {
    uint32_t value;
    std::string_view name;
};

// SMPP 3.4 section 5.1.3; from 0x100 on SMPP 5.0 section 4.7.6. The first name of a value is the
// one that is written; the others are the 5.0 spellings of the same value.
constexpr Name names[] = {
    {0x00, "ROK"},
    {0x01, "RINVMSGLEN"},
    {0x02, "RINVCMDLEN"},
    {0x03, "RINVCMDID"},
    {0x04, "RINVBNDSTS"},
    {0x05, "RALYBND"},
    {0x06, "RINVPRTFLG"},
    {0x07, "RINVREGDLVFLG"},
    {0x08, "RSYSERR"},
    {0x0A, "RINVSRCADR"},
    {0x0B, "RINVDSTADR"},
    {0x0C, "RINVMSGID"},
    {0x0D, "RBINDFAIL"},
    {0x0E, "RINVPASWD"},
    {0x0F, "RINVSYSID"},
    {0x11, "RCANCELFAIL"},
    {0x13, "RREPLACEFAIL"},
    {0x14, "RMSGQFUL"},
    {0x15, "RINVSERTYP"},
    {0x33, "RINVNUMDESTS"},
    {0x34, "RINVDLNAME"},
    {0x40, "RINVDESTFLAG"},
    {0x42, "RINVSUBREP"},
    {0x43, "RINVESMCLASS"},
    {0x44, "RCNTSUBDL"},
    {0x45, "RSUBMITFAIL"},
    {0x48, "RINVSRCTON"},
    {0x49, "RINVSRCNPI"},
    {0x50, "RINVDSTTON"},
    {0x51, "RINVDSTNPI"},
    {0x53, "RINVSYSTYP"},
    {0x54, "RINVREPFLAG"},
    {0x55, "RINVNUMMSGS"},
    {0x58, "RTHROTTLED"},
    {0x61, "RINVSCHED"},
    {0x62, "RINVEXPIRY"},
    {0x63, "RINVDFTMSGID"},
    {0x64, "RX_T_APPN"},
    {0x65, "RX_P_APPN"},
    {0x66, "RX_R_APPN"},
    {0x67, "RQUERYFAIL"},
    {0xC0, "RINVOPTPARSTREAM"},
    {0xC0, "RINVTLVSTREAM"},
    {0xC1, "ROPTPARNOTALLWD"},
    {0xC1, "RTLVNOTALLWD"},
    {0xC2, "RINVPARLEN"},
    {0xC2, "RINVTLVLEN"},
    {0xC3, "RMISSINGOPTPARAM"},
    {0xC3, "RMISSINGTLV"},
    {0xC4, "RINVOPTPARAMVAL"},
    {0xC4, "RINVTLVVAL"},
    {0xFE, "RDELIVERYFAILURE"},
    {0xFF, "RUNKNOWNERR"},
    {0x100, "RSERTYPUNAUTH"},
    {0x101, "RPROHIBITED"},
    {0x102, "RSERTYPUNAVAIL"},
    {0x103, "RSERTYPDENIED"},
    {0x104, "RINVDCS"},
    {0x105, "RINVSRCADDRSUBUNIT"},
    {0x106, "RINVDSTADDRSUBUNIT"},
    {0x107, "RINVBCASTFREQINT"},
    {0x108, "RINVBCASTALIAS_NAME"},
    {0x109, "RINVBCASTAREAFMT"},
    {0x10A, "RINVNUMBCAST_AREAS"},
    {0x10B, "RINVBCASTCNTTYPE"},
    {0x10C, "RINVBCASTMSGCLASS"},
    {0x10D, "RBCASTFAIL"},
    {0x10E, "RBCASTQUERYFAIL"},
    {0x10F, "RBCASTCANCELFAIL"},
    {0x110, "RINVBCAST_REP"},
    {0x111, "RINVBCASTSRVGRP"},
    {0x112, "RINVBCASTCHANIND"},
};

constexpr char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

/// `text` in any letter case against a name in upper case.
bool same_name(std::string_view text, std::string_view name) {
    if (text.size() != name.size()) {
        return false;
    }
    for (size_t i = 0; i < text.size(); ++i) {
        if (upper(text[i]) != name[i]) {
            return false;
        }
    }
    return true;
}

std::optional<CommandStatus> parse_number(std::string_view text) {
    int base = 10;
    if (text.size() > 2 && text[0] == '0' && upper(text[1]) == 'X') {
        base = 16;
        text.remove_prefix(2);
    }
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return static_cast<CommandStatus>(value);
}

}  // namespace

std::string_view status_name(CommandStatus status) {
    for (const Name& entry : names) {
        if (entry.value == static_cast<uint32_t>(status)) {
            return entry.name;
        }
    }
    return {};
}

std::optional<CommandStatus> parse_status(std::string_view text) {
    constexpr std::string_view prefix = "ESME_";
    std::string_view name = text;
    if (name.size() > prefix.size() && same_name(name.substr(0, prefix.size()), prefix)) {
        name.remove_prefix(prefix.size());
    }
    for (const Name& entry : names) {
        if (same_name(name, entry.name)) {
            return static_cast<CommandStatus>(entry.value);
        }
    }
    return parse_number(text);
}

}  // namespace sy::smpp
