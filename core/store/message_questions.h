// query_sm, cancel_sm and replace_sm of messages taken to store and forward (SMPP 3.4 sections 4.8
// to 4.10). Only a message that waits in the store alone can be cancelled or replaced: one that is
// under way may have reached a supplier. The writer's thread, into its open batch.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/store/message_queue.h"
#include "core/store/own_receipts.h"

namespace sy::store {

class MessageQuestions {
  public:
    MessageQuestions(Database& database, MessageQueue& queue, OwnReceipts& receipts);

    /// By message.store_order; `store_answer` done: it is as asked for, none: there is no such
    /// message of this customer and source, or it is under way, failed: the disk. A cancel_sm takes
    /// one message at a time, whose way it fills in.
    void answer(engine::Message& message, const Names& names);

  private:
    struct Named {
        engine::Message* message = nullptr;  // the stored one, restored into scratch_
        std::optional<Waiting> waiting;      // nothing: under way
    };
    [[nodiscard]] Result<std::optional<Named>> look_up(uint64_t id,
                                                       CustomerId customer,
                                                       const smpp::Address& source,
                                                       const Names& names);
    [[nodiscard]] Result<bool> query(engine::Message& message, const Names& names);
    [[nodiscard]] Result<bool> cancel(engine::Message& message, const Names& names);
    [[nodiscard]] Result<bool> cancel_first(engine::Message& message, const Names& names);
    [[nodiscard]] Result<bool> remove(const Named& named,
                                      engine::Message& message,
                                      const Names& names);
    [[nodiscard]] Result<bool> replace(engine::Message& message, const Names& names);
    [[nodiscard]] bool rewrite(const smpp::ReplaceSm& by, engine::Message& stored);

    Database& database_;
    MessageQueue& queue_;
    OwnReceipts& receipts_;
    std::unique_ptr<engine::Message> scratch_;
    std::unique_ptr<uint8_t[]> scratch_body_;
    std::unique_ptr<uint8_t[]> pdu_;
};

}  // namespace sy::store
