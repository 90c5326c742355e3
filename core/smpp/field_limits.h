// Usable octets of the mandatory fields, the NUL not counted (SMPP 3.4 sections 4 and 5.2); reader
// and writer share them.
#pragma once

#include <cstddef>

#include "core/base/limits.h"

namespace sy::smpp {

inline constexpr size_t service_type_octets_max = 5;
inline constexpr size_t system_type_octets_max = 12;
inline constexpr size_t address_range_octets_max = 40;
inline constexpr size_t address_octets_max = limits::address_octets_max;
inline constexpr size_t long_address_octets_max = 64;  // data_sm and alert_notification
inline constexpr size_t dl_name_octets_max = 20;
inline constexpr size_t message_id_octets_max = limits::message_id_octets_max;
inline constexpr size_t time_octets = 16;                // a time is absent or has exactly as many
inline constexpr size_t short_message_octets_max = 255;  // 254 in SMPP 3.4

}  // namespace sy::smpp
