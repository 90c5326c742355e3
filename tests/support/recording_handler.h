// A transport handler that writes down what it is told and checks the order of it: nothing before
// accepted or connected, nothing after closed, nothing twice.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/bytes.h"
#include "core/engine/transport.h"

namespace sy::test {

class RecordingHandler {
  public:
    struct Record {
        bool up = false;
        bool closed = false;
        CloseReason reason{};
        Endpoint peer;
        std::string bytes;    // consumed so far
        size_t offers = 0;    // calls of on_bytes
        size_t writable = 0;  // calls of on_writable
    };

    // How many octets on_bytes consumes of those offered; may call the transport.
    std::function<size_t(ConnId, Octets)> consume = [](ConnId, Octets octets) {
        return octets.size();
    };
    std::function<void(ConnId)> when_up = [](ConnId) {};
    std::function<void(ConnId)> when_writable = [](ConnId) {};
    std::function<void(ConnId)> when_closed = [](ConnId) {};

    void on_accepted(ConnId conn, const Endpoint& peer) {
        begin(conn).peer = peer;
        accepted.push_back(conn);
        when_up(conn);
    }
    void on_connected(ConnId conn) {
        begin(conn);
        connected.push_back(conn);
        when_up(conn);
    }
    size_t on_bytes(ConnId conn, Octets octets) {
        Record& record = alive(conn);
        EXPECT_FALSE(octets.empty());
        ++record.offers;
        const size_t consumed = std::min(consume(conn, octets), octets.size());
        records_[key(conn)].bytes += as_chars(octets.first(consumed));
        return consumed;
    }
    void on_writable(ConnId conn) {
        ++alive(conn).writable;
        when_writable(conn);
    }
    void on_closed(ConnId conn, CloseReason reason) {
        Record& record = records_[key(conn)];
        EXPECT_FALSE(record.closed) << "closed twice";
        record.closed = true;
        record.reason = reason;
        ++closed_count;
        when_closed(conn);
    }

    [[nodiscard]] const Record& operator[](ConnId conn) { return records_[key(conn)]; }
    [[nodiscard]] bool closed(ConnId conn) { return records_[key(conn)].closed; }

    std::vector<ConnId> accepted;
    std::vector<ConnId> connected;
    size_t closed_count = 0;

  private:
    static uint64_t key(ConnId conn) { return (uint64_t{conn.generation} << 32) | conn.slot; }

    Record& begin(ConnId conn) {
        EXPECT_TRUE(conn.valid());
        Record& record = records_[key(conn)];
        EXPECT_FALSE(record.up) << "announced twice";
        EXPECT_FALSE(record.closed) << "announced after it was closed";
        record.up = true;
        return record;
    }
    Record& alive(ConnId conn) {
        Record& record = records_[key(conn)];
        EXPECT_TRUE(record.up) << "event before the connection was announced";
        EXPECT_FALSE(record.closed) << "event after the connection was closed";
        return record;
    }

    std::map<uint64_t, Record> records_;
};

}  // namespace sy::test
