#include "io/daemon/files.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

namespace sy::daemon {
namespace {

struct File {
    int fd = -1;
    ~File() {
        if (fd >= 0) {
            ::close(fd);
        }
    }
};

std::string open_error(int error_number) {
    switch (error_number) {
        case ENOENT:
            return "no such file";
        case EACCES:
            return fmt::format(
                "permission denied: user id {} must be able to read the file and to search "
                "its directories",
                geteuid());
        default:
            return std::generic_category().message(error_number);
    }
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
    const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.fd < 0) {
        return fail(open_error(errno));
    }
    struct stat status{};
    if (fstat(file.fd, &status) != 0) {
        return fail(std::generic_category().message(errno));
    }
    if (S_ISDIR(status.st_mode)) {
        return fail("a directory, where a file was expected");
    }
    std::string content;
    content.reserve(static_cast<size_t>(status.st_size) + 1);  // growing would need both copies
    content.resize(static_cast<size_t>(status.st_size));
    size_t at = 0;
    while (true) {
        if (at == content.size()) {
            // One octet more than the size: the end shows itself, also of pipes and growing files.
            content.resize(at + (status.st_size > 0 ? 1 : 65536));
        }
        if (at > file_bytes_max) {
            return fail(fmt::format("larger than {} octets", file_bytes_max));
        }
        const ssize_t got = ::read(file.fd, content.data() + at, content.size() - at);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail(std::generic_category().message(errno));
        }
        if (got == 0) {
            break;
        }
        at += static_cast<size_t>(got);
    }
    content.resize(at);
    return content;
}

}  // namespace sy::daemon
