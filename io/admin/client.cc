#include "io/admin/client.h"

#include <fmt/format.h>
#include <httplib.h>

namespace sy::admin {

Result<Page> get(const Endpoint& address, const std::string& path, const Parameters& parameters) {
    constexpr time_t wait_s = 10;
    httplib::Client client("http://" + to_string(address));
    client.set_connection_timeout(wait_s);
    client.set_read_timeout(wait_s);
    const httplib::Result result =
        client.Get(path, httplib::Params(parameters.begin(), parameters.end()), httplib::Headers{});
    if (!result) {
        return fail(fmt::format("the router's admin port {} does not answer: {}",
                                to_string(address), httplib::to_string(result.error())));
    }
    return Page{result->status, result->get_header_value("Content-Type"), result->body};
}

}  // namespace sy::admin
